"""Intention to treat, measure by measure: one arm against another, everybody where allocated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import amounts, methods, proportions, regression, survival
from contact_service.evaluation.trial.covariates import estimable
from contact_service.evaluation.trial.data import Integers, Numbers, Times, TrialData, yes_or_no
from contact_service.evaluation.trial.least_squares import (
    Codes,
    Floats,
    Interacted,
    coefficient,
    difference,
)
from contact_service.evaluation.trial.proportions import Compared, Count
from contact_service.evaluation.trial.result import AmountEffect, OutcomeEffect, TimeEffect

NOTHING = "not estimable"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two arms' rows: ``rows`` are their places, ``treated`` is 1 in the arm and 0 in the
    control, ``covariates`` are for the adjusted versions, ``strata`` for the stratified one."""

    arm: str
    control: str
    rows: Codes
    treated: Floats
    clusters: Codes | None
    covariates: Numbers | None
    strata: Codes | None = None

    def known(self, values: Floats) -> Pair:
        """Without those whose value is NaN (``values``: of these rows)."""
        keep = ~np.isnan(values)
        return self if keep.all() else self.where(keep)

    def where(self, keep: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Pair:
        """Some of these rows."""
        return Pair(
            self.arm,
            self.control,
            self.rows[keep],
            self.treated[keep],
            None if self.clusters is None else self.clusters[keep],
            None if self.covariates is None else self.covariates[keep],
            None if self.strata is None else self.strata[keep],
        )

    @property
    def one_sided(self) -> bool:
        """Whether an arm has nobody."""
        return bool(self.treated.all() or not self.treated.any())


def pair_of(data: TrialData, arm: str, control: str, covariates: Numbers | None) -> Pair:
    """The rows of two arms."""
    code = data.code(arm)
    rows = np.flatnonzero((data.arm == code) | (data.arm == data.code(control)))
    treated = (data.arm[rows] == code).astype(np.float64)
    return Pair(
        arm,
        control,
        rows,
        treated,
        None if data.clusters is None else data.clusters[rows].astype(np.int64),
        None if covariates is None else estimable(treated, covariates[rows]),
        None if data.strata is None else data.strata.codes[rows].astype(np.int64),
    )


def outcome(pair: Pair, values: Integers, role: str) -> OutcomeEffect:
    """A yes-or-no outcome; ``values`` are the whole trial's."""
    answers = yes_or_no(values[pair.rows])
    bounds = _bounds(answers, pair.treated)
    known = pair.known(answers)
    answers = answers[~np.isnan(answers)]
    if known.one_sided:
        nothing = (None, None, None, None, None, None, None, None)
        return OutcomeEffect(role, *nothing, bounds, None, NOTHING)
    treated = known.treated == 1
    counts = (
        Count(int(treated.sum()), int(answers[treated].sum())),
        Count(int((~treated).sum()), int(answers[~treated].sum())),
    )
    plain = proportions.plain(*counts)
    newcombe, robust = plain.risk_difference, None
    found: Compared = plain
    if known.clusters is not None:
        found = regression.clustered(answers, known.treated, None, known.clusters)
        robust = found.risk_difference
        newcombe = _newcombe_at_effective_size(counts, found.risk_difference, plain)
    first = robust or newcombe
    return OutcomeEffect(
        role,
        first,
        newcombe,
        robust,
        adjusted(known, answers),
        _stratified(known, answers),
        found.risk_ratio,
        found.odds_ratio,
        number_needed(first),
        bounds,
        found.p_value,
        found.p_value_method,
    )


def amount(pair: Pair, values: Numbers, role: str) -> AmountEffect:
    """A mean amount; ``values`` are the whole trial's."""
    sums = values[pair.rows].astype(np.float64)
    known = pair.known(sums)
    sums = sums[~np.isnan(sums)]
    if known.one_sided:
        return AmountEffect(role, None, None, None, None, None, NOTHING)
    found = amounts.compared(sums, known.treated, None, known.clusters)
    return AmountEffect(
        role,
        found.difference,
        found.bootstrap,
        found.winsorised,
        adjusted(known, sums),
        found.p_value,
        found.p_value_method,
    )


def time(pair: Pair, values: Times, role: str) -> TimeEffect:
    """Days to an event; ``values`` are the whole trial's."""
    days = values.days[pair.rows].astype(np.float64)
    event = yes_or_no(values.event[pair.rows])
    both = days + event
    known = pair.known(both)
    keep = ~np.isnan(both)
    if known.one_sided:
        return TimeEffect(role, None, None, None, None, NOTHING)
    found = survival.compared(days[keep], event[keep], known.treated, None, known.clusters)
    return TimeEffect(
        role,
        found.hazard,
        found.rmst_difference,
        found.horizon,
        found.p_value,
        found.p_value_method,
    )


def adjusted(pair: Pair, values: Floats) -> Estimate | None:
    """Lin's: covariates from their mean, interacted with the arm. ``None`` without covariates."""
    if pair.covariates is None:
        return None
    slope = coefficient(values, Interacted(pair.treated, pair.covariates), pair.clusters)
    return difference(slope, methods.LIN if pair.clusters is None else methods.LIN_CLUSTERED)


def _stratified(pair: Pair, answers: Floats) -> Estimate | None:
    """Within strata; ``None`` without them, or for units in clusters."""
    if pair.strata is None or pair.clusters is not None:
        return None
    codes = pair.strata + 1  # −1: of no stratum
    treated = pair.treated == 1
    sides = [(codes[side], answers[side]) for side in (treated, ~treated)]
    size = int(codes.max()) + 1
    counts = [
        np.bincount(own, weights=weights, minlength=size).astype(np.float64)
        for own, values in sides
        for weights in (None, values)
    ]
    return proportions.stratified_difference(*counts)


def number_needed(found: Estimate | None) -> Estimate | None:
    """How many to contact for one more event; ``None`` where the interval covers 0."""
    needed = estimates.number_needed(found) if found else None
    return needed and Estimate(needed.estimate, needed.low, needed.high, methods.NUMBER_NEEDED)


def _newcombe_at_effective_size(
    counts: tuple[Count, Count], robust: Estimate | None, plain: Compared
) -> Estimate | None:
    """Newcombe's interval with both arms' people divided by the design effect that the data
    show: (cluster-robust error ÷ error of independent people)², not below 1."""
    if robust is None or plain.risk_difference is None:
        return plain.risk_difference
    shares = [count.events / count.n for count in counts]
    alone = sum(p * (1 - p) / c.n for p, c in zip(shares, counts, strict=True))
    if alone == 0:
        return plain.risk_difference
    spread = (robust.high - robust.low) / 2 / proportions.Z
    effect = max(1.0, spread**2 / alone)
    return proportions.effective(*counts, (effect, effect)).risk_difference


def _bounds(answers: Floats, treated: Floats) -> Estimate | None:
    """How far missing outcomes could carry the difference: all of one arm's missing had the
    event and none of the other's, and the reverse. ``None`` when none is missing."""
    missing = np.isnan(answers)
    if not missing.any():
        return None
    side = treated == 1
    sums = {t: float(np.nansum(answers[side == t])) for t in (True, False)}
    sizes = {t: int((side == t).sum()) for t in (True, False)}
    gone = {t: int(missing[side == t].sum()) for t in (True, False)}
    if any(sizes[t] == gone[t] for t in (True, False)):
        return None
    seen = {t: sums[t] / (sizes[t] - gone[t]) for t in (True, False)}
    low = sums[True] / sizes[True] - (sums[False] + gone[False]) / sizes[False]
    high = (sums[True] + gone[True]) / sizes[True] - sums[False] / sizes[False]
    return Estimate(seen[True] - seen[False], low, high, methods.BOUNDS)
