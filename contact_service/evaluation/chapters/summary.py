"""The figures in sentences. What an interval cannot tell from chance is said to be so."""

from __future__ import annotations

from typing import Any

from contact_service.domain.states import RunState
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.facts import Completeness, RunFacts
from contact_service.evaluation.trial.before_after import FEWEST
from contact_service.evaluation.wording import number, p_value, percent, points, signed

#: Below this the sample ratio is called a mismatch: it is a test of the machinery, looked at
#: in every run, so only strong evidence should raise the alarm.
RATIO_ALARM = 0.01
#: An interval of a cost whose ends differ by more than this factor says next to nothing.
VERY_UNCERTAIN = 20
#: What is said of the centre, by stream.
_CENTRE = {
    "resident": ("inbound_calls", "inbound_answered", "inbound_abandoned", "inbound_agent_hours"),
    "operator": ("operator_calls", "operator_agent_hours"),
}

Figures = dict[str, Any]


def summary(facts: RunFacts, figures: Figures, voice: Voice) -> dict[str, list[str]]:
    """Sentences by question: notes, tried, happened, sure, cost, centre, do."""
    if facts.state == RunState.SCHEDULED:
        nothing = [voice.t("not_started")]
        return {
            "notes": [voice.t("note_planned", start=voice.day(facts.start_day))],
            "tried": _tried(facts, figures, voice),
            **dict.fromkeys(("happened", "sure", "cost", "centre", "do"), nothing),
        }
    return {
        "notes": _notes(facts, figures, voice),
        "tried": _tried(facts, figures, voice),
        "happened": _happened(facts, figures, voice),
        "sure": _sure(facts, figures, voice),
        "cost": _cost(facts, figures, voice),
        "centre": centre(figures["load"], voice),
        "do": advice(facts, figures, voice),
    }


