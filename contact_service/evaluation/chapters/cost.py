"""What the arms cost, and what an additional yen cost."""

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
from contact_service.evaluation.wording import number

Figures = dict[str, Any]


def section(figures: Figures, voice: Voice) -> Section:
    """Yen by arm and step, and for each additional yen collected."""
    cost, t = figures["cost"], voice.t
    prices = cost["prices"]
    lead = t(
        "cost_lead",
        sms=number(prices["sms_part_yen"], 1),
        call=number(prices["call_minute_yen"], 1),
        operator=number(prices["operator_hour_yen"]),
        letter=number(prices["letter_yen"]),
    )
    blocks: list[Block] = [Words([lead], "lead")]
    if any(row["total_yen"] for row in cost["arms"]):
        drawn = partial(charts.costs, cost["arms"], voice)
        blocks.append(Picture(t("cost_title"), drawn, t("cost_alt")))
    blocks.append(_arms(cost, voice))
    if cost["steps"]:
        blocks.append(_steps(cost, voice))
    if cost["additional"]:
        blocks.append(_additional(cost, voice))
    return Section("cost", t("cost"), blocks, cost["counted_by"], f"{figures['rows']} calls")


def _arms(cost: Figures, voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("cost_title"),
        (
            Column(t("arm")),
            Column(t("contact_cost"), Kind.YEN),
            Column(t("inbound_cost"), Kind.YEN),
            Column(t("total_cost"), Kind.YEN),
            Column(t("per_household"), Kind.YEN),
        ),
        [
            (
                voice.arm(row["arm"]),
                row["contact_yen"],
                row["inbound_yen"],
                row["total_yen"],
                row["total_yen"] / row["clusters"] if isinstance(row["clusters"], int) else None,
            )
            for row in cost["arms"]
        ],
    )


def _steps(cost: Figures, voice: Voice) -> Table:
    t = voice.t
    return Table(
        t("cost_steps"),
        (
            Column(t("step")),
            Column(t("arm")),
            Column(t("unit_head")),
            Column(t("amount"), Kind.DECIMAL, 1),
            Column(t("yen"), Kind.YEN),
        ),
        [
            (
                voice.step(row["step"]),
                voice.arm(row["arm"]),
                t(row["measure"]),
                row["amount"],
                row["yen"],
            )
            for row in cost["steps"]
        ],
    )


def _additional(cost: Figures, voice: Voice) -> Table:
    t = voice.t
    rows: list[list[Cell]] = []
    for row in cost["additional"]:
        ratio, net = row["cost_per_additional_yen"], row["net_benefit_yen"]
        rows.append(
            [
                voice.arm(row["arm"]),
                row["additional_cost_yen"],
                estimate(row["additional_collected_yen"]),
                interval(row["additional_collected_yen"]),
                ratio["estimate"] * 1000 if ratio else t("cannot_tell"),
                Interval(ratio["low"] * 1000, ratio["high"] * 1000) if ratio else None,
                estimate(net),
                interval(net),
            ]
        )
    return Table(
        t("additional_title"),
        (
            Column(t("arm")),
            Column(t("additional_cost"), Kind.YEN),
            Column(t("additional_collected"), Kind.YEN),
            Column(t("interval"), Kind.YEN),
            Column(t("per_additional"), Kind.YEN),
            Column(t("interval"), Kind.YEN),
            Column(t("net_benefit"), Kind.YEN),
            Column(t("interval"), Kind.YEN),
        ),
        rows,
    )
