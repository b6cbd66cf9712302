"""Time to an event: survival by arm, and an arm against the control. Times are in whatever
unit the file has them in; people without the event are censored at their time."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, sqrt

import numpy as np
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import hazards, methods
from contact_service.evaluation.trial.least_squares import Codes, Floats, robust_error

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_Z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))


@dataclass(frozen=True, slots=True)
class Curve:
    """Kaplan and Meier's estimate at the times of events: people at risk just before, events,
    and the share still without the event just after, with its pointwise log-log band."""

    times: list[float]
    at_risk: list[int]
    events: list[int]
    survival: list[float]
    low: list[float]
    high: list[float]
    median: Estimate | None


@dataclass(frozen=True, slots=True)
class ComparedTimes:
    """An arm against the control. ``hazard``: hazard ratio, above 1 when the event comes
    sooner in the arm; ``rmst_difference``: of restricted mean times up to ``horizon``."""

    hazard: Estimate | None
    rmst_difference: Estimate | None
    horizon: float
    p_value: float | None
    p_value_method: str


def curve(times: Floats, events: Floats) -> Curve:
    """One arm's. The median's interval is the log-log one; a bound that is not reached lies at
    infinity, and a median that is not reached is ``None``."""
    with np.errstate(all="ignore"):  # log(-log(0)) at the end of a complete curve
        found = SurvfuncRight(times, events)
        median = float(found.quantile(0.5))
        low, high = (float(bound) for bound in found.quantile_ci(0.5, alpha=1 - LEVEL))
        band = _band(found.surv_prob, found.surv_prob_se)
    happened = found.n_events > 0
    return Curve(
        [float(t) for t in found.surv_times[happened]],
        [int(n) for n in found.n_risk[happened]],
        [int(n) for n in found.n_events[happened]],
        [float(s) for s in found.surv_prob[happened]],
        [float(s) for s in band[0][happened]],
        [float(s) for s in band[1][happened]],
        Estimate(median, low, high, methods.KAPLAN_MEIER) if isfinite(median) else None,
    )


def _band(survival: Floats, error: Floats) -> tuple[Floats, Floats]:
    """S^exp(±z·error of log(−log S)); where S is 0 Greenwood's error has no value, nor has this
    band: it is 0 to 0."""
    spread = np.exp(_Z * error / (survival * np.abs(np.log(survival))))
    low, high = survival**spread, survival ** (1 / spread)
    return np.nan_to_num(low), np.nan_to_num(high)


def restricted_mean(found: Curve, horizon: float) -> tuple[float, float]:
    """Mean time without the event up to ``horizon``, and its variance: the area under the
    curve, and Greenwood's sum of (area to the right)² · d ÷ (n(n − d))."""
    inside = [i for i, time in enumerate(found.times) if time < horizon]
    edges = np.array([0.0, *(found.times[i] for i in inside), horizon])
    heights = np.array([1.0, *(found.survival[i] for i in inside)])
    areas = np.diff(edges) * heights
    to_the_right = np.cumsum(areas[::-1])[::-1][1:]
    n = np.array([found.at_risk[i] for i in inside], dtype=float)
    d = np.array([found.events[i] for i in inside], dtype=float)
    left = n * (n - d)
    # after the last one at risk nothing is to the right, so the term is 0
    terms = np.divide(to_the_right**2 * d, left, out=np.zeros_like(left), where=left > 0)
    return float(areas.sum()), float(terms.sum())


def compared(
    times: Floats,
    events: Floats,
    treated: Floats,
    strata: Codes | None,
    clusters: Codes | None,
) -> ComparedTimes:
    """Hazard ratio (Cox; stratified where strata are given), difference of restricted means up
    to the last time that both arms were watched, and the log-rank test; in clusters the robust
    test of the hazard ratio instead, for the log-rank test takes people for independent."""
    sides = [treated == 1, treated == 0]
    horizon = min(float(times[side].max()) for side in sides)
    hazard, wald = _cox(times, events, treated, strata, clusters)
    rmst = _rmst(times, events, sides, horizon, clusters)
    if clusters is not None:
        return ComparedTimes(hazard, rmst, horizon, wald, methods.COX_WALD_CLUSTERED)
    name = methods.LOG_RANK if strata is None else methods.LOG_RANK_STRATIFIED
    return ComparedTimes(hazard, rmst, horizon, _log_rank(times, events, treated, strata), name)


