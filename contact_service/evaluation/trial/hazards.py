"""The hazard ratio of two arms, and errors of restricted means, from the table of who was at
risk and who had the event at each time.

With one yes-or-no covariate Cox's likelihood depends on this table alone. statsmodels' ``PHReg``
visits each person and takes half a minute for a million; the tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from contact_service.evaluation.trial.least_squares import Codes, Floats, numbered

_STEPS = 50


@dataclass(frozen=True, slots=True)
class RiskTable:
    """At each time of an event: at risk just before and events, of the arm and the control."""

    times: Floats
    at_risk: tuple[Floats, Floats]
    events: tuple[Floats, Floats]


def risk_table(times: Floats, events: Floats, treated: Floats) -> RiskTable:
    """Of everybody given."""
    moments = np.unique(times[events == 1])
    at_risk, happened = [], []
    for side in (1, 0):
        own = np.sort(times[treated == side])
        at_risk.append((len(own) - np.searchsorted(own, moments)).astype(float))
        place = np.searchsorted(moments, times[(treated == side) & (events == 1)])
        happened.append(np.bincount(place, minlength=len(moments)).astype(float))
    return RiskTable(moments, (at_risk[0], at_risk[1]), (happened[0], happened[1]))


def efron(table: RiskTable) -> tuple[float, float] | None:
    """Log hazard ratio and its error, ties by Efron's approximation."""
    (n1, n0), (d1, d0) = table.at_risk, table.events
    deaths = (d1 + d0).astype(np.int64)
    place = np.repeat(np.arange(len(deaths)), deaths)
    first = np.cumsum(deaths) - deaths
    gone = (np.arange(len(place)) - first[place]) / deaths[place]
    risk1, risk0 = (n1[place] - gone * d1[place]), (n0[place] - gone * d0[place])
    return _maximised(float(d1.sum()), risk1, risk0)


def breslow(table: RiskTable) -> tuple[float, float] | None:
    """The same, ties by Breslow's approximation; the error is the model's."""
    (n1, n0), (d1, d0) = table.at_risk, table.events
    place = np.repeat(np.arange(len(d1)), (d1 + d0).astype(np.int64))
    return _maximised(float(d1.sum()), n1[place], n0[place])


def _maximised(seen: float, risk1: Floats, risk0: Floats) -> tuple[float, float] | None:
    """Newton's method on a concave likelihood, from no effect, steps of at most 1."""
    beta = 0.0
    for _ in range(_STEPS):
        share = risk1 * exp(beta) / (risk1 * exp(beta) + risk0)
        information = float(np.sum(share * (1 - share)))
        if information <= 0:
            return None
        step = (seen - float(share.sum())) / information
        beta += max(-1.0, min(1.0, step))
        if abs(step) < 1e-10:
            return beta, 1 / sqrt(information)
    return None


def clustered_error(
    beta: float, error: float, table: RiskTable, times: Floats, events: Floats, treated: Floats,
    clusters: Codes,
) -> float:  # fmt: skip
    """Lin and Wei's error of Breslow's estimate, score residuals summed by cluster."""
    (n1, n0), (d1, d0) = table.at_risk, table.events
    total = exp(beta) * n1 + n0
    mean = exp(beta) * n1 / total
    hazard = (d1 + d0) / total
    before = np.searchsorted(table.times, times, side="right")
    run = [np.concatenate([[0.0], np.cumsum(part)]) for part in (hazard, hazard * mean)]
    expected = np.exp(beta * treated) * (treated * run[0][before] - run[1][before])
    own = np.concatenate([[0.0], mean])[before]
    residual = np.where(events == 1, treated - own, 0.0) - expected
    codes, groups = numbered(clusters)
    sums = np.bincount(codes, weights=residual, minlength=groups)
    return sqrt(float(sums @ sums)) * error**2


def restricted_mean_influences(
    times: Floats, events: Floats, treated: Floats, horizon: float
) -> Floats:
    """What each person adds to the error of the difference of restricted means: the area still
    to come, integrated over the person's martingale ÷ those at risk (Andersen et al. 1993)."""
    result = np.zeros(len(times))
    table = risk_table(times, events, treated)
    inside = table.times < horizon
    moments = table.times[inside]
    edges = np.concatenate([moments, [horizon]])
    before = np.searchsorted(moments, times, side="right")
    for place, side in enumerate((1, 0)):
        n, d = table.at_risk[place][inside], table.events[place][inside]
        kept = np.divide(n - d, n, out=np.ones_like(n), where=n > 0)
        area = np.cumsum((np.cumprod(kept) * np.diff(edges))[::-1])[::-1]
        per = np.divide(area, n, out=np.zeros_like(n), where=n > 0)
        # S moves by its share, not by the hazard: the squares then add up to Greenwood's sum
        per = np.divide(per, kept, out=np.zeros_like(per), where=kept > 0)
        hazard = np.divide(d, n, out=np.zeros_like(n), where=n > 0)
        run = np.concatenate([[0.0], np.cumsum(per * hazard)])
        own = treated == side
        jump = np.concatenate([[0.0], per])[before[own]] * (
            (events[own] == 1) & (times[own] < horizon)
        )
        result[own] = (1.0 if side else -1.0) * (run[before[own]] - jump)
    return result
