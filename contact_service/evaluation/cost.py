"""What the arms cost, and what an additional yen collected cost.

Prices come from the definition. What a contact makes the centre do counts as well: operators'
time on calls from targets' own numbers, in the holdout too, so that only the difference is
charged to the campaign.
"""

from __future__ import annotations

from typing import Any

from campaigns.definition import Costs
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.facts import RunFacts


def cost(
    counts: Counts,
    facts: RunFacts,
    arms: list[Row],
    parts: list[Row],
    comparisons: list[Row],
    analysis: Row | None,
) -> dict[str, Any]:
    """Yen by arm and step, and per additional yen collected.

    ``parts`` are billed SMS parts by arm and step, ``comparisons`` those of ``payment``,
    ``analysis`` is the whole run's.
    """
    prices = facts.definition.costs
    calls = counts.rows("cost_calls")
    inbound = counts.rows(
        "cost_inbound",
        run_id=facts.id,
        start_day=facts.start_day,
        horizon_end=facts.horizon_end,
    )
    steps = [
        *(_message_row(row, prices) for row in parts),
        *(_call_row(row, prices) for row in calls),
        *(_letter_row(row, prices) for row in counts.rows("cost_letters", run_id=facts.id)),
    ]
    order = {step.name: n for n, step in enumerate(facts.definition.steps)}
    places = {arm: n for n, arm in enumerate(facts.in_order({row["arm"] for row in arms}))}
    steps.sort(key=lambda row: (order.get(row["step"], len(order)), places.get(row["arm"], 0)))
    caused = {row["arm"]: row for row in inbound}
    money = {(c["arm"], c["control"]): c["money"] for c in (analysis or {}).get("comparisons", ())}
    totals = [_total(row, steps, caused.get(row["arm"]), prices) for row in arms]
    return {
        "prices": prices.model_dump(mode="json"),
        "steps": steps,
        "arms": totals,
        "additional": [
            _additional(c, totals, money.get((c["arm"], c["control"]))) for c in comparisons
        ],
        "counted_by": [
            "attempts",
            "cost_calls",
            "cost_letters",
            "cost_inbound",
            "arms",
            "prepare_attempts",
            "prepare_talks",
            *(("units",) if analysis else ()),
        ],
    }


def _message_row(row: Row, prices: Costs) -> Row:
    return {
        "arm": row["arm"],
        "step": row["step"],
        "measure": "sms_parts",
        "amount": row["parts"],
        "yen": round(row["parts"] * prices.sms_part_yen),
    }


def _call_row(row: Row, prices: Costs) -> Row:
    if row["origin"] == "auto_call":
        measure, amount, yen = "call_minutes", row["minutes"], prices.call_minute_yen
    else:
        measure, amount = "operator_hours", row["handle_seconds"] / 3600
        yen = prices.operator_hour_yen
    return {
        "arm": row["arm"],
        "step": row["step"],
        "measure": measure,
        "amount": amount,
        "yen": round(amount * yen),
    }


def _letter_row(row: Row, prices: Costs) -> Row:
    return {
        "arm": row["arm"],
        "step": row["step"],
        "measure": "letters",
        "amount": row["letters"],
        "yen": round(row["letters"] * prices.letter_yen),
    }


def _total(arm: Row, steps: list[Row], inbound: Row | None, prices: Costs) -> Row:
    contact = sum(row["yen"] for row in steps if row["arm"] == arm["arm"])
    hours = inbound["handle_seconds"] / 3600 if inbound else 0.0
    return {
        "arm": arm["arm"],
        "clusters": arm["clusters"],
        "contact_yen": contact,
        "inbound_calls": inbound["calls"] if inbound else 0,
        "inbound_hours": hours,
        "inbound_yen": round(hours * prices.operator_hour_yen),
        "total_yen": contact + round(hours * prices.operator_hour_yen),
    }


def _additional(comparison: Row, totals: list[Row], money: Row | None) -> Row:
    """What the arm cost and collected beyond what the holdout did, scaled to its own size.

    ``money`` is what the analysis makes of both together, for one unit; ``None``: nothing. The
    ratio is told only where its interval has both ends: without them the arm may have collected
    nothing more.
    """
    by_arm = {row["arm"]: row for row in totals}
    own, control = by_arm[comparison["arm"]], by_arm[comparison["control"]]
    n = own["clusters"]
    found = money or {}
    ratio = found.get("cost_per_additional_yen")
    bounded = ratio and ratio["low"] is not None and ratio["high"] is not None
    return {
        "arm": comparison["arm"],
        "control": comparison["control"],
        "additional_cost_yen": round(
            own["total_yen"] - control["total_yen"] / control["clusters"] * n
        ),
        "additional_cost_interval": _scaled(found.get("additional_cost_yen"), n),
        "additional_collected_yen": _scaled(found.get("additional_yen"), n),
        "cost_per_additional_yen": ratio if bounded else None,
        "net_benefit_yen": _scaled(found.get("net_benefit_per_1000"), n / 1000),
    }


def _scaled(found: Row | None, by: float) -> Row | None:
    """An estimate of one unit as that of all."""
    if found is None:
        return None
    return found | {end: round(found[end] * by) for end in ("estimate", "low", "high")}
