"""Where the truth is known: coverage, size and power over seeded simulated trials."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from contact_service.evaluation import estimates
from contact_service.evaluation.trial import regression
from contact_service.evaluation.trial.measures import Proportions
from contact_service.evaluation.trial.power import Design, plan

TRIALS = 2000
CONTROL = 0.2


def _drawn(truth: float, n: int, seed: int) -> Counter[tuple[int, int]]:
    """Payers in the arm and in the control, and how many trials came out so."""
    draw = np.random.default_rng(seed)
    treated = draw.binomial(n, CONTROL + truth, TRIALS).tolist()
    control = draw.binomial(n, CONTROL, TRIALS).tolist()
    return Counter(zip(treated, control, strict=True))


def _rejected(drawn: Counter[tuple[int, int]], n: int) -> float:
    return sum(
        trials for (a, b), trials in drawn.items() if estimates.p_value(a, n, b, n)[0] < 0.05
    ) / TRIALS  # fmt: skip


def test_newcombes_interval_covers_and_the_tests_size_holds() -> None:
    truth, n = 0.06, 300
    covered = sum(
        trials
        for (a, b), trials in _drawn(truth, n, seed=1).items()
        if not estimates.risk_difference(a, n, b, n).excludes(truth)
    )
    assert 0.93 <= covered / TRIALS <= 0.97
    assert 0.04 <= _rejected(_drawn(0, n, seed=2), n) <= 0.06


def test_power_is_what_the_design_promised() -> None:
    n = plan(Proportions(CONTROL), Design(power=0.8), effect=0.06)["n_control"]
    assert _rejected(_drawn(0.06, n, seed=3), n) == pytest.approx(0.8, abs=0.03)


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
        payers = [int(outcome[arm == side].sum()) for side in (1, 0)]
        naive += estimates.p_value(payers[0], 180, payers[1], 180)[0] < 0.05
    return covered / trials, rejected / trials, naive / trials


def test_households_are_covered_and_the_size_holds() -> None:
    covered, _, _ = _clustered(0.1, 1000, seed=4)
    assert 0.93 <= covered <= 0.97
    _, rejected, naive = _clustered(0, 1500, seed=5)
    assert 0.04 <= rejected <= 0.06
    assert naive > 0.06
