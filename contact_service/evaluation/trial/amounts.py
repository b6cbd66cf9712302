"""Mean amounts compared, with a bootstrap beside the interval and a look at what the largest
amounts do to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.least_squares import Codes, Floats, difference, numbered
from contact_service.evaluation.trial.regression import linear, moments

DRAWS = 2000
SEED = 20240401
"""The bootstrap's seed, fixed so that the same file gives the same figures."""
MANY = 2000
"""Units of an arm above which the bootstrap draws groups of them."""
WINSORISED_AT = 0.99
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class ComparedAmounts:
    """Differences of mean amounts, arm less control; ``None`` where nothing varies."""

    difference: Estimate | None
    bootstrap: Estimate | None
    winsorised: Estimate | None
    p_value: float | None
    p_value_method: str


def compared(
    values: Floats, treated: Floats, strata: Codes | None, clusters: Codes | None
) -> ComparedAmounts:
    """Welch's t for independent people; with strata or clusters, least squares with errors to
    match. The bootstrap draws people, or whole clusters, within each arm."""
    capped = np.minimum(values, np.quantile(values, WINSORISED_AT))
    bootstrap = _bootstrap(values, treated, clusters)
    if strata is None and clusters is None:
        return ComparedAmounts(
            _welch(values, treated, methods.WELCH),
            bootstrap,
            _welch(capped, treated, methods.WINSORISED),
            _welch_p(values, treated),
            methods.WELCH,
        )
    names = (methods.LINEAR_STRATIFIED, methods.WALD_STRATIFIED) if clusters is None else (
        methods.LINEAR_CLUSTERED, methods.WALD_CLUSTERED)  # fmt: skip
    slope = linear(values, treated, strata, clusters)
    sensitivity = linear(capped, treated, strata, clusters)
    return ComparedAmounts(
        difference(slope, names[0]),
        bootstrap,
        difference(sensitivity, methods.WINSORISED_LINEAR),
        slope.p_value if slope else None,
        names[1],
    )


def _welch(values: Floats, treated: Floats, method: str) -> Estimate | None:
    found = estimates.mean_difference(moments(values[treated == 1]), moments(values[treated == 0]))
    return found and Estimate(found.estimate, found.low, found.high, method)


def _welch_p(values: Floats, treated: Floats) -> float | None:
    if _welch(values, treated, methods.WELCH) is None:
        return None
    sides = values[treated == 1], values[treated == 0]
    return float(stats.ttest_ind(*sides, equal_var=False).pvalue)


def _bootstrap(values: Floats, treated: Floats, clusters: Codes | None) -> Estimate | None:
    draw = np.random.default_rng(SEED)
    sides = [treated == 1, treated == 0]
    found = []
    for side in sides:
        groups = None if clusters is None else clusters[side]
        found.append(_resampled_means(values[side], groups, draw))
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(found[0] - found[1], [tail, 100 - tail])
    if low == high:
        return None
    observed = float(values[sides[0]].mean() - values[sides[1]].mean())
    name = methods.BOOTSTRAP if clusters is None else methods.BOOTSTRAP_CLUSTERED
    return Estimate(observed, float(low), float(high), name)


def _resampled_means(values: Floats, clusters: Codes | None, draw: np.random.Generator) -> Floats:
    """Means of ``DRAWS`` samples of units with replacement.

    More than ``MANY`` units are first put into ``MANY`` groups by lot, which are then drawn
    whole: variance and skewness of the mean are the same (both add up over independent units),
    and a million units cost no more than ``MANY``.
    """
    sums: Floats = values
    sizes: Floats = np.ones(len(values))
    if clusters is not None:
        codes, groups = numbered(clusters)
        sums = np.bincount(codes, weights=values, minlength=groups).astype(float)
        sizes = np.bincount(codes, minlength=groups).astype(float)
    if len(sums) > MANY:
        lot = draw.permutation(len(sums)) % MANY
        sums = np.bincount(lot, weights=sums, minlength=MANY).astype(float)
        sizes = np.bincount(lot, weights=sizes, minlength=MANY).astype(float)
    n = len(sums)
    block = max(1, _BLOCK // n)
    means = []
    for start in range(0, DRAWS, block):
        drawn = draw.integers(0, n, (min(block, DRAWS - start), n))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)
