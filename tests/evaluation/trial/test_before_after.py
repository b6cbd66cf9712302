"""Before and after: a change that was put into the counts, and none."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from contact_service.evaluation.trial.before_after import before_after

START = date(2026, 1, 5)
WORKING = [day for n in range(280) if (day := START + timedelta(days=n)).weekday() < 5]
CHANGE = WORKING[120]
DUE = [date(2026, month, 28) for month in range(1, 11)]


def _calls(ratio: float, seed: int) -> list[int]:
    """Some 80 a day, more on Mondays and after due dates, a slow trend, days that hang together."""
    draw = np.random.default_rng(seed)
    lean, counts = 0.0, []
    for day in WORKING:
        lean = 0.3 * lean + draw.normal(0, 0.04)
        near = any(1 <= (day - due).days < 6 for due in DUE)
        mean = 80 * np.exp(0.2 * (day.weekday() == 0) + 0.15 * near + lean)
        mean *= np.exp(0.002 * (day - START).days / 7) * (ratio if day >= CHANGE else 1)
        counts.append(int(draw.poisson(mean)))
    return counts


def test_a_change_is_found_at_its_size_and_stands_out_from_placebos() -> None:
    found = before_after("inbound_calls", WORKING, _calls(1.4, 1), CHANGE, DUE)
    assert found.level is not None and found.p_value is not None
    assert found.level.estimate == pytest.approx(1.4, rel=0.15)
    assert found.level.low > 1.2 and found.p_value < 0.001
    assert (found.days_before, found.days_after) == (120, len(WORKING) - 120)
    assert len(found.placebos) == 10
    assert found.placebo_p == pytest.approx(1 / 11)
    assert found.level.method.startswith("segmented negative binomial")
    assert found.notes[0]["key"] == "before_after"


def test_no_change_is_seldom_found() -> None:
    ps = [before_after("calls", WORKING, _calls(1.0, seed), CHANGE, DUE).p_value
          for seed in range(10, 22)]  # fmt: skip
    assert sum(p is not None and p < 0.05 for p in ps) <= 3


def test_too_few_days_say_nothing_but_that() -> None:
    found = before_after("calls", WORKING[:50], _calls(1.0, 3)[:50], WORKING[40])
    assert (found.level, found.p_value, found.placebos) == (None, None, ())
    assert [one["key"] for one in found.notes] == ["before_after", "few_days"]
    with pytest.raises(ValueError, match="in order"):
        before_after("calls", WORKING[::-1], _calls(1.0, 3), CHANGE)


def test_newey_west_errors_by_hand() -> None:
    draw = np.random.default_rng(4)
    design = np.column_stack([np.ones(80), np.arange(80) >= 40])
    values = draw.poisson(20, 80).astype(float)
    fitted = GLM(values, design, family=families.Poisson()).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3}
    )
    mean = np.asarray(fitted.fittedvalues)
    scores = design * (values - mean)[:, None]
    middle = scores.T @ scores
    for lag in range(1, 4):
        part = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / 4) * (part + part.T)
    bread = np.linalg.inv((design * mean[:, None]).T @ design)
    assert np.asarray(fitted.cov_params()) == pytest.approx(bread @ middle @ bread)
