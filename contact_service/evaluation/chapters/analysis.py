"""What the analysis found beside the primary outcome: other outcomes, balance, groups, centre."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation import charts
from contact_service.evaluation.chapters.payment import estimate, interval
from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.document.model import (
    Block,
    Cell,
    Column,
    Interval,
    Kind,
    Picture,
    Section,
    Table,
    Words,
)

Figures = dict[str, Any]
_SENSITIVITY = (
    "risk_difference_newcombe",
    "risk_difference_clustered",
    "risk_difference_stratified",
    "risk_difference_adjusted",
    "missing_bounds",
)
_AMOUNTS = ("amount_difference", "amount_difference_bootstrap", "amount_difference_winsorised",
            "amount_difference_adjusted")  # fmt: skip


def section(figures: Figures, voice: Voice) -> Section | None:
    """Everything that the design asked for; what the data cannot say is said in a sentence."""
    found = figures["analysis"]
    if found is None:
        return None
    t = voice.t
    blocks: list[Block] = [Words([t("analysis_lead")], "lead")]
    said = [_said(note, voice) for note in found["notes"]]
    if said:
        blocks.append(Words(said, "note"))
    blocks += [_outcomes(found, voice), _robust(found, voice), _amounts(found, voice)]
    blocks += _times(found, voice)
    blocks += _complier(found, voice)
    blocks += _load(found, voice)
    blocks += _subgroups(found, voice)
    blocks += _interim(found, voice)
    blocks.append(_balance(found, voice))
    return Section(
        "analysis", t("analysis"), blocks, found["counted_by"], f"{figures['rows']} households"
    )


def _said(note: dict[str, str], voice: Voice) -> str:
    """A note, its characteristic and group in words."""
    words, factor = note[voice.lang], note.get("factor")
    if arm := note.get("arm"):
        quoted = "「{}」" if voice.lang == "ja" else "{}"
        return words.replace(quoted.format(arm), quoted.format(voice.arm(arm).text), 1)
    if factor is None:
        return words
    group = note["group"]
    named = voice.t(f"factor_{factor}") + (f": {voice.group(factor, group)}" if group else "")
    return words.replace(f"{factor} {group}".rstrip(), named)


def _outcomes(found: Figures, voice: Voice) -> Table:
    t = voice.t
    levels = {arm["arm"]: arm["outcomes"] for arm in found["arms"]}
    rows: list[list[Cell]] = []
    for one in found["comparisons"]:
        for name, effect in one["outcomes"].items():
            own, other = levels[one["arm"]][name], levels[one["control"]][name]
            rows.append(
                [
                    voice.arm(one["arm"]),
                    t(name) + (t("primary_mark") if effect["role"] == "primary" else ""),
                    own["events"],
                    estimate(own["share"]),
                    estimate(other["share"]),
                    estimate(effect["risk_difference"]),
                    interval(effect["risk_difference"]),
                    effect["p_value"],
                    own["missing"],
                ]
            )
    return Table(
        t("outcomes_of_people"),
        (
            Column(t("arm")),
            Column(t("outcome_head")),
            Column(t("households"), Kind.COUNT),
            Column(t("share"), Kind.SHARE),
            Column(t("share_control"), Kind.SHARE),
            Column(t("difference"), Kind.POINTS),
            Column(t("interval"), Kind.POINTS),
            Column(t("p_head"), Kind.P_VALUE),
            Column(t("missing"), Kind.COUNT),
        ),
        rows,
        t("outcomes_of_people_lead"),
    )


def _robust(found: Figures, voice: Voice) -> Table:
    t = voice.t
    rows: list[list[Cell]] = []
    for one in found["comparisons"]:
        effect = one["outcomes"].get(one["primary"])
        if effect is None:
            continue
        for name in _SENSITIVITY:
            if effect[name]:
                rows.append([voice.arm(one["arm"]), t(name), estimate(effect[name]),
                             interval(effect[name])])  # fmt: skip
    return Table(
        t("robust_title"),
        (
            Column(t("arm")),
            Column(t("way")),
            Column(t("difference"), Kind.POINTS),
            Column(t("interval"), Kind.POINTS),
        ),
        rows,
        t("robust_lead"),
    )


def _amounts(found: Figures, voice: Voice) -> Table:
    t = voice.t
    rows: list[list[Cell]] = [
        [voice.arm(one["arm"]), t(name), estimate(effect[name]), interval(effect[name])]
        for one in found["comparisons"]
        for effect in one["amounts"].values()
        for name in _AMOUNTS
        if effect[name]
    ]
    return Table(
        t("amount_head"),
        (
            Column(t("arm")),
            Column(t("way")),
            Column(t("difference_yen"), Kind.YEN),
            Column(t("interval"), Kind.YEN),
        ),
        rows,
    )


def _times(found: Figures, voice: Voice) -> list[Block]:
    t = voice.t
    rows: list[list[Cell]] = []
    for one in found["comparisons"]:
        for effect in one["times"].values():
            rows.append(
                [
                    voice.arm(one["arm"]),
                    estimate(effect["hazard"]),
                    interval(effect["hazard"]),
                    estimate(effect["rmst_difference"]),
                    interval(effect["rmst_difference"]),
                    effect["p_value"],
                ]
            )
    if not rows:
        return [Words([t("times_none")])]
    return [
        Table(
            t("times_title"),
            (
                Column(t("arm")),
                Column(t("hazard"), Kind.DECIMAL, 2),
                Column(t("interval"), Kind.DECIMAL, 2),
                Column(t("rmst"), Kind.SIGNED, 1),
                Column(t("interval"), Kind.SIGNED, 1),
                Column(t("p_log_rank"), Kind.P_VALUE),
            ),
            rows,
            t("times_lead"),
        )
    ]


def _complier(found: Figures, voice: Voice) -> list[Block]:
    t = voice.t
    rows: list[list[Cell]] = [
        [
            voice.arm(one["arm"]),
            effect["first_stage"],
            estimate(effect["effect"]),
            interval(effect["effect"]),
            effect["f_statistic"],
        ]
        for one in found["comparisons"]
        for effect in one["complier"].values()
    ]
    if not rows:
        return [Words([t("complier_none")])]
    return [
        Table(
            t("complier_title"),
            (
                Column(t("arm")),
                Column(t("reached_more"), Kind.POINTS),
                Column(t("difference"), Kind.POINTS),
                Column(t("interval"), Kind.POINTS),
                Column("F", Kind.DECIMAL, 1),
            ),
            rows,
            t("complier_lead"),
        )
    ]


def _load(found: Figures, voice: Voice) -> list[Block]:
    """Effects on the centre, from the trial itself: per 1,000 households by arm."""
    t = voice.t
    levels = {arm["arm"]: arm["load_per_1000"] for arm in found["arms"]}
    rows: list[list[Cell]] = []
    for one in found["comparisons"]:
        for name, effect in one["load_per_1000"].items():
            factor = 3600 if name.endswith("seconds") else 1
            ends = interval(effect)
            rows.append(
                [
                    voice.arm(one["arm"]),
                    t(f"per_1000_{name}"),
                    _divided(levels[one["arm"]][name], factor),
                    _divided(levels[one["control"]][name], factor),
                    _divided(effect["estimate"] if effect else None, factor),
                    Interval(ends.low / factor, ends.high / factor) if ends else None,
                ]
            )
    return [
        Table(
            t("per_1000_title"),
            (
                Column(t("arm")),
                Column(t("per_1000_measure")),
                Column(t("in_arm"), Kind.DECIMAL, 1),
                Column(t("in_control"), Kind.DECIMAL, 1),
                Column(t("per_1000_difference"), Kind.SIGNED, 1),
                Column(t("interval"), Kind.SIGNED, 1),
            ),
            rows,
            t("per_1000_lead"),
        )
    ]


def _divided(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _subgroups(found: Figures, voice: Voice) -> list[Block]:
    t = voice.t
    if not found["subgroups"]:
        return []
    rows: dict[str, list[list[Cell]]] = {}
    drawn: list[Figures] = []
    for one in found["subgroups"]:
        label, factor = voice.arm(one["arm"]).text, t(f"factor_{one['factor']}")
        for group in one["groups"]:
            name = voice.group(one["factor"], group["group"])
            rows.setdefault(label, []).append(
                [
                    factor,
                    name,
                    group["n"],
                    group["total"],
                    group["control_n"],
                    group["control_total"],
                    estimate(group["effect"]),
                    interval(group["effect"]),
                    one["p_value"],
                    one["p_adjusted"],
                ]
            )
            if group["effect"]:
                drawn.append({"arm": label, "group": name, "factor": factor, **group["effect"]})
    blocks: list[Block] = []
    if drawn:
        picture = partial(charts.subgroups, drawn, voice)
        blocks.append(
            Picture(t("subgroups_title"), picture, t("subgroups_title"), t("subgroups_lead"))
        )
    columns = (
        Column(t("factor")),
        Column(t("group")),
        Column(t("n_arm"), Kind.COUNT),
        Column(t("paid_arm"), Kind.COUNT),
        Column(t("n_control"), Kind.COUNT),
        Column(t("paid_control"), Kind.COUNT),
        Column(t("difference"), Kind.POINTS),
        Column(t("interval"), Kind.POINTS),
        Column(t("p_interaction"), Kind.P_VALUE),
        Column(t("p_bh"), Kind.P_VALUE),
    )
    blocks += [
        Table(
            f"{t('subgroups_table')}{t('colon')}{arm}",
            columns,
            of,
            "" if n else t("subgroups_lead"),
            folded=True,
        )
        for n, (arm, of) in enumerate(rows.items())
    ]
    return blocks


def _interim(found: Figures, voice: Voice) -> list[Block]:
    interim, t = found["interim"], voice.t
    if not interim:
        return []
    said = [
        t(
            "look_crossed" if one["crossed"] else "look_not_crossed",
            arm=voice.arm(one["arm"]).text,
            look=interim["look"],
            looks=len(interim["looks"]),
        )
        for one in interim.get("monitored", [])
    ]
    bound = interim["looks"][interim["look"] - 1]["bound"]
    rows: list[list[Cell]] = [
        [
            voice.arm(one["arm"]),
            f"{interim['look']} / {len(interim['looks'])}",
            one["z"],
            bound,
            interval(one["interval"]),
            one["p_value"],
        ]
        for one in interim["monitored"]
        if one["measure"] in found["comparisons"][0]["outcomes"]
    ]
    columns = (
        Column(t("arm")),
        Column(t("look_head")),
        Column(t("look_z"), Kind.DECIMAL, 2),
        Column(t("look_bound"), Kind.DECIMAL, 2),
        Column(t("look_interval"), Kind.POINTS),
        Column(t("look_p"), Kind.P_VALUE),
    )
    return [Words(said), Table(t("looks_title"), columns, rows, t("looks_lead"))]


def _balance(found: Figures, voice: Voice) -> Table:
    t = voice.t
    arms = [arm["arm"] for arm in found["arms"]]
    treated = [arm for arm in arms if arm != found["control"]]
    columns = [Column(t("factor")), Column(t("group"))]
    columns += [Column(voice.arm(arm).text, Kind.DECIMAL, 3) for arm in arms]
    columns += [
        Column(f"{t('standardised')}: {voice.arm(arm).text}", Kind.SIGNED, 3) for arm in treated
    ]
    rows = [
        [
            t(f"factor_{line['name']}"),
            voice.group(line["name"], line["group"]) if line["group"] else t("mean"),
            *(line["values"].get(arm) for arm in arms),
            *(line["standardised_differences"].get(arm) for arm in treated),
        ]
        for line in found["balance"]
    ]
    return Table(t("balance_title"), columns, rows, t("balance_lead"), folded=True)
