"""Estimates with their uncertainty, from counts and moments. 95 % throughout.

scipy and statsmodels do the statistics; what they return is checked in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

LEVEL = 0.95
_Z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that was estimated, its 95 % interval, and how."""

    estimate: float
    low: float
    high: float
    method: str

    def excludes(self, value: float) -> bool:
        """Whether ``value`` lies outside the interval."""
        return value < self.low or value > self.high

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sample variance of a quantity."""

    n: int
    mean: float
    variance: float


def share(events: int, n: int) -> Estimate:
    """A proportion with Wilson's score interval. Raises ``ValueError`` for ``n`` = 0."""
    if n == 0:
        raise ValueError("a share of nobody")
    return shares([events], n)[0]


def shares(events: Sequence[int], n: int) -> list[Estimate]:
    """:func:`share` of several counts of the same people."""
    if n == 0:
        raise ValueError("a share of nobody")
    low, high = proportion_confint(np.asarray(events), n, alpha=1 - LEVEL, method="wilson")
    # rounding leaves 7e-18 where nobody did, and 0.9999999999999999 where everybody did
    return [
        Estimate(x / n, float(below) if x else 0.0, float(above) if x < n else 1.0, "Wilson")
        for x, below, above in zip(events, low, high, strict=True)
    ]


def risk_difference(events: int, n: int, control_events: int, control_n: int) -> Estimate:
    """Difference of two proportions with Newcombe's hybrid score interval (Newcombe 1998,
    method 10)."""
    low, high = confint_proportions_2indep(
        events, n, control_events, control_n, method="newcomb", compare="diff", alpha=1 - LEVEL
    )
    difference = events / n - control_events / control_n
    return Estimate(difference, float(low), float(high), "Newcombe")


def risk_ratio(events: int, n: int, control_events: int, control_n: int) -> Estimate | None:
    """Ratio of two proportions with the log-Wald interval (Katz 1978); ``None`` where a count
    of zero leaves it without one, or one of everybody in both arms with one of no width."""
    if events == 0 or control_events == 0 or (events == n and control_events == control_n):
        return None
    ratio = (events / n) / (control_events / control_n)
    error = sqrt(1 / events - 1 / n + 1 / control_events - 1 / control_n)
    return Estimate(
        ratio, exp(log(ratio) - _Z * error), exp(log(ratio) + _Z * error), "log-Wald (Katz)"
    )


def p_value(events: int, n: int, control_events: int, control_n: int) -> tuple[float, str]:
    """Two-sided test of equal proportions, and its name: pooled z, which is χ² without
    continuity correction, or Fisher's exact test where an expected count is below 5."""
    total = events + control_events
    rest = n + control_n - total
    smallest = min(n, control_n) / (n + control_n) * min(total, rest)
    if smallest < 5:
        table = np.array([[events, n - events], [control_events, control_n - control_events]])
        return float(stats.fisher_exact(table)[1]), "Fisher"
    _, p = proportions_ztest([events, control_events], [n, control_n])
    return float(p), "pooled z"


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for several comparisons (Holm 1979)."""
    # statsmodels' multipletests collects the whole process's garbage first: 0.1 s and more
    order = np.argsort(p_values, kind="stable")
    stepped = np.asarray(p_values, float)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return [float(p) for p in adjusted]


def number_needed(difference: Estimate) -> Estimate | None:
    """How many to treat for one more event: 1 ÷ difference; ``None`` where the interval of
    the difference covers 0, for then it has no upper end."""
    if not difference.excludes(0):
        return None
    bounds = (1 / difference.low, 1 / difference.high)
    return Estimate(1 / difference.estimate, min(bounds), max(bounds), f"1 / ({difference.method})")


def mean_difference(treated: Moments, control: Moments) -> Estimate | None:
    """Difference of two means with Welch's interval; ``None`` for fewer than two values a side
    or no variation at all."""
    if min(treated.n, control.n) < 2:
        return None
    a, b = treated.variance / treated.n, control.variance / control.n
    if a + b == 0:
        return None
    freedom = (a + b) ** 2 / (a**2 / (treated.n - 1) + b**2 / (control.n - 1))
    half = float(stats.t.ppf(1 - (1 - LEVEL) / 2, freedom)) * sqrt(a + b)
    difference = treated.mean - control.mean
    return Estimate(difference, difference - half, difference + half, "Welch t")


def moments(values: Sequence[float]) -> Moments:
    """Of a short list, such as one value a day."""
    n = len(values)
    mean = sum(values) / n if n else 0.0
    spread = sum((value - mean) ** 2 for value in values)
    return Moments(n, mean, spread / (n - 1) if n > 1 else 0.0)


def sample_ratio(found: Sequence[int], weights: Sequence[int]) -> float:
    """P-value of the χ² test that the arms have the sizes that their weights say."""
    total = sum(found)
    expected = [total * weight / sum(weights) for weight in weights]
    return float(stats.chisquare(found, expected).pvalue)
