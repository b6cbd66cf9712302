"""What an additional yen cost, and what the office is left with: both against the control, so
that money which would have come anyway is credited to nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.data import TrialData
from contact_service.evaluation.trial.effects import Pair
from contact_service.evaluation.trial.least_squares import Floats, coefficient, difference
from contact_service.evaluation.trial.ratios import covariance, fieller, influences


@dataclass(frozen=True, slots=True)
class Money:
    """All per unit but where it says 1,000. ``cost_per_additional_yen``: an unbounded side is
    infinite, and means that the arm may have collected nothing more than the control."""

    additional_yen: Estimate | None
    additional_cost_yen: Estimate | None
    cost_per_additional_yen: Estimate | None
    net_benefit_per_1000: Estimate | None
    value_per_yen: float


def money(data: TrialData, pair: Pair, amount: str, value_per_yen: float) -> Money | None:
    """From the amount collected and ``data.cost_yen``; ``None`` without either."""
    if data.cost_yen is None or amount not in data.amounts:
        return None
    sums = data.amounts[amount][pair.rows].astype(np.float64)
    costs = data.cost_yen[pair.rows].astype(np.float64)
    known = pair.known(sums + costs)
    keep = ~np.isnan(sums + costs)
    sums, costs = sums[keep], costs[keep]
    if known.one_sided:
        return None
    side = known.treated == 1
    gained = float(sums[side].mean() - sums[~side].mean())
    spent = float(costs[side].mean() - costs[~side].mean())
    spread, freedom = covariance(
        influences(costs, known.treated), influences(sums, known.treated), known.clusters
    )
    return Money(
        _difference(known, sums),
        _difference(known, costs),
        fieller(spent, gained, spread, freedom, methods.COST_PER_YEN),
        _difference(known, 1000 * (value_per_yen * sums - costs)),
        value_per_yen,
    )


def load(data: TrialData, pair: Pair) -> dict[str, Estimate | None]:
    """Calls and seconds per 1,000 units, arm less control."""
    return {
        name: _difference(pair, 1000 * values[pair.rows].astype(np.float64))
        for name, values in data.load.items()
    }


def _difference(pair: Pair, values: Floats) -> Estimate | None:
    design = np.column_stack([np.ones(len(values)), pair.treated])
    name = methods.WELCH_HC2 if pair.clusters is None else methods.LINEAR_CLUSTERED
    return difference(coefficient(values, design, pair.clusters), name)
