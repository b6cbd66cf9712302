"""Ten lines that say what the demo did."""

from __future__ import annotations

from typing import Any

from campaigns.vocabulary import CHANNEL_JA, OUTCOME_JA, Channel, Outcome
from contact_service.demo.run import Finished
from contact_service.evaluation.disclosure import HIDDEN
from contact_service.evaluation.wording import number


def summary(finished: Finished) -> list[str]:
    """The lines, ready to print."""
    flow, payment = finished.figures["flow"], finished.figures["payment"]
    files = finished.imported
    new = {kind: f"{report.counts.accepted:,}" for kind, report in files.items()}
    rejected = sum(report.counts.rejected for report in files.values())
    clusters = sum(arm["clusters"] for arm in flow["arms"])
    return [
        "",
        f"取込    : 債権 {new['claims']}・制限 {new['restrictions']}・収納 {new['payments']}・"
        f"通話 {new['calls']} 件（不備 {rejected} 行は修正用ファイルへ）",
        f"対象    : 滞納者 {flow['assessed_debtors']:,} 人のうち {flow['randomised_debtors']:,} 人"
        f"（{clusters:,} 世帯）を無作為割付、対象外 {flow['excluded_debtors']:,} 人",
        *(_step(step) for step in finished.figures["contacts"]["outcomes"]),
        f"事業者  : 受付 {finished.accepted:,} 件、同じ発信の重複 {finished.most_often - 1} 件",
        *(_comparison(item) for item in payment["comparisons"]),
        f"センター: {_centre(finished.figures['load'])}",
        f"報告書  : {finished.report}（{finished.seconds:.0f} 秒）",
    ]


def _step(step: dict[str, Any]) -> str:
    """Small numbers are withheld in the figures, and come last here."""
    waiting = f"、不明 {number(step['unknown'])}" if step["unknown"] else ""
    outcomes = sorted(
        step["outcomes"].items(), key=lambda item: 0 if item[1] == HIDDEN else -item[1]
    )
    most = "、".join(f"{OUTCOME_JA[Outcome(name)]} {number(count)}" for name, count in outcomes[:3])
    return f"{CHANNEL_JA[Channel(step['channel'])]}: {number(step['made'])} 件（{most}{waiting}）"


def _comparison(item: dict[str, Any]) -> str:
    difference = item["risk_difference"]
    if difference is None:
        return f"納付    : {item['arm']} と対照群の差は、人数が少ないため示さない"
    low, high = (100 * difference[name] for name in ("low", "high"))
    told = "" if item["excludes_zero"] else "、偶然と区別できない"
    return (
        f"納付    : {item['arm']} は対照群より {100 * difference['estimate']:+.1f} ポイント"
        f"（95％信頼区間 {low:+.1f}～{high:+.1f}{told}）"
    )


def _centre(load: dict[str, Any]) -> str:
    by_measure = {item["measure"]: item for item in load["comparison"]}
    inbound = by_measure["inbound_calls"]
    return f"1日の受電 {inbound['before']:.0f}（記録）→ {inbound['after']:.0f} 件（模擬）"
