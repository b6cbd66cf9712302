"""What delivery did to those whom the arm reached: an instrumental-variable estimate.

The arm is the instrument. The figure holds for compliers (units that are reached when they are
in the arm), if the arm works through being reached and in no other way. It is not the effect of
the campaign: that is intention to treat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.data import TrialData, yes_or_no
from contact_service.evaluation.trial.effects import Pair
from contact_service.evaluation.trial.least_squares import Floats
from contact_service.evaluation.trial.notes import note
from contact_service.evaluation.trial.ratios import covariance, fieller, influences

WEAK = 10.0
"""A first stage with F below this is weak (Staiger and Stock 1997)."""


@dataclass(frozen=True, slots=True)
class ComplierEffect:
    """``effect``: per unit reached. ``reached``: shares by arm; ``first_stage``: their difference
    and ``f_statistic`` its F."""

    effect: Estimate | None
    reached: Mapping[str, float]
    first_stage: float
    f_statistic: float | None
    weak: bool
    label: Mapping[str, str]


def complier(data: TrialData, pair: Pair, values: Floats) -> ComplierEffect | None:
    """Of ``values`` (of the whole trial; NaN: not known) by ``data.delivered``; ``None`` without
    any record of delivery, or where nobody more was reached in the arm."""
    if data.delivered is None:
        return None
    both = values[pair.rows] + yes_or_no(data.delivered[pair.rows])
    known = pair.known(both)
    if known.one_sided:
        return None
    outcome = values[known.rows].astype(np.float64)
    reached = yes_or_no(data.delivered[known.rows])
    side = known.treated == 1
    shares = {known.arm: float(reached[side].mean()), known.control: float(reached[~side].mean())}
    gained = shares[known.arm] - shares[known.control]
    if gained <= 0:
        return None
    effect = float(outcome[side].mean() - outcome[~side].mean())
    spread, freedom = covariance(
        influences(outcome, known.treated), influences(reached, known.treated), known.clusters
    )
    f = gained**2 / float(spread[1, 1]) if spread[1, 1] > 0 else None
    return ComplierEffect(
        fieller(effect, gained, spread, freedom, methods.COMPLIER),
        shares,
        gained,
        f,
        f is not None and f < WEAK,
        note("complier"),
    )
