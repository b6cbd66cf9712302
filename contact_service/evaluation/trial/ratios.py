"""A ratio of two effects with Fieller's interval, which stays honest when the divisor may be 0."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from scipy import stats

from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial.least_squares import Codes, Floats, numbered


def influences(values: Floats, treated: Floats) -> Floats:
    """What each unit adds to the error of a difference of means: Σ influence² is its variance
    (Welch's), Σ over clusters of (Σ influence)² that of units in clusters."""
    side = treated == 1
    result = np.empty(len(values))
    for own, sign in ((side, 1.0), (~side, -1.0)):
        n = int(own.sum())
        small = sqrt(n / (n - 1)) if n > 1 else 0.0
        result[own] = sign * small * (values[own] - values[own].mean()) / n
    return result


def covariance(first: Floats, second: Floats, clusters: Codes | None) -> tuple[Floats, float]:
    """The 2 × 2 covariance of two sums of influences, and its degrees of freedom."""
    both: Floats = np.vstack([first, second])
    freedom = float(both.shape[1] - 2)
    if clusters is not None:
        codes, groups = numbered(clusters)
        both = np.vstack([np.bincount(codes, weights=part, minlength=groups) for part in both])
        both = both * sqrt(groups / (groups - 1)) if groups > 1 else both * np.nan
        freedom = float(groups - 1)
    return np.asarray(both @ both.T, dtype=float), freedom


def fieller(
    upper: float, lower: float, spread: Floats, freedom: float, method: str
) -> Estimate | None:
    """``upper`` ÷ ``lower`` and all ratios r for which upper − r·lower does not differ from 0.

    Where the divisor does not differ from 0 these have no end on one side or on either; the
    bound is then infinite. ``None`` for a divisor of 0.
    """
    if lower == 0 or freedom <= 0 or not np.isfinite(spread).all():
        return None
    t2 = float(stats.t.ppf(1 - (1 - LEVEL) / 2, freedom)) ** 2
    a = lower**2 - t2 * float(spread[1, 1])
    b = upper * lower - t2 * float(spread[0, 1])
    c = upper**2 - t2 * float(spread[0, 0])
    root = b**2 - a * c
    ratio = upper / lower
    if a <= 0 or root < 0:
        return Estimate(ratio, -inf, inf, method)
    return Estimate(ratio, (b - sqrt(root)) / a, (b + sqrt(root)) / a, method)
