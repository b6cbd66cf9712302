"""The flow of participants (CONSORT 2010 with its extension to clusters) and the balance."""

from __future__ import annotations

from typing import Any

from contact_service.evaluation.chapters.voice import Voice
from contact_service.evaluation.document.model import (
    Block,
    Box,
    Column,
    Flow,
    Kind,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.wording import number, p_value, signed

Figures = dict[str, Any]


def section(figures: Figures, voice: Voice) -> Section:
    """Assessed, excluded, allotted, contacted, analysed; then the arms as they were made."""
    flow, payment = figures["flow"], figures["payment"]
    t = voice.t
    blocks: list[Block] = [Words([t("flow_lead")], "lead"), _diagram(figures, voice)]
    blocks.append(
        Table(
            t("balance_arms"),
            (
                Column(t("arm")),
                Column(t("households"), Kind.COUNT),
                Column(t("people"), Kind.COUNT),
                Column(t("claims"), Kind.COUNT),
                Column(t("claims_mean"), Kind.DECIMAL, 2),
                Column(t("outstanding"), Kind.YEN),
                Column(t("outstanding_mean"), Kind.YEN),
            ),
            [
                (
                    voice.arm(arm["arm"]),
                    arm["clusters"],
                    arm["debtors"],
                    arm["claims"],
                    _per(arm["claims"], arm["clusters"]),
                    arm["outstanding_yen"],
                    _per(arm["outstanding_yen"], arm["clusters"]),
                )
                for arm in flow["arms"]
            ],
        )
    )
    if payment["sample_ratio"]:
        blocks.append(Words([t("ratio_test", p=p_value(payment["sample_ratio"]["p_value"]))]))
    if payment["balance"]:
        blocks.append(
            Table(
                t("balance_strata"),
                (Column(t("stratum")), Column(t("arm")), Column(t("households"), Kind.COUNT)),
                [
                    (voice.stratum(row["stratum"]), voice.arm(row["arm"]), row["clusters"])
                    for row in sorted(payment["balance"], key=lambda row: str(row["stratum"]))
                ],
                folded=True,
            )
        )
    return Section("flow", t("flow"), blocks, flow["counted_by"], f"{figures['rows']} households")


def _per(sum_: Any, n: Any) -> float | None:
    return sum_ / n if isinstance(sum_, int) and isinstance(n, int) and n else None


def _diagram(figures: Figures, voice: Voice) -> Flow:
    flow, t = figures["flow"], voice.t
    excluded = [
        f"{voice.name('exclusion', row['reason'])} {number(row['debtors'])}"
        for row in flow["excluded"]
    ]
    if flow["unaccounted_debtors"]:
        excluded.append(f"{t('unaccounted')} {signed(flow['unaccounted_debtors'], 0)}")
    clusters = t("households_n", n=number(flow["randomised_clusters"]))
    return Flow(
        Box(
            t("assessed"),
            [
                t("people_n", n=number(flow["assessed_debtors"]))
                + " · "
                + t("claims_n", n=number(flow["assessed_claims"]))
            ],
        ),
        Box(
            f"{t('excluded')} {t('people_n', n=number(flow['excluded_debtors']))}",
            excluded,
        ),
        Box(
            t("randomised"),
            [t("people_n", n=number(flow["randomised_debtors"])) + " · " + clusters],
        ),
        [_lane(arm, figures["contacts"]["by_arm_and_step"], voice) for arm in flow["arms"]],
    )


def _lane(arm: Figures, steps: list[Figures], voice: Voice) -> list[Box]:
    label, t = voice.arm(arm["arm"]), voice.t
    own = [row for row in steps if row["arm"] == arm["arm"]]
    return [
        Box(
            label.text,
            [
                t("households_n", n=number(arm["clusters"])),
                t("people_n", n=number(arm["debtors"]))
                + " · "
                + t("targets_n", n=number(arm["targets"])),
                voice.yen(arm["outstanding_yen"]),
            ],
            label.colour,
        ),
        Box(
            t("followed"),
            [_contact(row, voice) for row in own] or [t("not_contacted")],
        ),
        Box(
            t("analysed_n", n=number(arm["clusters"])),
            [
                t("paid_n", n=number(arm["paid_something"])),
                t("full_n", n=number(arm["paid_in_full"])),
                voice.yen(arm["paid_yen"]),
            ],
            label.colour,
        ),
    ]


def _contact(row: Figures, voice: Voice) -> str:
    return voice.t(
        "flow_contact_sms" if row["channel"] == "sms" else "flow_contact",
        step=row["step"],
        channel=voice.name("channel", row["channel"]),
        planned=number(row["planned"]),
        contacted=number(row["contacted"]),
        reached=number(row["reached"]),
        confirmed=number(row["confirmed"]),
    )
