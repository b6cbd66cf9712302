"""Looking at a trial before its end without fooling oneself: O'Brien and Fleming's bounds by
alpha spending (Lan and DeMets), two-sided.

Two-sided alpha is spent by half on either side: up to the share t of the information,
2·(2 − 2·Φ(z(α/4) ÷ √t)), as R's ``ldbounds`` and ``gsDesign`` have it.
Bounds by numerical integration (Armitage, McPherson, Rowe 1969).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.least_squares import Floats

_Z = float(stats.norm.isf((1 - LEVEL) / 2))
_FAR = 9.0
"""Bounds beyond this are never crossed."""
_STEP = 0.04
_LEAST, _MOST = -12.0, -0.001


@dataclass(frozen=True, slots=True)
class Look:
    """One planned look: the share of the information, the alpha spent by then, the bound for
    |z|, and the two-sided nominal p-value that the bound amounts to."""

    information: float
    spent: float
    bound: float
    nominal_p: float


@dataclass(frozen=True, slots=True)
class Monitored:
    """A comparison at a look. ``p_value``: the smallest alpha at which the trial could stop here
    (repeated significance test), which the number of looks has already been paid from.
    ``interval``: holds at all looks together, whether the trial stops at this one or not."""

    arm: str
    measure: str
    z: float
    crossed: bool
    p_value: float
    interval: Estimate | None


@dataclass(frozen=True, slots=True)
class Interim:
    """Where the trial stands among its planned looks; ``look`` counts from 1."""

    look: int
    alpha_each: float
    looks: tuple[Look, ...]
    monitored: tuple[Monitored, ...]
    method: str = methods.OBRIEN_FLEMING


def spent(alpha: float, information: float) -> float:
    """Two-sided alpha that may be spent up to a share of the information (0–1)."""
    if information <= 0:
        return 0.0
    return 4 * float(stats.norm.sf(stats.norm.isf(alpha / 4) / sqrt(min(1.0, information))))


def planned(information: Sequence[float], alpha: float) -> tuple[Look, ...]:
    """Bounds of all looks. Raises :class:`TrialRefused` for shares that do not rise to 1."""
    shares = list(information)
    if not shares or shares != sorted(set(shares)) or shares[0] <= 0 or shares[-1] > 1:
        raise TrialRefused(
            "中間解析の情報割合は0より大きく1以下で、順に大きくしてください",
            "shares of information rise from above 0 to at most 1",
        )
    if not 0 < alpha < 1:
        raise TrialRefused("有意水準は0と1の間です", "alpha lies between 0 and 1")
    looks: list[Look] = []
    density: Floats | None = None
    grid: Floats = np.zeros(1)
    before_share = before_alpha = 0.0
    for share in shares:
        total = spent(alpha, share)
        gap = share - before_share
        if density is None:
            bound = min(_FAR, float(stats.norm.isf(total / 2)))
        else:
            weight = density * _weights(grid)
            bound = _bound(grid * sqrt(before_share), weight, gap, share, total - before_alpha)
        looks.append(Look(share, total, bound, 2 * float(stats.norm.sf(bound))))
        # of z at this look, among trials that have not stopped
        points: Floats = np.linspace(-bound, bound, 2 * int(np.ceil(bound / _STEP)) + 1)
        if density is None:
            density = np.asarray(stats.norm.pdf(points), dtype=float)
        else:
            moved = (points[:, None] * sqrt(share) - grid * sqrt(before_share)) / sqrt(gap)
            density = np.asarray(
                np.asarray(stats.norm.pdf(moved)) @ weight * sqrt(share / gap), dtype=float
            )
        grid, before_share, before_alpha = points, share, total
    return tuple(looks)


def repeated(found: Estimate | None, bound: float, ratio: bool) -> Estimate | None:
    """The interval widened from z of its own level to a look's ``bound``, on either side of the
    estimate (of a ``ratio``: of its logarithm). It holds at 1 − the comparison's part of alpha."""
    if found is None:
        return None
    wider = bound / _Z
    if ratio:
        low, high = ((end / found.estimate) ** wider for end in (found.low, found.high))
        return Estimate(
            found.estimate, found.estimate * low, found.estimate * high, methods.REPEATED
        )
    low, high = ((end - found.estimate) * wider for end in (found.low, found.high))
    return Estimate(found.estimate, found.estimate + low, found.estimate + high, methods.REPEATED)


def _weights(grid: Floats) -> Floats:
    """Simpson's, for an odd number of points."""
    if len(grid) < 3:
        return np.zeros_like(grid)
    weights = np.full(len(grid), 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    return np.asarray(weights * (grid[1] - grid[0]) / 3, dtype=float)


def _bound(sums: Floats, weight: Floats, gap: float, share: float, alpha: float) -> float:
    """Where the chance of crossing now, not having crossed before, is ``alpha``."""

    def more(bound: float) -> float:
        edge = bound * sqrt(share)
        tails = stats.norm.sf((edge - sums) / sqrt(gap)) + stats.norm.cdf(
            (-edge - sums) / sqrt(gap)
        )
        return float(weight @ np.asarray(tails)) - alpha

    if more(_FAR) >= 0:
        return _FAR
    return float(brentq(more, 0.0, _FAR, xtol=1e-10))


def repeated_p(z: float, information: Sequence[float], look: int) -> float:
    """The smallest two-sided alpha whose bound at ``look`` (from 1) |z| reaches."""
    shares = list(information)[:look]

    def short(power_of_ten: float) -> float:
        return planned(shares, 10**power_of_ten)[-1].bound - abs(z)

    if short(_LEAST) <= 0:
        return float(10**_LEAST)
    if short(_MOST) >= 0:
        return 1.0
    return float(10 ** float(brentq(short, _LEAST, _MOST, xtol=1e-5)))
