"""Estimates against published values, and the interval's coverage where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import Moments


def test_newcombe_1998_example_a() -> None:
    found = estimates.risk_difference(56, 70, 48, 80)
    assert found.estimate == pytest.approx(0.2)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert found.excludes(0)


def test_nobody_paid_anywhere() -> None:
    found = estimates.risk_difference(0, 30, 0, 40)
    assert found.low < 0 < found.high
    assert estimates.risk_ratio(0, 30, 0, 40) is None
    assert estimates.p_value(0, 30, 0, 40) == (1.0, "Fisher")
    assert estimates.number_needed(found) is None


def test_everybody_paid_everywhere() -> None:
    """No interval of no width: that would say that the ratio is known exactly."""
    assert estimates.risk_ratio(30, 30, 40, 40) is None
    one_arm = estimates.risk_ratio(30, 30, 20, 40)
    assert one_arm is not None
    assert one_arm.low < 2 < one_arm.high


def test_wilson_newcombe_1998_81_of_263() -> None:
    found = estimates.share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    with pytest.raises(ValueError, match="nobody"):
        estimates.share(0, 0)


@pytest.mark.parametrize("n", [7, 29, 56, 263, 1_000_003])
def test_a_share_of_none_or_all_ends_where_shares_end(n: int) -> None:
    none, everybody = estimates.shares([0, n], n)
    assert (none.low, everybody.high) == (0, 1)
    assert 0 < none.high < 1
    assert none.high == pytest.approx(1 - everybody.low)


def test_risk_ratio_log_wald() -> None:
    # by hand: ln(4/3) ± 1.959964·sqrt(1/56 − 1/70 + 1/48 − 1/80)
    found = estimates.risk_ratio(56, 70, 48, 80)
    assert found is not None
    assert found.estimate == pytest.approx(4 / 3)
    assert (round(found.low, 4), round(found.high, 4)) == (1.0766, 1.6512)


def test_pooled_z_is_chi_squared() -> None:
    # χ² = N(ad − bc)² ÷ (product of the margins) = 150·1120² ÷ (70·80·104·46) = 7.0234
    p, method = estimates.p_value(56, 70, 48, 80)
    assert (p, method) == (pytest.approx(float(stats.chi2.sf(7.02341, 1)), rel=1e-4), "pooled z")


def test_fisher_where_counts_are_small() -> None:
    p, method = estimates.p_value(3, 4, 1, 4)  # Fisher's tea
    assert (round(p, 4), method) == (0.4857, "Fisher")


def test_holm() -> None:
    assert estimates.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert estimates.holm([]) == []
    draw = np.random.default_rng(3)
    for n in (1, 6):
        p = [*draw.random(n), 0.02, 0.02]
        assert estimates.holm(p) == pytest.approx(list(multipletests(p, method="holm")[1]))


def test_number_needed_turns_the_interval_over() -> None:
    needed = estimates.number_needed(estimates.risk_difference(56, 70, 48, 80))
    assert needed is not None
    assert needed.estimate == pytest.approx(5)
    assert needed.low == pytest.approx(1 / 0.33387, rel=1e-4)
    assert needed.high == pytest.approx(1 / 0.05243, rel=1e-3)


def test_welch_against_students_sleep_data() -> None:
    # R: t.test(extra ~ group, data = sleep) → 95 % −3.3654832 to 0.2054832
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = estimates.mean_difference(estimates.moments(first), estimates.moments(second))
    assert found is not None
    assert (round(found.low, 6), round(found.high, 6)) == (-3.365483, 0.205483)
    assert not found.excludes(0)


def test_means_that_allow_no_interval() -> None:
    assert estimates.mean_difference(Moments(1, 5, 0), Moments(9, 4, 1)) is None
    assert estimates.mean_difference(Moments(3, 5, 0), Moments(9, 4, 0)) is None


def test_sample_ratio() -> None:
    assert estimates.sample_ratio([100, 100, 100], [1, 1, 1]) == 1
    assert estimates.sample_ratio([200, 100], [2, 1]) == 1
    # χ² = 2 × 50² ÷ 500 = 10 on 1 degree of freedom
    assert estimates.sample_ratio([550, 450], [1, 1]) == pytest.approx(0.0015654, abs=1e-6)


def test_newcombe_covers_the_truth() -> None:
    """Of 2,000 seeded trials 93.5–96.5 % of the intervals hold the true difference."""
    draws = np.random.default_rng(20261026)
    truth, trials = 0.07, 2000
    treated = draws.binomial(400, 0.16 + truth, trials)
    control = draws.binomial(400, 0.16, trials)
    found = [
        estimates.risk_difference(int(a), 400, int(b), 400)
        for a, b in zip(treated, control, strict=True)
    ]
    covered = sum(not e.excludes(truth) for e in found) / trials
    assert 0.935 <= covered <= 0.965
