"""Covariates for the adjusted versions, as one table of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contact_service.evaluation.trial.data import UNKNOWN, Factor, Numbers, TrialData

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
