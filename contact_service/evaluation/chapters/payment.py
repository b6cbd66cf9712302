"""What the arms paid, and what can be said of the difference."""

from __future__ import annotations

from functools import partial
from typing import Any

from contact_service.evaluation import charts
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


def section(figures: Figures, voice: Voice) -> Section:
    """Curves, levels, differences and break-downs."""
    payment, t = figures["payment"], voice.t
    blocks: list[Block] = []
    if not payment["curves"]:
        blocks.append(Words([t("note_unknown")]))
    else:
        blocks += [*_curve(figures, voice), _levels(payment, voice), _days(payment, voice)]
        blocks += _differences(payment, voice)
        blocks.append(_by_period(payment, voice))
        if payment["by_kind"]:
            blocks.append(_by_kind(payment, voice))
    return Section(
        "payment", t("payment"), blocks, payment["counted_by"], f"{figures['rows']} payments"
    )


def interval(found: Figures | None) -> Interval | None:
    """The interval of an estimate, where there is one."""
    if found is None or found.get("low") is None or found.get("high") is None:
        return None
    return Interval(found["low"], found["high"])


def estimate(found: Figures | None) -> Cell:
    """The estimate itself."""
    return None if found is None else found["estimate"]


def _curve(figures: Figures, voice: Voice) -> list[Block]:
    payment, t = figures["payment"], voice.t
    outcome = payment["primary_outcome"]
    drawn = partial(
        charts.payment_curve,
        payment["curves"],
        outcome,
        figures["run"]["horizon_days"],
        voice,
    )
    lead = [t("curve_lead")]
    if any(not row["complete"] for row in payment["curves"]):
        lead.append(t("curve_grey"))
    if any(row["carried_forward"] for row in payment["curves"]):
        lead.append(t("curve_coarse"))
    title = f"{t('curve_title')} – {t(outcome)}"
    return [Picture(title, drawn, t("curve_alt"), t("space").join(lead))]


def _levels(payment: Figures, voice: Voice) -> Table:
    t = voice.t
    columns = [Column(t("arm")), Column(t("households"), Kind.COUNT)]
    for outcome in ("paid_something", "paid_in_full"):
        columns += [
            Column(t(outcome), Kind.COUNT),
            Column(t("share"), Kind.SHARE),
            Column(t("interval"), Kind.SHARE),
        ]
    columns += [Column(t("collected"), Kind.YEN), Column(t("collected_mean"), Kind.YEN)]
    rows = []
    for arm in payment["arms"]:
        row: list[Cell] = [voice.arm(arm["arm"]), arm["clusters"]]
        for outcome in ("paid_something", "paid_in_full"):
            level = arm[outcome]
            row += [level["clusters"], level["estimate"], interval(level)]
        rows.append([*row, arm["paid_yen"], arm["paid_yen_per_cluster"]])
    return Table(t("levels_title"), columns, rows)


def _days(payment: Figures, voice: Voice) -> Table:
    t, outcome = voice.t, payment["primary_outcome"]
    return Table(
        f"{t('numbers')}: {t('curve_title')}",
        (
            Column(t("day_head"), Kind.COUNT),
            Column(t("date_head"), Kind.DAY),
            Column(t("state")),
            Column(t("arm")),
            Column(t(outcome), Kind.COUNT),
            Column(t("share"), Kind.SHARE),
            Column(t("interval"), Kind.SHARE),
            Column(t("collected"), Kind.YEN),
        ),
        [
            (
                row["day"] + 1,
                row["date"],
                t("complete" if row["complete"] else "incomplete"),
                voice.arm(row["arm"]),
                row[outcome]["clusters"],
                row[outcome]["estimate"],
                interval(row[outcome]),
                row["paid_yen"],
            )
            for row in sorted(payment["curves"], key=lambda row: int(row["day"]))
        ],
        folded=True,
    )


def _differences(payment: Figures, voice: Voice) -> list[Block]:
    t, compared = voice.t, payment["comparisons"]
    if not compared:
        return [Words([t("no_control")])]
    blocks: list[Block] = []
    if any(found["risk_difference"] for row in compared for found in row["outcomes"].values()):
        drawn = partial(charts.forest, compared, voice)
        blocks.append(Picture(t("forest_title"), drawn, t("forest_alt"), t("forest_lead")))
    rows: list[list[Cell]] = []
    for row in compared:
        for outcome, found in row["outcomes"].items():
            first = outcome == payment["primary_outcome"]
            rows.append(
                [
                    voice.arm(row["arm"]),
                    t(outcome) + (t("primary_mark") if first else ""),
                    estimate(found["risk_difference"]),
                    interval(found["risk_difference"]),
                    estimate(found["risk_ratio"]),
                    interval(found["risk_ratio"]),
                    found["p_value"],
                    row["p_adjusted"] if first else None,
                    estimate(found["number_needed_to_contact"]),
                    interval(found["number_needed_to_contact"]),
                ]
            )
    columns = (
        Column(t("arm")),
        Column(t("outcome_head")),
        Column(t("difference"), Kind.POINTS),
        Column(t("interval"), Kind.POINTS),
        Column(t("ratio"), Kind.DECIMAL, 2),
        Column(t("interval"), Kind.DECIMAL, 2),
        Column(t("p_head"), Kind.P_VALUE),
        Column(t("p_adjusted"), Kind.P_VALUE),
        Column(t("needed_head"), Kind.DECIMAL, 1),
        Column(t("interval"), Kind.DECIMAL, 1),
    )
    blocks.append(Table(t("forest_title"), columns, rows, t("needed_lead")))
    amounts = [row for row in compared if row["amount_difference"]]
    if amounts:
        blocks.append(
            Table(
                t("amount_head"),
                (
                    Column(t("arm")),
                    Column(t("amount_head"), Kind.YEN),
                    Column(t("interval"), Kind.YEN),
                ),
                [
                    (
                        voice.arm(row["arm"]),
                        estimate(row["amount_difference"]),
                        interval(row["amount_difference"]),
                    )
                    for row in amounts
                ],
            )
        )
    return blocks


def _by_period(payment: Figures, voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("by_period"),
        (
            Column(t("arm")),
            Column(t("period")),
            Column(t("people"), Kind.COUNT),
            Column(t("claims"), Kind.COUNT),
            Column(t("outstanding"), Kind.YEN),
            Column(t("collected"), Kind.YEN),
            Column(t("rate"), Kind.SHARE),
        ),
        [
            (
                voice.arm(row["arm"]),
                voice.name("period", row["period"]),
                row["debtors"],
                row["claims"],
                row["outstanding_yen"],
                row["paid_yen"],
                row["rate"],
            )
            for row in payment["by_period"]
        ],
        t("by_period_lead"),
    )


def _by_kind(payment: Figures, voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("by_kind"),
        (
            Column(t("kind")),
            Column(t("arm")),
            Column(t("households"), Kind.COUNT),
            Column(t("paid_something"), Kind.COUNT),
            Column(t("share"), Kind.SHARE),
            Column(t("interval"), Kind.SHARE),
        ),
        [
            (
                voice.name("kind", row["kind"]),
                voice.arm(row["arm"]),
                row["clusters"],
                row["paid_something"],
                row["share"],
                Interval(*row["interval"]) if row["interval"] else None,
            )
            for row in payment["by_kind"]
        ],
        t("by_kind_lead"),
    )
