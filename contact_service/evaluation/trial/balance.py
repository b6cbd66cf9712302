"""Whether the arms were alike before anything was done, and have the sizes they should have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from contact_service.evaluation import estimates
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.data import UNKNOWN, Factor, TrialData
from contact_service.evaluation.trial.least_squares import numbered

LARGE = 0.1
"""A standardised difference above this is worth a look (Austin 2009)."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One line of the balance table: a number's mean, or a group's share, by arm, and each
    arm's standardised difference from the control."""

    name: str
    group: str | None  # None for a number
    values: Mapping[str, float | None]
    counts: Mapping[str, int]
    standardised_differences: Mapping[str, float | None]
    method: str = methods.STANDARDISED


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Units (of randomisation) by arm against the weights. A p-value below 0.001 says that the
    allocation or the counting is broken, and that nothing else should be believed."""

    found: Mapping[str, int]
    weights: Mapping[str, int]
    p_value: float
    broken: bool
    method: str = methods.CHI_SQUARE


def sample_ratio(data: TrialData, weights: Mapping[str, int]) -> SampleRatio | None:
    """``None`` for one arm, or nobody."""
    if len(data.arms) < 2 or not len(data):
        return None
    if data.clusters is None:
        found = np.bincount(data.arm, minlength=len(data.arms))
    else:
        codes, groups = numbered(data.clusters.astype(np.int64))
        # a cluster counts in the arm of its first row
        first = np.full(groups, -1, dtype=np.int64)
        first[codes[::-1]] = data.arm[::-1]
        found = np.bincount(first, minlength=len(data.arms))
    shares = {arm: weights.get(arm, 1) for arm in data.arms}
    p = estimates.sample_ratio([int(n) for n in found], list(shares.values()))
    counts = dict(zip(data.arms, (int(n) for n in found), strict=True))
    return SampleRatio(counts, shares, p, p < 0.001)


def table(data: TrialData, control: str) -> tuple[Characteristic, ...]:
    """Every factor that was known before, group by group, then every covariate."""
    lines: list[Characteristic] = []
    for name, factor in data.factors.items():
        if not data.after_allocation(name):
            lines += _groups(data, name, factor, control)
    for name, values in data.covariates.items():
        means: dict[str, float | None] = {}
        variances: dict[str, float] = {}
        known: dict[str, int] = {}
        for code, arm in enumerate(data.arms):
            own = values[data.arm == code].astype(np.float64)
            own = own[~np.isnan(own)]
            known[arm] = len(own)
            means[arm] = float(own.mean()) if len(own) else None
            variances[arm] = float(own.var(ddof=1)) if len(own) > 1 else 0.0
        lines.append(_line(name, None, means, known, variances, control))
    return tuple(lines)


def _groups(data: TrialData, name: str, factor: Factor, control: str) -> list[Characteristic]:
    width = len(factor.labels) + 1
    cells = np.bincount(
        data.arm.astype(np.int64) * width + factor.codes + 1, minlength=len(data.arms) * width
    ).reshape(len(data.arms), width)
    sizes = cells.sum(axis=1)
    lines = []
    for code in range(UNKNOWN, len(factor.labels)):
        if not cells[:, code + 1].any():
            continue
        shares: dict[str, float | None] = {}
        for row, arm in enumerate(data.arms):
            shares[arm] = float(cells[row, code + 1] / sizes[row]) if sizes[row] else None
        variances = {arm: p * (1 - p) if p is not None else 0.0 for arm, p in shares.items()}
        counts = {arm: int(cells[row, code + 1]) for row, arm in enumerate(data.arms)}
        label = "unknown" if code == UNKNOWN else factor.labels[code]
        lines.append(_line(name, label, shares, counts, variances, control))
    return lines


def _line(
    name: str,
    group: str | None,
    values: Mapping[str, float | None],
    counts: Mapping[str, int],
    variances: Mapping[str, float],
    control: str,
) -> Characteristic:
    differences: dict[str, float | None] = {}
    base = values[control]
    for arm, value in values.items():
        if arm == control:
            continue
        spread = sqrt((variances[arm] + variances[control]) / 2)
        known = value is not None and base is not None and spread > 0
        differences[arm] = (value - base) / spread if known else None  # type: ignore[operator]
    return Characteristic(name, group, values, counts, differences)
