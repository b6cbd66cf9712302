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
) -> dict[str, Any]:
    """Yen by arm and step, and per additional yen collected.

    ``parts`` are billed SMS parts by arm and step, ``comparisons`` those of ``payment``.
    """
    prices = facts.definition.costs
    calls = counts.rows("cost_calls", run_id=facts.id)
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
    totals = [_total(row, steps, caused.get(row["arm"]), prices) for row in arms]
    return {
        "prices": prices.model_dump(mode="json"),
        "steps": steps,
        "arms": totals,
        "additional": [_additional(c, totals) for c in comparisons],
        "counted_by": ["attempts", "cost_calls", "cost_letters", "cost_inbound", "arms"],
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


def _additional(comparison: Row, totals: list[Row]) -> Row:
    """What the arm cost and collected beyond what the holdout did, scaled to its own size.

    The ratio has an interval only where the additional yen are surely more than none; costs
    are taken as known, not estimated.
    """
    by_arm = {row["arm"]: row for row in totals}
    own, control = by_arm[comparison["arm"]], by_arm[comparison["control"]]
    n = own["clusters"]
    extra_cost = own["total_yen"] - control["total_yen"] / control["clusters"] * n
    amount = comparison["amount_difference"]
    result: Row = {
        "arm": comparison["arm"],
        "control": comparison["control"],
        "additional_cost_yen": round(extra_cost),
        "additional_collected_yen": None,
        "cost_per_additional_yen": None,
        "net_benefit_yen": None,
    }
    if amount is None:
        return result
    result["additional_collected_yen"] = {
        "estimate": round(amount["estimate"] * n),
        "low": round(amount["low"] * n),
        "high": round(amount["high"] * n),
        "method": f"{amount['method']} × clusters",
    }
    result["net_benefit_yen"] = {
        end: round(amount[end] * n - extra_cost) for end in ("estimate", "low", "high")
    } | {"method": "additional yen − additional cost, cost taken as known"}
    if amount["low"] > 0:
        bounds = sorted((extra_cost / (amount["low"] * n), extra_cost / (amount["high"] * n)))
        result["cost_per_additional_yen"] = {
            "estimate": extra_cost / (amount["estimate"] * n),
            "low": bounds[0],
            "high": bounds[1],
            "method": "additional cost / additional yen, cost taken as known",
        }
    return result
