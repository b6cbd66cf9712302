"""Whether the effect differs between groups: the effect in each, one test of interaction a
factor, all of them adjusted together by Benjamini and Hochberg. Exploration, not proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import methods, proportions
from contact_service.evaluation.trial.data import UNKNOWN, Factor, TrialData
from contact_service.evaluation.trial.effects import Pair
from contact_service.evaluation.trial.least_squares import Floats, Slope, coefficient
from contact_service.evaluation.trial.proportions import Count


@dataclass(frozen=True, slots=True)
class Group:
    """The effect in one group. ``n`` and ``events`` (or sums) of the arm and of the control."""

    group: str
    n: int
    control_n: int
    total: float
    control_total: float
    effect: Estimate | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One factor in one comparison. ``after_allocation``: the factor exists in the arm only
    (the hour of contact, drawn by lot within the arm): each group is held against the whole
    control. ``p_value``: of no difference between groups; ``None`` for fewer than two."""

    arm: str
    control: str
    factor: str
    measure: str
    groups: tuple[Group, ...]
    after_allocation: bool
    q: float | None
    freedom: int
    p_value: float | None
    p_adjusted: float | None = None
    method: str = methods.HETEROGENEITY
    adjustment: str = methods.BENJAMINI_HOCHBERG


def interactions(
    data: TrialData, pairs: Sequence[Pair], names: Sequence[str], measure: str, values: Floats
) -> tuple[Interaction, ...]:
    """By each factor named. ``values``: of the whole trial, NaN where not known."""
    yes_no = measure in data.outcomes
    found = [
        _interaction(pair, name, data.factors[name], measure, values, yes_no)
        for pair in pairs
        for name in names
        if name in data.factors
    ]
    tested = [i for i, one in enumerate(found) if one.p_value is not None]
    if tested:
        raw = np.asarray([found[i].p_value for i in tested], float)
        for i, p in zip(tested, stats.false_discovery_control(raw), strict=True):
            found[i] = replace(found[i], p_adjusted=float(p))
    return tuple(found)


def _interaction(
    pair: Pair, name: str, factor: Factor, measure: str, values: Floats, yes_no: bool
) -> Interaction:
    sums = values[pair.rows]
    known = pair.known(sums)
    sums = sums[~np.isnan(sums)]
    codes = factor.codes[known.rows]
    control = known.treated == 0
    late = bool(len(codes) and (codes[control] == UNKNOWN).all() and (codes >= 0).any())
    groups, slopes = [], []
    for code, label in enumerate(factor.labels):
        mine = codes == code
        if not mine.any():
            continue
        rows = mine | control if late else mine
        group, slope = _group(known.where(rows), label, sums[rows], yes_no)
        groups.append(group)
        if late:
            slope = _own_mean(sums[mine], None if known.clusters is None else known.clusters[mine])
        if slope is not None:
            slopes.append(slope)
    q, freedom, p = _heterogeneity(slopes)
    return Interaction(pair.arm, pair.control, name, measure, tuple(groups), late, q, freedom, p)


def _group(pair: Pair, label: str, sums: Floats, yes_no: bool) -> tuple[Group, Slope | None]:
    side = pair.treated == 1
    sizes = int(side.sum()), int((~side).sum())
    totals = float(sums[side].sum()), float(sums[~side].sum())
    slope = None
    if all(sizes):
        design = np.column_stack([np.ones(len(sums)), pair.treated])
        slope = coefficient(sums, design, pair.clusters)
    effect: Estimate | None = None
    if yes_no and pair.clusters is None and all(sizes):
        arm, control = (Count(n, int(t)) for n, t in zip(sizes, totals, strict=True))
        effect = proportions.plain(arm, control).risk_difference
    elif slope is not None:
        name = methods.WELCH_HC2 if pair.clusters is None else methods.LINEAR_CLUSTERED
        effect = Estimate(slope.value, slope.low, slope.high, name)
    return Group(label, *sizes, *totals, effect), slope


def _own_mean(sums: Floats, clusters: np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None) -> (
    Slope | None
):  # fmt: skip
    """The control is the same for every group, so groups differ as their own means do."""
    return coefficient(sums, np.ones((len(sums), 1)), clusters, which=0)


def _heterogeneity(slopes: Sequence[Slope]) -> tuple[float | None, int, float | None]:
    if len(slopes) < 2:
        return None, 0, None
    weights = np.array([1 / slope.error**2 for slope in slopes])
    effects = np.array([slope.value for slope in slopes])
    q = float(weights @ (effects - weights @ effects / weights.sum()) ** 2)
    return q, len(slopes) - 1, float(stats.chi2.sf(q, len(slopes) - 1))
