"""Covariates for the adjusted versions, as one table of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contact_service.evaluation.trial.data import UNKNOWN, Factor, Numbers, TrialData
from contact_service.evaluation.trial.least_squares import Floats

_BLOCK = 1 << 16
RARE = 50
"""Groups smaller than this share one column: their own would fit noise."""


def table(data: TrialData, names: Sequence[str]) -> Numbers | None:
    """People × columns (``float32``, standardised): a column for each group of a factor but one,
    each number, and who lacks it (whose value is then the mean). ``None`` for no column."""
    columns: list[Numbers] = []
    for name in names or (*data.factors, *data.covariates):
        if name in data.factors and not data.after_allocation(name):
            columns += _groups(data.factors[name])
        elif name in data.covariates:
            columns += _number(data.covariates[name])
    return np.column_stack(columns) if columns else None


def standardised(columns: Sequence[Numbers]) -> Numbers | None:
    """Numbers known before allocation, each from its mean in its standard deviations."""
    found = [part for column in columns for part in _number(column)]
    return np.column_stack(found) if found else None


def estimable(treated: Floats, covariates: Numbers) -> Numbers | None:
    """The columns, first come first kept, whose slope either arm can tell: Lin's adjustment has one
    for each arm, and a column that does not vary in one (or is a sum of others there) would leave
    no effect at all. ``None`` where none is left."""
    sides = [_spread(covariates[treated == side]) for side in (1, 0)]
    kept: list[int] = []
    for column in range(covariates.shape[1]):
        if all(_adds(spread, kept, column) for spread in sides):
            kept.append(column)
    if len(kept) == covariates.shape[1]:
        return covariates
    return covariates[:, kept] if kept else None


def _spread(columns: Numbers) -> Floats:
    """Sums of squares and products about the means."""
    width = columns.shape[1]
    mean = columns.mean(axis=0, dtype=np.float64) if len(columns) else np.zeros(width)
    found: Floats = np.zeros((width, width))
    for start in range(0, len(columns), _BLOCK):
        block = columns[start : start + _BLOCK] - mean
        found += block.T @ block
    return found


def _adds(spread: Floats, kept: list[int], column: int) -> bool:
    """Whether a column varies beyond what the kept ones say of it."""
    own = float(spread[column, column])
    if own <= 1e-9:
        return False
    with_kept = spread[kept, column]
    told = float(with_kept @ np.linalg.pinv(spread[np.ix_(kept, kept)], hermitian=True) @ with_kept)
    return bool(own - told > 1e-6 * own)


def _groups(factor: Factor) -> list[Numbers]:
    counts = np.bincount(factor.codes + 1, minlength=len(factor.labels) + 1)
    common = [code for code in range(UNKNOWN, len(factor.labels)) if counts[code + 1] >= RARE]
    rest = counts.sum() - sum(counts[code + 1] for code in common)
    # the largest group, or the rare ones together, are what the others are compared with
    if rest == 0 and common:
        common.remove(max(common, key=lambda code: int(counts[code + 1])))
    return [(factor.codes == code).astype(np.float32) for code in common]


def _number(values: Numbers) -> list[Numbers]:
    unknown = np.isnan(values)
    known = values[~unknown].astype(np.float64)
    if not len(known) or known.std() == 0:
        return []
    standard = np.where(unknown, 0.0, (values - known.mean()) / known.std()).astype(np.float32)
    return [standard, unknown.astype(np.float32)] if unknown.any() else [standard]
