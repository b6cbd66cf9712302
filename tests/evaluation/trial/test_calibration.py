"""Where the truth is known: coverage, size and power over seeded simulated trials."""

from __future__ import annotations

import numpy as np
import pytest

from contact_service.evaluation.trial import proportions, regression
from contact_service.evaluation.trial.measures import Proportions
from contact_service.evaluation.trial.power import Design, plan
from contact_service.evaluation.trial.proportions import Count

TRIALS = 2000
CONTROL = 0.2


def _compared(truth: float, n: int, seed: int) -> list[proportions.Compared]:
    draw = np.random.default_rng(seed)
    treated = draw.binomial(n, CONTROL + truth, TRIALS).tolist()
    control = draw.binomial(n, CONTROL, TRIALS).tolist()
    return [
        proportions.plain(Count(n, a), Count(n, b)) for a, b in zip(treated, control, strict=True)
    ]


def test_newcombes_interval_covers_and_the_tests_size_holds() -> None:
    truth = 0.06
    covered = sum(
        found.risk_difference is not None and not found.risk_difference.excludes(truth)
        for found in _compared(truth, 300, seed=1)
    )
    assert 0.93 <= covered / TRIALS <= 0.97
    rejected = sum(
        found.p_value is not None and found.p_value < 0.05 for found in _compared(0, 300, seed=2)
    )
    assert 0.04 <= rejected / TRIALS <= 0.06


def test_power_is_what_the_design_promised() -> None:
    n = plan(Proportions(CONTROL), Design(power=0.8), effect=0.06)["n_control"]
    found = _compared(0.06, n, seed=3)
    power = sum(f.p_value is not None and f.p_value < 0.05 for f in found) / TRIALS
    assert power == pytest.approx(0.8, abs=0.03)


def _clustered(truth: float, trials: int, seed: int) -> tuple[float, float, float]:
    """Coverage of the truth, share of p-values below 5 %, and the same share had people been
    taken for independent: 60 households of 3 in each of two arms."""
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(120), 3)
    arm = np.repeat(np.arange(120) % 2, 3).astype(float)
    covered = rejected = naive = 0
    for _ in range(trials):
        lean = np.repeat(
            draw.beta(1, 2.3333, 120), 3
        )  # ICC = 1 ÷ (1 + 1 + 2.3333) = 0.23, mean 0.3
        chance = lean + arm * truth * (1 - lean) / 0.7
        outcome = (draw.random(360) < chance).astype(float)
        slope = regression.linear(outcome, arm, None, cluster)
        assert slope is not None
        covered += slope.low <= truth <= slope.high
        rejected += slope.p_value < 0.05
        p = proportions.plain(
            Count(180, int(outcome[arm == 1].sum())), Count(180, int(outcome[arm == 0].sum()))
        ).p_value
        naive += p is not None and p < 0.05
    return covered / trials, rejected / trials, naive / trials


def test_households_are_covered_and_the_size_holds() -> None:
    covered, _, _ = _clustered(0.1, 1000, seed=4)
    assert 0.93 <= covered <= 0.97
    _, rejected, naive = _clustered(0, 1500, seed=5)
    assert 0.04 <= rejected <= 0.06
    assert naive > 0.06