def _log_rank(times: Floats, events: Floats, treated: Floats, strata: Codes | None) -> (
    float | None
):  # fmt: skip
    try:
        with np.errstate(all="ignore"):
            _, p = survdiff(times, events, treated, strata=strata)
    except np.linalg.LinAlgError:  # no event while both arms were at risk: no variance
        return None
    return float(p) if isfinite(float(p)) else None


def _rmst(
    times: Floats, events: Floats, sides: list[Bools], horizon: float, clusters: Codes | None
) -> Estimate | None:
    (arm, arm_variance), (control, control_variance) = (
        restricted_mean(curve(times[side], events[side]), horizon) for side in sides
    )
    if clusters is None:
        half, name = _Z * sqrt(arm_variance + control_variance), methods.RMST
    else:
        treated = sides[0].astype(float)
        influence = hazards.restricted_mean_influences(times, events, treated, horizon)
        error, freedom = robust_error(influence, 1, clusters)
        half, name = _t(freedom) * error, methods.RMST_CLUSTERED
    if not half > 0:
        return None
    return Estimate(arm - control, arm - control - half, arm - control + half, name)


def _t(freedom: float) -> float:
    return float(stats.t.ppf(1 - (1 - LEVEL) / 2, freedom)) if freedom > 0 else float("nan")


def _cox(
    times: Floats,
    events: Floats,
    treated: Floats,
    strata: Codes | None,
    clusters: Codes | None,
) -> tuple[Estimate | None, float | None]:
    if not _has_finite_ratio(times, events, treated, strata):
        return None, None
    name = methods.COX if clusters is None else methods.COX_CLUSTERED
    found = (
        _from_table(times, events, treated, clusters)
        if strata is None
        else _person_by_person(times, events, treated, strata, clusters)
    )
    if found is None or not isfinite(found[1]) or found[1] == 0:
        return None, None
    value, error = found
    interval = exp(value - _Z * error), exp(value + _Z * error)
    return Estimate(exp(value), *interval, name), 2 * float(stats.norm.sf(abs(value / error)))


def _from_table(
    times: Floats, events: Floats, treated: Floats, clusters: Codes | None
) -> tuple[float, float] | None:
    table = hazards.risk_table(times, events, treated)
    if clusters is None:
        return hazards.efron(table)
    # the robust error is derived for Breslow's likelihood
    found = hazards.breslow(table)
    if found is None:
        return None
    beta, error = found
    return beta, hazards.clustered_error(beta, error, table, times, events, treated, clusters)


def _person_by_person(
    times: Floats, events: Floats, treated: Floats, strata: Codes, clusters: Codes | None
) -> tuple[float, float]:
    ties = "efron" if clusters is None else "breslow"
    model = PHReg(times, treated[:, None], status=events, strata=strata, ties=ties)
    fitted = model.fit(groups=clusters)
    return float(fitted.params[0]), float(fitted.bse[0])


def _has_finite_ratio(times: Floats, events: Floats, treated: Floats, strata: Codes | None) -> bool:
    """Whether both arms have events while both are at risk in the same stratum: otherwise the
    partial likelihood has no maximum, or does not depend on the arm at all."""
    informative = np.zeros(len(times), dtype=bool)
    groups = np.zeros(len(times), dtype=np.int64) if strata is None else strata
    for group in np.unique(groups):
        sides = [times[(groups == group) & (treated == side)] for side in (0, 1)]
        if all(side.size for side in sides):
            together = min(float(side.max()) for side in sides)
            informative |= (groups == group) & (events == 1) & (times <= together)
    return all((informative & (treated == side)).any() for side in (0, 1))
