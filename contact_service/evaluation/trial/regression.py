"""An arm's effect by regression on arm and strata, with errors that hold for people in
clusters (households, telephone numbers) or of unequal variance."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS

from contact_service.evaluation.estimates import LEVEL, Estimate, Moments
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.proportions import Compared, design_effect

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


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
    keys, place = np.unique(np.column_stack([arms, clusters]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    sizes = np.bincount(place).astype(float)
    sums = np.bincount(place, weights=values)
    arm_n, arm_sum = np.bincount(arms).astype(float), np.bincount(arms, weights=values)
    arm_mean = np.divide(arm_sum, arm_n, out=np.zeros_like(arm_sum), where=arm_n > 0)
    n, groups, fixed = float(sizes.sum()), len(sizes), int((arm_n > 0).sum())
    if groups in (fixed, int(n)):
        return None
    means = sums / sizes
    between = float(np.sum(sizes * (means - arm_mean[keys[:, 0]]) ** 2)) / (groups - fixed)
    within = float(np.sum((values - means[place]) ** 2)) / (n - groups)
    squares = np.bincount(keys[:, 0], weights=sizes**2, minlength=len(arm_n))
    typical = (n - float(np.sum(squares[arm_n > 0] / arm_n[arm_n > 0]))) / (groups - fixed)
    spread = between + (typical - 1) * within
    if spread == 0:
        return None
    icc = (between - within) / spread
    size = float(np.sum(sizes**2)) / n
    return Clustering(groups, n / groups, icc, design_effect(size, icc))


@dataclass(frozen=True, slots=True)
class Slope:
    """The coefficient of being in the arm rather than in the control, its 95 % interval and
    the two-sided p-value of no effect."""

    value: float
    low: float
    high: float
    p_value: float


def difference(slope: Slope | None, method: str) -> Estimate | None:
    """The coefficient as an estimate."""
    return Estimate(slope.value, slope.low, slope.high, method) if slope else None


def linear(values: Floats, treated: Floats, strata: Codes | None, clusters: Codes | None) -> (
    Slope | None
):  # fmt: skip
    """Difference of means, adjusted for strata, cluster-robust or HC2. ``None`` where the data
    leave no degree of freedom or do not vary."""
    errors: dict[str, Any] = {"cov_type": "HC2"} if clusters is None else _by(clusters)
    return _slope(OLS(values, _design(treated, strata)), treated, clusters, errors)


def clustered(outcome: Floats, treated: Floats, strata: Codes | None, clusters: Codes) -> Compared:
    """A yes-or-no outcome of people in clusters: difference by least squares, risk ratio by
    modified Poisson regression (Zou 2004), odds ratio by logistic regression."""
    slope = linear(outcome, treated, strata, clusters)
    events = [float(outcome[treated == side].sum()) for side in (1, 0)]
    sizes = [float((treated == side).sum()) for side in (1, 0)]
    ratio = odds = None
    if min(events) > 0:
        ratio = _generalized(outcome, treated, strata, clusters, families.Poisson())
        if all(e < n for e, n in zip(events, sizes, strict=True)):
            odds = _generalized(outcome, treated, strata, clusters, families.Binomial())
    return Compared(
        difference(slope, methods.LINEAR_CLUSTERED),
        _ratio(ratio, methods.POISSON_CLUSTERED),
        _ratio(odds, methods.LOGIT_CLUSTERED),
        slope.p_value if slope else None,
        methods.WALD_CLUSTERED,
    )


def moments(values: Floats) -> Moments:
    """Size, mean and sample variance."""
    n = len(values)
    return Moments(n, float(values.mean()), float(values.var(ddof=1)) if n > 1 else 0.0)


def _generalized(
    outcome: Floats, treated: Floats, strata: Codes | None, clusters: Codes, family: Any
) -> Slope | None:
    model = GLM(outcome, _design(treated, strata), family=family)
    return _slope(model, treated, clusters, _by(clusters))


def _ratio(slope: Slope | None, method: str) -> Estimate | None:
    """The coefficient's exponential."""
    return Estimate(exp(slope.value), exp(slope.low), exp(slope.high), method) if slope else None


def _by(clusters: Codes) -> dict[str, Any]:
    return {"cov_type": "cluster", "cov_kwds": {"groups": clusters}}


def _design(treated: Floats, strata: Codes | None) -> Floats:
    columns = [np.ones(len(treated)), treated]
    if strata is not None:
        columns += [(strata == code).astype(float) for code in np.unique(strata)[1:]]
    return np.column_stack(columns)


def _slope(model: Any, treated: Floats, clusters: Codes | None, errors: dict[str, Any]) -> (
    Slope | None
):  # fmt: skip
    rank = np.linalg.matrix_rank(model.exog)
    units = len(treated) if clusters is None else len(np.unique(clusters))
    # fewer clusters than coefficients, or an arm that is a sum of strata, leave no effect
    if rank < model.exog.shape[1] or units <= rank:
        return None
    fitted = model.fit(use_t=True, **errors)
    value, error = float(fitted.params[1]), float(fitted.bse[1])
    if not isfinite(error) or error < 1e-12:
        return None
    freedom = float(fitted.df_resid if clusters is None else units - 1)
    half = float(stats.t.ppf(1 - (1 - LEVEL) / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(value / error), freedom))
    return Slope(value, value - half, value + half, p)
