"""Counts a day before and after a change: segmented regression, for what no lot was drawn for.

Calls a day are counts that trend, follow the day of the week, swell after due dates and hang
together from day to day. A negative binomial (or Poisson, where the counts vary no more than
that) with a step and a change of slope at the change, dummies for the day of the week and terms
for days after due dates; errors by Newey and West. Placebo dates before the change show what the
same method finds where nothing happened: where days hang together these errors are somewhat too
small (simulated with an autocorrelation of 0.5, the interval covered in 34 of 40), so read
``placebo_p`` beside the p-value. Still no trial: whatever else changed that day is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, exp, isfinite, log

import numpy as np
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial import methods
from contact_service.evaluation.trial.least_squares import Floats
from contact_service.evaluation.trial.notes import note

FEWEST = 15
"""Working days that either side must have: three weeks, which four with holidays leave."""
PLACEBOS = 10
"""Placebo dates, at most."""
DUE_DAYS = 5
"""Days after a due date that have a term of their own (the first week and the second)."""
_Z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))


@dataclass(frozen=True, slots=True)
class Placebo:
    """What the method finds at a date at which nothing was changed."""

    on: str
    ratio: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """``level``: the calls just after the change ÷ those to be expected by then; ``slope``: how
    much faster they grow a week afterwards. ``placebo_p``: the share of dates, this one among
    them, at which the method finds as much; ``None`` with fewer than five placebos."""

    measure: str
    days_before: int
    days_after: int
    level: Estimate | None
    slope_per_week: Estimate | None
    p_value: float | None
    dispersion: float
    lags: int
    placebos: tuple[Placebo, ...]
    placebo_p: float | None
    notes: tuple[Mapping[str, str], ...]

    @property
    def placebos_against(self) -> int:
        """At how many placebo dates the method finds a change, or one as far: then it finds such
        changes of itself."""
        return sum(
            one.p_value < 1 - LEVEL or _as_far(one.ratio, self.level) for one in self.placebos
        )


def _as_far(one: Estimate, found: Estimate | None) -> bool:
    return found is not None and abs(log(one.estimate)) >= abs(log(found.estimate))


def before_after(
    measure: str,
    days: Sequence[date],
    counts: Sequence[float],
    change: date,
    due_dates: Sequence[date] = (),
) -> BeforeAfter:
    """Of ``counts`` on working ``days`` in order; ``change`` is the first day "after".

    ``due_dates``: 納期限 and 督促, after which people call. Raises ``ValueError`` for days that
    are not in order or without their counts.
    """
    if len(days) != len(counts) or list(days) != sorted(set(days)):
        raise ValueError("one count for each day, in order")
    values = np.array(counts, dtype=float)
    before = sum(day < change for day in days)
    after = len(days) - before
    said = [note("before_after")]
    if min(before, after) < FEWEST or not values.any():
        said.append(note("few_days", few=FEWEST))
        return BeforeAfter(measure, before, after, None, None, None, 1.0, 0, (), None, tuple(said))
    design = _design(days, change, due_dates)
    if not _estimable(values, design):
        said.append(note("no_interval"))
        return BeforeAfter(measure, before, after, None, None, None, 1.0, 0, (), None, tuple(said))
    dispersion = _dispersion(values, design)
    level, slope, p, lags = _fitted(days, values, change, due_dates, dispersion)
    placebos = _placebos(days[:before], values[:before], due_dates, dispersion)
    share = None
    if level is not None and len(placebos) >= 5:
        as_far = sum(_as_far(one.ratio, level) for one in placebos)
        share = (1 + as_far) / (1 + len(placebos))
    else:
        said.append(note("no_placebos"))
    if any(one.p_value < 1 - LEVEL for one in placebos):
        said.append(note("placebo_found", n=sum(one.p_value < 1 - LEVEL for one in placebos)))
    return BeforeAfter(
        measure, before, after, level, slope, p, dispersion, lags, placebos, share, tuple(said)
    )


def _design(days: Sequence[date], change: date, due_dates: Sequence[date]) -> Floats:
    """1, step, weeks since the start, weeks since the change, weekdays but the first, and the
    first and second week after a due date."""
    start = days[0]
    weeks = np.array([(day - start).days / 7 for day in days])
    since = np.array([max(0.0, (day - change).days / 7) for day in days])
    step = np.array([day >= change for day in days], dtype=float)
    weekdays = np.array([day.weekday() for day in days])
    columns = [np.ones(len(days)), step, weeks, since]
    columns += [(weekdays == w).astype(float) for w in sorted(set(weekdays.tolist()))[1:]]
    for first in (1, 1 + DUE_DAYS):
        near = np.array([any(first <= (day - due).days < first + DUE_DAYS for due in due_dates)
                         for day in days], dtype=float)  # fmt: skip
        if 0 < near.sum() < len(days):
            columns.append(near)
    return np.column_stack(columns)


def _estimable(values: Floats, design: Floats) -> bool:
    """Whether no group of days (a side, a weekday) is without any call: it would have no level."""
    groups = [column for column in design.T if set(np.unique(column)) == {0.0, 1.0}]
    return all(values[group == side].any() for group in groups for side in (0, 1))


def _dispersion(values: Floats, design: Floats) -> float:
    """The negative binomial's α by moments: Σ((y − μ)² − μ) ÷ Σμ², 0 for no more spread than
    Poisson's (Cameron and Trivedi 2013, ch. 3)."""
    fitted = GLM(values, design, family=families.Poisson()).fit()
    mean = np.asarray(fitted.fittedvalues)
    return max(0.0, float(np.sum((values - mean) ** 2 - mean) / np.sum(mean**2)))


def _fitted(
    days: Sequence[date],
    values: Floats,
    change: date,
    due_dates: Sequence[date],
    dispersion: float,
) -> tuple[Estimate | None, Estimate | None, float | None, int]:
    design = _design(days, change, due_dates)
    lags = ceil(4 * (len(days) / 100) ** (2 / 9))
    if np.linalg.matrix_rank(design) < design.shape[1] or not _estimable(values, design):
        return None, None, None, lags
    family = families.NegativeBinomial(alpha=dispersion) if dispersion > 1e-8 else (
        families.Poisson())  # fmt: skip
    fitted = GLM(values, design, family=family).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    name = methods.SEGMENTED_NB if dispersion > 1e-8 else methods.SEGMENTED_POISSON
    level, slope = (_ratio(float(fitted.params[i]), float(fitted.bse[i]), name) for i in (1, 3))
    if level is None:
        return None, slope, None, lags
    p = 2 * float(stats.norm.sf(abs(float(fitted.params[1]) / float(fitted.bse[1]))))
    return level, slope, p, lags


def _ratio(value: float, error: float, name: str) -> Estimate | None:
    if not isfinite(error) or error < 1e-9 or abs(value) + _Z * error > 50:
        return None
    return Estimate(exp(value), exp(value - _Z * error), exp(value + _Z * error), name)


def _placebos(
    days: Sequence[date], values: Floats, due_dates: Sequence[date], dispersion: float
) -> tuple[Placebo, ...]:
    """The method at dates spread over the time before the change, with nothing of after."""
    room = range(FEWEST, len(days) - FEWEST + 1)
    if not len(room):
        return ()
    places = sorted({round(p) for p in np.linspace(room[0], room[-1], min(PLACEBOS, len(room)))})
    found = []
    for place in places:
        ratio, _, p, _ = _fitted(days, values, days[place], due_dates, dispersion)
        if ratio is not None and p is not None:
            found.append(Placebo(days[place].isoformat(), ratio, p))
    return tuple(found)