def _notes(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    run, flow, ratio = figures["run"], figures["flow"], figures["payment"]["sample_ratio"]
    notes = [
        voice.t(
            f"note_{facts.completeness}",
            known=voice.day(run["payments_known_until"]),
            complete=voice.day(run["payments_complete_until"]),
            last=voice.day(run["horizon_last_day"]),
            days=run["days_observed"],
        )
    ]
    if flow["unaccounted_debtors"]:
        notes.append(voice.t("note_gap", gap=signed(flow["unaccounted_debtors"], 0)))
    if flow["clusters_in_two_arms"]:
        notes.append(voice.t("note_two_arms", n=number(flow["clusters_in_two_arms"])))
    kept = figures["registration"]
    if kept and (kept["departures"] or not kept["intact"]):
        notes.append(voice.t("note_departs"))
    if ratio and ratio["p_value"] < RATIO_ALARM:
        notes.append(voice.t("note_ratio", p=p_value(ratio["p_value"])))
    return notes


def _tried(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    flow, definition = figures["flow"], facts.definition
    lines = [
        voice.t(
            "planned" if facts.state == RunState.SCHEDULED else "tried",
            as_of=voice.day(facts.as_of),
            assessed=number(flow["assessed_debtors"]),
            excluded=number(flow["excluded_debtors"]),
            people=number(flow["randomised_debtors"]),
            clusters=number(flow["randomised_clusters"]),
            arms=len(flow["arms"]),
            start=voice.day(facts.start_day),
            days=definition.trial.horizon_days,
        )
    ]
    for arm in flow["arms"]:
        steps = [
            voice.t(
                "step_after" if step.start.after_days else "step_at_once",
                channel=voice.name("channel", step.channel.value),
                days=step.start.after_days,
            )
            for step in definition.steps
            if arm["arm"] in definition.arms_of(step)
        ]
        lines.append(
            voice.t(
                "steps_of_arm",
                arm=voice.arm(arm["arm"]).text,
                steps=" → ".join(steps) or voice.t("nothing_done"),
            )
        )
    return lines


def _happened(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    if facts.completeness is Completeness.UNKNOWN:
        return [voice.t("note_unknown")]
    outcome = figures["payment"]["primary_outcome"]
    levels = [
        voice.t(
            "level",
            arm=voice.arm(arm["arm"]).text,
            share=percent(arm[outcome]["estimate"]),
            n=number(arm["clusters"]),
            paid=number(arm[outcome]["clusters"]),
        )
        for arm in figures["payment"]["arms"]
    ]
    return [voice.t(f"levels_{outcome}", levels=voice.t("comma").join(levels))]


def verdict(facts: RunFacts, comparison: Figures) -> str:
    """Of the primary outcome: ``clear``, ``unsure`` (only before adjusting) or ``chance``;
    ``interim`` while the horizon is not over, for looking early and often finds too much;
    ``withheld`` where too few paid, or did not, to tell."""
    if comparison["withheld"]:
        return "withheld"
    if facts.completeness is Completeness.INTERIM:
        return "interim"
    if not comparison["excludes_zero"]:
        return "chance"
    return "clear" if comparison["p_adjusted"] < facts.definition.trial.alpha else "unsure"


def _sure(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    if facts.control is None:
        return [voice.t("no_control")]
    lines = []
    for comparison in figures["payment"]["comparisons"]:
        said = verdict(facts, comparison)
        names = {
            "arm": voice.arm(comparison["arm"]).text,
            "control": voice.arm(comparison["control"]).text,
        }
        if said == "withheld":
            lines.append(voice.t("effect_withheld", **names))
            continue
        difference = comparison["risk_difference"]
        line = voice.t(
            f"effect_{said}",
            **names,
            diff=points(difference["estimate"]),
            low=points(difference["low"]),
            high=points(difference["high"]),
            p=p_value(comparison["p_adjusted"]),
        )
        if said == "interim" and (crossed := _crossed(facts, figures, comparison["arm"])):
            ends = crossed["interval"]
            line += voice.t("space") + voice.t(
                "effect_may_stop", low=points(ends["low"]), high=points(ends["high"])
            )
        needed = comparison["number_needed_to_contact"]
        if needed and said == "clear" and needed["estimate"] > 0:
            line += voice.t("space") + voice.t(
                "needed",
                n=number(needed["estimate"]),
                low=number(needed["low"]),
                high=number(needed["high"]),
            )
        lines.append(line)
    return lines or [voice.t("note_unknown")]


def _crossed(facts: RunFacts, figures: Figures, arm: str) -> Figures | None:
    """The comparison of an arm that has crossed the bound of a planned look that has come."""
    interim = (figures["analysis"] or {}).get("interim")
    days = facts.definition.trial.looks
    if not interim or not days or days[0] > facts.days_complete:
        return None
    return next(
        (
            one
            for one in interim["monitored"]
            if (one["arm"], one["crossed"]) == (arm, True) and one["interval"]
            and one["measure"] == figures["payment"]["primary_outcome"]
        ),
        None,
    )  # fmt: skip


def _cost(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    additional = {row["arm"]: row for row in figures["cost"]["additional"]}
    lines = []
    for arm in figures["cost"]["arms"]:
        if facts.control and arm["arm"] == facts.control.name:
            continue
        extra = additional.get(arm["arm"])
        values = {
            "arm": voice.arm(arm["arm"]).text,
            "yen": voice.yen(arm["contact_yen"]),
        }
        if extra is None:
            lines.append(voice.t("cost_contact_only", **values))
            continue
        more = extra["additional_cost_yen"]
        key = "cost_contact" if more >= 0 else "cost_contact_less"
        line = voice.t(key, **values, extra=voice.yen(abs(more)))
        # half a horizon's money against what contacts cost so far says nothing
        if facts.completeness is not Completeness.INTERIM:
            if more > 0:
                line += voice.t("space") + _cost_ratio(extra["cost_per_additional_yen"], voice)
            if net := extra["net_benefit_yen"]:
                ends = {end: voice.yen(net[end]) for end in ("estimate", "low", "high")}
                line += voice.t("space") + voice.t("cost_net", **ends)
        lines.append(line)
    return lines


def advice(facts: RunFacts, figures: Figures, voice: Voice) -> list[str]:
    """What follows from it, in one sentence an arm; never more than the figures carry."""
    if facts.completeness in (Completeness.UNKNOWN, Completeness.INTERIM):
        return [voice.t("do_wait", last=voice.day(figures["run"]["horizon_last_day"]))]
    if not figures["payment"]["comparisons"]:
        return [voice.t("do_no_control")]
    net = {row["arm"]: row["net_benefit_yen"] for row in figures["cost"]["additional"]}
    lines = []
    for comparison in figures["payment"]["comparisons"]:
        said, arm = verdict(facts, comparison), comparison["arm"]
        if said == "clear":
            fewer = comparison["risk_difference"]["estimate"] < 0
            said = "harm" if fewer else _worth(net.get(arm))
        lines.append(voice.t(f"do_{said}", arm=voice.arm(arm).text))
    if facts.completeness is Completeness.PROVISIONAL:
        lines.append(voice.t("do_provisional"))
    return lines


def _worth(net: Figures | None) -> str:
    """Whether what was collected beyond the holdout surely exceeded what it cost."""
    if net is None:
        return "unpriced"
    if net["low"] > 0:
        return "worth"
    return "not_worth" if net["high"] < 0 else "unpriced"


def _cost_ratio(ratio: Figures | None, voice: Voice) -> str:
    if ratio is None:
        return voice.t("cost_no_ratio")
    said = voice.t(
        "cost_ratio",
        cost=voice.yen(ratio["estimate"] * 1000),
        low=voice.yen(ratio["low"] * 1000),
        high=voice.yen(ratio["high"] * 1000),
    )
    if ratio["high"] > VERY_UNCERTAIN * ratio["low"]:
        said += voice.t("space") + voice.t("very_uncertain")
    return said


def centre(load: Figures | None, voice: Voice) -> list[str]:
    """What happened to the centre's load; a description of before and after, not an effect."""
    if load is None or not load["totals"]:
        return [voice.t("centre_none")]
    by_name = {row["measure"]: row for row in load["comparison"]}
    days = load["working_days"]
    lines = [] if days["before"] and days["after"] else [voice.t("centre_uncompared")]
    for origin, measures in _CENTRE.items():
        missing = load["days_without_calls_after"].get(origin)
        if missing:
            lines.append(_not_compared(by_name[measures[0]], origin, missing, days["after"], voice))
        else:
            lines += [line for m in measures if (line := _measured(by_name[m], load, voice))]
    if days["before"] and days["after"]:
        lines += _said_of_all(load, voice)
        lines.append(voice.t("centre_caveat"))
        if load["training"]:
            lines.append(voice.t("centre_training"))
    return lines


def _said_of_all(load: Figures, voice: Voice) -> list[str]:
    """That the days do not allow an estimate, or a check of it."""
    keys = {one["key"] for row in load["comparison"] for one in row["notes"]}
    if "few_days" in keys:
        return [voice.t("centre_few_days", n=FEWEST)]
    return [voice.t("centre_no_placebos")] if "no_placebos" in keys else []


def _not_compared(row: Figures, origin: str, missing: int, after: int, voice: Voice) -> str:
    return voice.t(
        "centre_incomplete",
        stream=voice.t(origin),
        missing=missing,
        after=after,
        total_before=number(row["total_before"]),
        total_after=number(row["total_after"]),
    )


def _measured(row: Figures, load: Figures, voice: Voice) -> str | None:
    """Means with their unit, and the difference where one was estimated."""
    means = {
        period: voice.t(f"{row['unit']}_n", n=number(row[period], 1))
        for period in ("before", "after")
        if row[period] is not None
    }
    label = voice.t(row["measure"])
    change = row["change"]
    if change is not None:
        said = voice.t(
            "centre_changed" if row["excludes_one"] else "centre_unchanged",
            measure=label,
            **means,
            diff=points(change["estimate"] - 1),
            low=points(change["low"] - 1),
            high=points(change["high"] - 1),
        )
        if row["placebos_against"]:
            against = voice.t("centre_placebos", n=row["placebos_against"], of=len(row["placebos"]))
            said += voice.t("space") + against
        return said
    if len(means) == 2:
        return voice.t("centre_means", measure=label, **means)
    if load["change"] is None and "after" in means:
        return voice.t("centre_level", measure=label, mean=means["after"])
    return next(
        (
            voice.t("centre_one_period", measure=label, period=voice.t(period), mean=mean)
            for period, mean in means.items()
        ),
        None,
    )
