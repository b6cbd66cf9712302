"""An arm's effect by regression on arm and strata, with errors that hold for people in
clusters (households, telephone numbers) or of unequal variance."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from contact_service.evaluation.estimates import Estimate, Moments
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.least_squares import (
    Codes,
    Floats,
    Slope,
    coefficient,
    difference,
    numbered,
    robust_error,
    slope_of,
)
from contact_service.evaluation.trial.proportions import Compared, design_effect

FEW_CLUSTERS = 40
"""Below this, cluster-robust errors are known to be too small (Cameron and Miller 2015)."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """How alike the members of a cluster are, within their arm."""

    clusters: int
    mean_size: float
    icc: float
    design_effect: float


def clustering(values: Floats, arms: Codes, clusters: Codes) -> Clustering | None:
    """ICC from the analysis of variance between clusters within arms (Donner and Koval 1980),
    not cut off at 0, and 1 + (m − 1)·ICC with m = Σm² ÷ Σm, so that large clusters count as
    they should. ``None`` where every cluster has one member or nothing varies."""
    codes, found = numbered(clusters)
    place, _ = numbered(arms * found + codes)
    arm_of = np.zeros(int(place.max()) + 1, dtype=np.int64)
    arm_of[place] = arms
    sizes = np.bincount(place).astype(float)
    sums = np.bincount(place, weights=values)
    arm_n, arm_sum = np.bincount(arms).astype(float), np.bincount(arms, weights=values)
    arm_mean = np.divide(arm_sum, arm_n, out=np.zeros_like(arm_sum), where=arm_n > 0)
    n, groups, fixed = float(sizes.sum()), len(sizes), int((arm_n > 0).sum())
    if groups in (fixed, int(n)):
        return None
    means = sums / sizes
    between = float(np.sum(sizes * (means - arm_mean[arm_of]) ** 2)) / (groups - fixed)
    within = float(np.sum((values - means[place]) ** 2)) / (n - groups)
    squares = np.bincount(arm_of, weights=sizes**2, minlength=len(arm_n))
    typical = (n - float(np.sum(squares[arm_n > 0] / arm_n[arm_n > 0]))) / (groups - fixed)
    spread = between + (typical - 1) * within
    if spread == 0:
        return None
    icc = (between - within) / spread
    size = float(np.sum(sizes**2)) / n
    return Clustering(groups, n / groups, icc, design_effect(size, icc))


def linear(values: Floats, treated: Floats, strata: Codes | None, clusters: Codes | None) -> (
    Slope | None
):  # fmt: skip
    """Difference of means, adjusted for strata, cluster-robust or HC2. ``None`` where the data
    leave no degree of freedom or do not vary."""
    return coefficient(values, _design(treated, strata), clusters)


def clustered(outcome: Floats, treated: Floats, strata: Codes | None, clusters: Codes) -> Compared:
    """A yes-or-no outcome of people in clusters: difference by least squares, risk ratio by
    modified Poisson regression (Zou 2004), odds ratio by logistic regression."""
    slope = linear(outcome, treated, strata, clusters)
    events = [float(outcome[treated == side].sum()) for side in (1, 0)]
    sizes = [float((treated == side).sum()) for side in (1, 0)]
    ratio = odds = None
    if min(events) > 0:
        below_one = all(e < n for e, n in zip(events, sizes, strict=True))
        if strata is None:
            ratio, odds = _saturated(outcome, treated, clusters, below_one)
        else:
            ratio = _generalized(outcome, treated, strata, clusters, families.Poisson())
            if below_one:
                odds = _generalized(outcome, treated, strata, clusters, families.Binomial())
    return Compared(
        difference(slope, methods.LINEAR_CLUSTERED),
        _ratio(ratio, methods.POISSON_CLUSTERED),
        _ratio(odds, methods.LOGIT_CLUSTERED),
        slope.p_value if slope else None,
        methods.WALD_CLUSTERED,
    )


def _saturated(
    outcome: Floats, treated: Floats, clusters: Codes, below_one: bool
) -> tuple[Slope | None, Slope | None]:
    """What the two regressions give without strata, where their estimates are the arms' shares
    and only the error takes work: log risk ratio and log odds ratio."""
    control = 1 - treated
    p1, p0 = (float(outcome[treated == side].mean()) for side in (1, 0))
    moved1 = treated * (outcome - p1) / treated.sum()
    moved0 = control * (outcome - p0) / control.sum()
    error, freedom = robust_error(moved1 / p1 - moved0 / p0, 2, clusters)
    ratio = slope_of(log(p1 / p0), error, freedom)
    if not below_one:
        return ratio, None
    influence = moved1 / (p1 * (1 - p1)) - moved0 / (p0 * (1 - p0))
    error, freedom = robust_error(influence, 2, clusters)
    return ratio, slope_of(log(p1 / (1 - p1)) - log(p0 / (1 - p0)), error, freedom)


def moments(values: Floats) -> Moments:
    """Size, mean and sample variance."""
    n = len(values)
    return Moments(n, float(values.mean()), float(values.var(ddof=1)) if n > 1 else 0.0)


def _generalized(
    outcome: Floats, treated: Floats, strata: Codes | None, clusters: Codes, family: Any
) -> Slope | None:
    design = _design(treated, strata)
    groups = numbered(clusters)[1]
    # fewer clusters than coefficients, or an arm that is a sum of strata, leave no effect
    if np.linalg.matrix_rank(design) < design.shape[1] or groups <= design.shape[1]:
        return None
    fitted = GLM(outcome, design, family=family).fit(
        use_t=True, cov_type="cluster", cov_kwds={"groups": clusters}
    )
    return slope_of(float(fitted.params[1]), float(fitted.bse[1]), groups - 1)


def _ratio(slope: Slope | None, method: str) -> Estimate | None:
    """The coefficient's exponential."""
    return Estimate(exp(slope.value), exp(slope.low), exp(slope.high), method) if slope else None


def _design(treated: Floats, strata: Codes | None) -> Floats:
    columns = [np.ones(len(treated)), treated]
    if strata is not None:
        columns += [(strata == code).astype(float) for code in np.unique(strata)[1:]]
    return np.column_stack(columns)
