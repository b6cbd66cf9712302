"""What the arms paid, and what can be said of the difference. Intention to treat: every
cluster counts in the arm it was given, whoever was reached."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any

from campaigns.definition import PrimaryOutcome
from campaigns.vocabulary import ClaimKind, Period
from contact_service.evaluation import estimates
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.estimates import Moments
from contact_service.evaluation.facts import Completeness, RunFacts

OUTCOMES = tuple(outcome.value for outcome in (PrimaryOutcome.PAID_SOMETHING,
                                               PrimaryOutcome.PAID_IN_FULL))  # fmt: skip


def payment(counts: Counts, facts: RunFacts, arms: list[Row]) -> dict[str, Any]:
    """Levels, curves, comparisons and breakdowns; empty while no payments file can tell.

    ``arms`` is the answer to ``arms.sql``.
    """
    primary = facts.definition.trial.primary_outcome.value
    known = facts.completeness is not Completeness.UNKNOWN
    return {
        "unit": "cluster",
        "primary_outcome": primary,
        "arms": [_level(row) for row in arms] if known else [],
        "curves": _curves(counts, facts, arms) if known else [],
        "comparisons": _comparisons(facts, arms, primary) if known else [],
        "sample_ratio": _sample_ratio(facts, arms),
        "by_period": _by_period(counts, facts) if known else [],
        "by_kind": _by_kind(counts, facts) if known else [],
        "balance": _balance(counts, facts),
        "collection_rate_definition": "credited yen within the horizon / outstanding yen frozen "
        "at planning; current and carried over apart",
        "counted_by": ["arms", "payment_days", "payment_yen", "by_period", "by_kind",
                       "by_stratum", "prepare_claims", "prepare_payments", "prepare_clusters",
                       "payments_known"],
    }  # fmt: skip


def _level(row: Row) -> Row:
    n = row["clusters"]
    return {
        "arm": row["arm"],
        "clusters": n,
        **{
            outcome: {"clusters": row[outcome], **estimates.share(row[outcome], n).as_dict()}
            for outcome in OUTCOMES
        },
        "paid_yen": row["paid_yen"],
        "paid_yen_per_cluster": row["paid_yen"] / n,
    }


def _curves(counts: Counts, facts: RunFacts, arms: list[Row]) -> list[Row]:
    """The cumulative share that had paid by the end of each observed day, pointwise Wilson.

    A day is ``complete`` when payments of it have surely arrived.
    """
    paid = {(r["arm"], r["outcome"], r["day"]): r["clusters"] for r in counts.rows("payment_days")}
    yen = {(row["arm"], row["day"]): row["yen"] for row in counts.rows("payment_yen")}
    curves = []
    days = range(facts.days_observed)
    for row in arms:
        so_far = {
            o: list(accumulate(paid.get((row["arm"], o, day), 0) for day in days)) for o in OUTCOMES
        }
        levels = {o: estimates.shares(so_far[o], row["clusters"]) for o in OUTCOMES}
        total = 0
        for day in days:
            on = facts.start_day + timedelta(days=day)
            total += yen.get((row["arm"], day), 0)
            curves.append(
                {
                    "arm": row["arm"],
                    "day": day,
                    "date": on.isoformat(),
                    "complete": facts.complete_until is not None and on <= facts.complete_until,
                    "paid_yen": total,
                    **{
                        o: {"clusters": so_far[o][day], **levels[o][day].as_dict()}
                        for o in OUTCOMES
                    },
                }
            )
    return curves


def _comparisons(facts: RunFacts, arms: list[Row], primary: str) -> list[Row]:
    """Each arm against the holdout. Holm adjusts over the arms, for the primary outcome."""
    control = next((r for r in arms if facts.control and r["arm"] == facts.control.name), None)
    if control is None:
        return []
    treated = [row for row in arms if row is not control]
    compared = [_compare(row, control) for row in treated]
    adjusted = estimates.holm([c["outcomes"][primary]["p_value"] for c in compared])
    for comparison, p in zip(compared, adjusted, strict=True):
        first = comparison["outcomes"][primary]
        comparison |= first | {"p_adjusted": p, "adjusted_by": "Holm"}
    return compared


def _compare(row: Row, control: Row) -> Row:
    outcomes: Row = {}
    for outcome in OUTCOMES:
        cells = (row[outcome], row["clusters"], control[outcome], control["clusters"])
        difference = estimates.risk_difference(*cells)
        ratio = estimates.risk_ratio(*cells)
        needed = estimates.number_needed(difference)
        p, test = estimates.p_value(*cells)
        outcomes[outcome] = {
            "risk_difference": difference.as_dict(),
            "risk_ratio": ratio.as_dict() if ratio else None,
            "number_needed_to_contact": needed.as_dict() if needed else None,
            "p_value": p,
            "test": test,
            "excludes_zero": difference.excludes(0),
        }
    amount = estimates.mean_difference(_moments(row), _moments(control))
    return {
        "arm": row["arm"],
        "control": control["arm"],
        "clusters": row["clusters"],
        "control_clusters": control["clusters"],
        "outcomes": outcomes,
        "amount_difference": amount.as_dict() if amount else None,
        "amount_excludes_zero": amount.excludes(0) if amount else False,
    }


def _moments(row: Row) -> Moments:
    return Moments(row["clusters"], float(row["paid_mean"]), float(row["paid_variance"] or 0))


def _sample_ratio(facts: RunFacts, arms: list[Row]) -> Row | None:
    """Whether the arms have the sizes that their weights say; ``None`` with one arm only."""
    weights = {arm.name: arm.weight for arm in facts.definition.arms}
    found = {row["arm"]: row["clusters"] for row in arms if row["arm"] in weights}
    if len(weights) < 2 or not found:
        return None
    p = estimates.sample_ratio([found.get(arm, 0) for arm in weights], list(weights.values()))
    return {"found": found, "weights": weights, "p_value": p, "method": "χ²"}


def _by_period(counts: Counts, facts: RunFacts) -> list[Row]:
    found = sorted(counts.rows("by_period"), key=lambda row: _place(Period, row["period"]))
    return [
        {
            **row,
            "rate": row["paid_yen"] / row["outstanding_yen"] if row["outstanding_yen"] else None,
        }
        for row in _arms_in_order(facts, found)
    ]


def _by_kind(counts: Counts, facts: RunFacts) -> list[Row]:
    rows = [
        {
            **row,
            "share": row["paid_something"] / row["clusters"],
            "interval": _interval(row["paid_something"], row["clusters"]),
        }
        for row in _arms_in_order(facts, counts.rows("by_kind"))
    ]
    return sorted(rows, key=lambda row: _place(ClaimKind, row["kind"]))


def _balance(counts: Counts, facts: RunFacts) -> list[Row]:
    """Clusters by stratum and arm."""
    rows = sorted(counts.rows("by_stratum"), key=lambda row: str(row["stratum"]))
    return _arms_in_order(facts, rows)


def _interval(events: int, n: int) -> list[float]:
    found = estimates.share(events, n)
    return [found.low, found.high]


def _place(vocabulary: type[StrEnum], value: str) -> int:
    """Where a word stands in its closed vocabulary."""
    return list(vocabulary).index(vocabulary(value))


def _arms_in_order(facts: RunFacts, rows: list[Row]) -> list[Row]:
    """Arms in the definition's order; the order of rows within an arm stays."""
    order = facts.in_order({row["arm"] for row in rows})
    return sorted(rows, key=lambda row: order.index(row["arm"]))
