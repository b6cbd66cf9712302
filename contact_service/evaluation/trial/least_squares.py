"""Least squares on arm and covariates, with errors for clusters or for unequal variance.

The same figures as statsmodels' ``OLS(...).fit(cov_type="cluster" | "HC2", use_t=True)`` (the
tests compare them), by normal equations and one pass of sums, so that eight outcomes of a
million people take seconds and no more memory than their columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Protocol

import numpy as np
from scipy import stats

from contact_service.evaluation.estimates import LEVEL, Estimate

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Numbers = np.ndarray[tuple[int, ...], np.dtype[Any]]
"""Any floating type."""

_BLOCK = 1 << 16
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True)
class Slope:
    """A coefficient, its 95 % interval, the two-sided p-value of none, and its error."""

    value: float
    low: float
    high: float
    p_value: float
    error: float
    freedom: float


def difference(slope: Slope | None, method: str) -> Estimate | None:
    """The coefficient as an estimate."""
    return Estimate(slope.value, slope.low, slope.high, method) if slope else None


def slope_of(value: float, error: float, freedom: float) -> Slope | None:
    """A coefficient with its error, by Student's t; ``None`` without a usable error."""
    if not isfinite(value) or not isfinite(error) or error < 1e-12 or freedom <= 0:
        return None
    half = float(stats.t.ppf(1 - (1 - LEVEL) / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(value / error), freedom))
    return Slope(value, value - half, value + half, p, error, freedom)


def numbered(clusters: Codes) -> tuple[Codes, int]:
    """Clusters counted from 0 without gaps, and how many there are."""
    low, high = int(clusters.min()), int(clusters.max())
    if high - low < 8 * len(clusters) + 1024:
        seen = np.zeros(high - low + 1, dtype=bool)
        seen[clusters - low] = True
        place = np.cumsum(seen) - 1
        return place[clusters - low], int(place[-1]) + 1
    found, codes = np.unique(clusters, return_inverse=True)
    return codes.reshape(-1), len(found)


def robust_error(influence: Floats, rank: int, clusters: Codes | None) -> tuple[float, float]:
    """Error of a sum of influences, and its degrees of freedom: by clusters with the factor
    G/(G − 1)·(N − 1)/(N − K) and G − 1, or by people (HC1) with N − K."""
    n = len(influence)
    if clusters is None:
        if n <= rank:
            return float("nan"), 0
        return sqrt(float(influence @ influence) * n / (n - rank)), n - rank
    codes, groups = numbered(clusters)
    if groups < 2 or n <= rank:
        return float("nan"), 0
    sums = np.bincount(codes, weights=influence, minlength=groups)
    factor = groups / (groups - 1) * (n - 1) / (n - rank)
    return sqrt(float(sums @ sums) * factor), groups - 1


class Design(Protocol):
    """People × columns, made a block of people at a time."""

    width: int

    def __len__(self) -> int: ...

    def block(self, rows: slice) -> Floats:
        """The rows of these people."""


class Plain:
    """Columns that are there already."""

    def __init__(self, columns: Floats) -> None:
        self._columns, self.width = columns, columns.shape[1]

    def __len__(self) -> int:
        return len(self._columns)

    def block(self, rows: slice) -> Floats:
        """The rows of these people."""
        return self._columns[rows]


class Interacted:
    """1, treated, covariates from their mean, and treated × these (Lin 2013): the coefficient of
    treated is then the mean effect whatever the covariates do."""

    def __init__(self, treated: Floats, covariates: Numbers) -> None:
        self._treated, self._covariates = treated, covariates
        self._mean = covariates.mean(axis=0, dtype=np.float64)
        self.width = 2 + 2 * covariates.shape[1]

    def __len__(self) -> int:
        return len(self._treated)

    def block(self, rows: slice) -> Floats:
        """The rows of these people."""
        treated = self._treated[rows, None]
        centred = self._covariates[rows] - self._mean
        return np.hstack([np.ones_like(treated), treated, centred, treated * centred])


def coefficient(
    values: Floats, design: Design | Floats, clusters: Codes | None, which: int = 1
) -> Slope | None:
    """One coefficient of ``values`` on ``design``: cluster-robust, or HC2 without clusters.

    ``None`` where the data leave no degree of freedom, do not vary, or where the column is a
    sum of the others; among the others such columns do no harm.
    """
    n = len(values)
    if n == 0 or float(values.min()) == float(values.max()):
        return None
    columns = Plain(design) if isinstance(design, np.ndarray) else design
    blocks = [slice(start, start + _BLOCK) for start in range(0, n, _BLOCK)]
    gram: Floats = np.zeros((columns.width, columns.width))
    product: Floats = np.zeros(columns.width)
    for rows in blocks:
        block = columns.block(rows)
        gram += block.T @ block
        product += block.T @ values[rows]
    scale = np.sqrt(np.diag(gram))
    scale[scale == 0] = 1
    gram /= np.outer(scale, scale)
    inverse = np.linalg.pinv(gram, rcond=_SINGULAR, hermitian=True)
    own = gram @ inverse[:, which]
    own[which] -= 1
    rank = int(np.linalg.matrix_rank(gram, tol=_SINGULAR * len(scale), hermitian=True))
    units = n if clusters is None else numbered(clusters)[1]
    if float(np.abs(own).max()) > 1e-6 or units <= rank:
        return None
    inverse /= np.outer(scale, scale)
    beta = inverse @ product
    residual, pull, leverage = np.empty(n), np.empty(n), np.empty(n)
    for rows in blocks:
        block = columns.block(rows)
        residual[rows] = values[rows] - block @ beta
        pull[rows] = block @ inverse[:, which]
        if clusters is None:
            leverage[rows] = np.einsum("ij,ij->i", block @ inverse, block)
    if float(np.abs(residual).max()) < 1e-9 * max(1.0, float(np.abs(values).max())):
        return None
    if clusters is not None:
        return slope_of(float(beta[which]), *robust_error(pull * residual, rank, clusters))
    # somebody who alone fixes a coefficient has neither residual nor leverage left
    alone = leverage > 1 - 1e-9
    squares = np.where(alone, 0, (pull * residual) ** 2 / np.where(alone, 1, 1 - leverage))
    return slope_of(float(beta[which]), sqrt(float(squares.sum())), n - rank)
