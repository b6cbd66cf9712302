"""The figures in sentences. What an interval cannot tell from chance is said to be so."""

from __future__ import annotations

from typing import Any

from contact_service.domain.states import RunState
from contact_service.evaluation.facts import Completeness, RunFacts
from contact_service.evaluation.wording import (
    Lang,
    day,
    name,
    number,
    p_value,
    percent,
    points,
    signed,
    text,
    yen,
)

#: Below this the sample ratio is called a mismatch: it is a test of the machinery, looked at
#: in every run, so only strong evidence should raise the alarm.
RATIO_ALARM = 0.01
ADJUSTED_LEVEL = 0.05
#: An interval of a cost whose ends differ by more than this factor says next to nothing.
VERY_UNCERTAIN = 20
#: What is said of the centre, by stream.
_CENTRE = {
    "resident": ("inbound_calls", "inbound_answered", "inbound_abandoned", "inbound_agent_hours"),
    "operator": ("operator_calls", "operator_agent_hours"),
}

Figures = dict[str, Any]


def summary(facts: RunFacts, figures: Figures, lang: Lang) -> dict[str, list[str]]:
    """Sentences by question: notes, tried, happened, sure, cost, centre."""
    if facts.state == RunState.SCHEDULED:
        nothing = [text("not_started", lang)]
        return {
            "notes": [text("note_planned", lang, start=day(facts.start_day, lang))],
            "tried": _tried(facts, figures, lang),
            **dict.fromkeys(("happened", "sure", "cost", "centre"), nothing),
        }
    return {
        "notes": _notes(facts, figures, lang),
        "tried": _tried(facts, figures, lang),
        "happened": _happened(facts, figures, lang),
        "sure": _sure(facts, figures, lang),
        "cost": _cost(facts, figures, lang),
        "centre": centre(figures["load"], lang),
    }


def _notes(facts: RunFacts, figures: Figures, lang: Lang) -> list[str]:
    run, flow, ratio = figures["run"], figures["flow"], figures["payment"]["sample_ratio"]
    notes = [
        text(
            f"note_{facts.completeness}",
            lang,
            known=day(run["payments_known_until"], lang),
            complete=day(run["payments_complete_until"], lang),
            last=day(run["horizon_last_day"], lang),
            days=run["days_observed"],
        )
    ]
    if flow["unaccounted_debtors"]:
        notes.append(text("note_gap", lang, gap=signed(flow["unaccounted_debtors"], 0)))
    if flow["clusters_in_two_arms"]:
        notes.append(text("note_two_arms", lang, n=number(flow["clusters_in_two_arms"])))
    if ratio and ratio["p_value"] < RATIO_ALARM:
        notes.append(text("note_ratio", lang, p=p_value(ratio["p_value"])))
    return notes


def _tried(facts: RunFacts, figures: Figures, lang: Lang) -> list[str]:
    flow, definition = figures["flow"], facts.definition
    lines = [
        text(
            "planned" if facts.state == RunState.SCHEDULED else "tried",
            lang,
            as_of=day(facts.as_of, lang),
            assessed=number(flow["assessed_debtors"]),
            excluded=number(flow["excluded_debtors"]),
            people=number(flow["randomised_debtors"]),
            clusters=number(sum(arm["clusters"] for arm in flow["arms"])),
            arms=len(flow["arms"]),
            start=day(facts.start_day, lang),
            days=definition.trial.horizon_days,
        )
    ]
    for arm in flow["arms"]:
        steps = [
            text(
                "step_after" if step.start.after_days else "step_at_once",
                lang,
                channel=name("channel", step.channel.value, lang),
                days=step.start.after_days,
            )
            for step in definition.steps
            if arm["arm"] in definition.arms_of(step)
        ]
        lines.append(
            text(
                "steps_of_arm",
                lang,
                arm=facts.title_of(arm["arm"]),
                steps=" → ".join(steps) or text("nothing_done", lang),
            )
        )
    return lines


def _happened(facts: RunFacts, figures: Figures, lang: Lang) -> list[str]:
    if facts.completeness is Completeness.UNKNOWN:
        return [text("note_unknown", lang)]
    outcome = figures["payment"]["primary_outcome"]
    levels = [
        text(
            "level",
            lang,
            arm=facts.title_of(arm["arm"]),
            share=percent(arm[outcome]["estimate"]),
            n=number(arm["clusters"]),
            paid=number(arm[outcome]["clusters"]),
        )
        for arm in figures["payment"]["arms"]
    ]
    return [text(f"levels_{outcome}", lang, levels=text("comma", lang).join(levels))]


def verdict(facts: RunFacts, comparison: Figures) -> str:
    """Of the primary outcome: ``clear``, ``unsure`` (only before adjusting) or ``chance``;
    ``interim`` while the horizon is not over, for looking early and often finds too much."""
    if facts.completeness is Completeness.INTERIM:
        return "interim"
    if not comparison["excludes_zero"]:
        return "chance"
    return "clear" if comparison["p_adjusted"] < ADJUSTED_LEVEL else "unsure"


