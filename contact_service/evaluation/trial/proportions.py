"""Two proportions compared: plain, with people in clusters of a stated ICC, and in strata."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import methods

Z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))


@dataclass(frozen=True, slots=True)
class Count:
    """An arm's people and how many of them had the event."""

    n: int
    events: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One arm against the control on a yes-or-no outcome. A measure that the counts do not
    allow (a cell of zero in a ratio) is ``None``."""

    risk_difference: Estimate | None
    risk_ratio: Estimate | None
    odds_ratio: Estimate | None
    p_value: float | None
    p_value_method: str


def plain(arm: Count, control: Count) -> Compared:
    """Everybody independent of everybody."""
    p, test = estimates.p_value(arm.events, arm.n, control.events, control.n)
    return Compared(
        estimates.risk_difference(arm.events, arm.n, control.events, control.n),
        estimates.risk_ratio(arm.events, arm.n, control.events, control.n),
        _odds_ratio(arm.n, arm.events, control.n, control.events, methods.WOOLF),
        p,
        test,
    )


def design_effect(mean_size: float, icc: float) -> float:
    """1 + (m − 1)·ICC (Kish 1965): how many times as many people the same precision needs."""
    return 1 + (mean_size - 1) * icc


def effective(arm: Count, control: Count, effects: tuple[float, float]) -> Compared:
    """The same with each arm's people and events divided by its design effect."""
    n, events = arm.n / effects[0], arm.events / effects[0]
    control_n, control_events = control.n / effects[1], control.events / effects[1]
    low, high = confint_proportions_2indep(
        events, n, control_events, control_n, method="newcomb", compare="diff", alpha=1 - LEVEL
    )
    difference = arm.events / arm.n - control.events / control.n
    nobody = events + control_events == 0 or events + control_events == n + control_n
    p = 1.0 if nobody else proportions_ztest([events, control_events], [n, control_n])[1]
    return Compared(
        Estimate(difference, float(low), float(high), methods.NEWCOMBE_CLUSTERED),
        _risk_ratio(n, events, control_n, control_events),
        _odds_ratio(n, events, control_n, control_events, methods.WOOLF_CLUSTERED),
        float(p),
        methods.POOLED_Z_CLUSTERED,
    )


def stratified(strata: list[tuple[Count, Count]]) -> Compared:
    """(Arm, control) of each stratum pooled by Mantel and Haenszel's weights. A stratum that
    lacks one of the two says nothing and is left out; every measure is ``None`` when all do."""
    both = [(arm, control) for arm, control in strata if arm.n and control.n]
    if not both:
        return Compared(None, None, None, None, methods.CMH)
    cells = np.array([[a.n, a.events, c.n, c.events] for a, c in both], dtype=float)
    n1, x1, n0, x0 = cells.T
    odds, p = _pooled_odds(n1, x1, n0, x0)
    return Compared(_pooled_difference(n1, x1, n0, x0), _pooled_ratio(n1, x1, n0, x0), odds, p,
                    methods.CMH)  # fmt: skip


Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def stratified_difference(n1: Floats, x1: Floats, n0: Floats, x0: Floats) -> Estimate | None:
    """Of people and events by stratum, arm (1) and control (0); strata that lack one of the two
    say nothing. ``None`` when all do."""
    both = (n1 > 0) & (n0 > 0)
    return _pooled_difference(n1[both], x1[both], n0[both], x0[both]) if both.any() else None


def _pooled_difference(n1: Floats, x1: Floats, n0: Floats, x0: Floats) -> Estimate | None:
    total = n1 + n0
    weight = float(np.sum(n1 * n0 / total))
    difference = float(np.sum((x1 * n0 - x0 * n1) / total)) / weight
    p_term = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / total**2
    q_term = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * total)
    variance = (difference * float(np.sum(p_term)) + float(np.sum(q_term))) / weight**2
    if variance <= 0:
        return None
    half = Z * sqrt(variance)
    return Estimate(difference, difference - half, difference + half, methods.MH_DIFFERENCE)


def _pooled_ratio(n1: Floats, x1: Floats, n0: Floats, x0: Floats) -> Estimate | None:
    total = n1 + n0
    r, s = float(np.sum(x1 * n0 / total)), float(np.sum(x0 * n1 / total))
    if r == 0 or s == 0:
        return None
    spread = (n1 * n0 * (x1 + x0) - x1 * x0 * total) / total**2
    error = sqrt(float(np.sum(spread)) / (r * s))
    return _from_log(log(r / s), error, methods.MH_RATIO)


def _pooled_odds(
    n1: Floats, x1: Floats, n0: Floats, x0: Floats
) -> tuple[Estimate | None, float | None]:
    total = n1 + n0
    if np.sum(x1 * (n0 - x0) / total) == 0 or np.sum(x0 * (n1 - x1) / total) == 0:
        odds = None
    else:
        table = StratifiedTable([np.array(t) for t in _tables(n1, x1, n0, x0)])
        odds = _from_log(
            float(table.logodds_pooled), float(table.logodds_pooled_se), methods.MH_ODDS
        )
    varied = [t for t in _tables(n1, x1, n0, x0) if t[0][0] + t[1][0] and t[0][1] + t[1][1]]
    if not varied:
        return odds, 1.0
    tables = [np.array(t) for t in varied]
    return odds, float(StratifiedTable(tables).test_null_odds(correction=False).pvalue)


def _tables(n1: Floats, x1: Floats, n0: Floats, x0: Floats) -> list[list[list[float]]]:
    columns = (x1.tolist(), (n1 - x1).tolist(), x0.tolist(), (n0 - x0).tolist())
    return [[[a, b], [c, d]] for a, b, c, d in zip(*columns, strict=True)]


def _risk_ratio(n: float, events: float, control_n: float, control_events: float) -> (
    Estimate | None
):  # fmt: skip
    if events == 0 or control_events == 0:
        return None
    error = sqrt(1 / events - 1 / n + 1 / control_events - 1 / control_n)
    ratio = (events / n) / (control_events / control_n)
    return _from_log(log(ratio), error, methods.KATZ_CLUSTERED)


def _odds_ratio(n: float, events: float, control_n: float, control_events: float, method: str) -> (
    Estimate | None
):  # fmt: skip
    cells = [[events, n - events], [control_events, control_n - control_events]]
    if min(min(row) for row in cells) == 0:
        return None
    table = Table2x2(np.array(cells), shift_zeros=False)
    return _from_log(float(table.log_oddsratio), float(table.log_oddsratio_se), method)


def _from_log(value: float, error: float, method: str) -> Estimate:
    return Estimate(exp(value), exp(value - Z * error), exp(value + Z * error), method)