def _sure(facts: RunFacts, figures: Figures, lang: Lang) -> list[str]:
    if facts.control is None:
        return [text("no_control", lang)]
    lines = []
    for comparison in figures["payment"]["comparisons"]:
        difference = comparison["risk_difference"]
        said = verdict(facts, comparison)
        line = text(
            f"effect_{said}",
            lang,
            arm=facts.title_of(comparison["arm"]),
            control=facts.title_of(comparison["control"]),
            diff=points(difference["estimate"]),
            low=points(difference["low"]),
            high=points(difference["high"]),
            p=p_value(comparison["p_adjusted"]),
        )
        needed = comparison["number_needed_to_contact"]
        if needed and said == "clear" and needed["estimate"] > 0:
            line += text("space", lang) + text(
                "needed",
                lang,
                n=number(needed["estimate"]),
                low=number(needed["low"]),
                high=number(needed["high"]),
            )
        lines.append(line)
    return lines or [text("note_unknown", lang)]


def _cost(facts: RunFacts, figures: Figures, lang: Lang) -> list[str]:
    additional = {row["arm"]: row for row in figures["cost"]["additional"]}
    lines = []
    for arm in figures["cost"]["arms"]:
        if facts.control and arm["arm"] == facts.control.name:
            continue
        extra = additional.get(arm["arm"])
        values = {
            "arm": facts.title_of(arm["arm"]),
            "yen": yen(arm["contact_yen"], lang),
        }
        if extra is None:
            lines.append(text("cost_contact_only", lang, **values))
            continue
        more = extra["additional_cost_yen"]
        key = "cost_contact" if more >= 0 else "cost_contact_less"
        line = text(key, lang, **values, extra=yen(abs(more), lang))
        # half a horizon's money against what contacts cost so far says nothing
        if more > 0 and facts.completeness is not Completeness.INTERIM:
            line += text("space", lang) + _cost_ratio(extra["cost_per_additional_yen"], lang)
        lines.append(line)
    return lines


def _cost_ratio(ratio: Figures | None, lang: Lang) -> str:
    if ratio is None:
        return text("cost_no_ratio", lang)
    said = text(
        "cost_ratio",
        lang,
        cost=yen(ratio["estimate"] * 1000, lang),
        low=yen(ratio["low"] * 1000, lang),
        high=yen(ratio["high"] * 1000, lang),
    )
    if ratio["high"] > VERY_UNCERTAIN * ratio["low"]:
        said += text("space", lang) + text("very_uncertain", lang)
    return said


def centre(load: Figures | None, lang: Lang) -> list[str]:
    """What happened to the centre's load; a description of before and after, not an effect."""
    if load is None or not load["totals"]:
        return [text("centre_none", lang)]
    by_name = {row["measure"]: row for row in load["comparison"]}
    days = load["working_days"]
    lines = [] if days["before"] and days["after"] else [text("centre_uncompared", lang)]
    for origin, measures in _CENTRE.items():
        missing = load["days_without_calls_after"].get(origin)
        if missing:
            lines.append(_not_compared(by_name[measures[0]], origin, missing, days["after"], lang))
        else:
            lines += [line for m in measures if (line := _measured(by_name[m], load, lang))]
    if days["before"] and days["after"]:
        lines.append(text("centre_caveat", lang))
        if load["training"]:
            lines.append(text("centre_training", lang))
    return lines


def _not_compared(row: Figures, origin: str, missing: int, after: int, lang: Lang) -> str:
    return text(
        "centre_incomplete",
        lang,
        stream=text(origin, lang),
        missing=missing,
        after=after,
        total_before=number(row["total_before"]),
        total_after=number(row["total_after"]),
    )


def _measured(row: Figures, load: Figures, lang: Lang) -> str | None:
    """Means with their unit, and the difference where one was estimated."""
    means = {
        period: text(f"{row['unit']}_n", lang, n=number(row[period], 1))
        for period in ("before", "after")
        if row[period] is not None
    }
    label = text(row["measure"], lang)
    difference = row["difference"]
    if difference is not None:
        return text(
            "centre_changed" if row["excludes_zero"] else "centre_unchanged",
            lang,
            measure=label,
            **means,
            diff=signed(difference["estimate"]),
            low=signed(difference["low"]),
            high=signed(difference["high"]),
        )
    if len(means) == 2:
        return text("centre_means", lang, measure=label, **means)
    if load["change"] is None and "after" in means:
        return text("centre_level", lang, measure=label, mean=means["after"])
    return next(
        (
            text("centre_one_period", lang, measure=label, period=text(period, lang), mean=mean)
            for period, mean in means.items()
        ),
        None,
    )
