"""What was written for a million rows gives the figures of statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS
from statsmodels.sandbox.regression.gmm import IV2SLS

from contact_service.evaluation.trial import hazards, least_squares, ratios, regression, survival
from contact_service.evaluation.trial.least_squares import Codes, Floats

N = 600


def _drawn(seed: int) -> tuple[Floats, Floats, Floats, Codes]:
    """Outcome, arm, two covariates, clusters of 1 to 4."""
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(N), draw.integers(1, 5, N))[:N]
    arm = (cluster % 2).astype(float)
    z = draw.normal(size=(N, 2)) + draw.normal(size=N)[cluster][:, None]
    y = (draw.random(N) < 0.3 + 0.1 * arm + 0.05 * z[:, 0]).astype(float)
    return y, arm, z, cluster.astype(np.int64)


@pytest.mark.parametrize("clustered", [False, True])
def test_least_squares_and_lin(clustered: bool) -> None:
    y, arm, z, cluster = _drawn(1)
    centred = z - z.mean(axis=0)
    design = np.column_stack([np.ones(N), arm, centred, arm[:, None] * centred])
    errors = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}} if clustered else {
        "cov_type": "HC2"}  # fmt: skip
    theirs = OLS(y, design).fit(use_t=True, **errors)
    ours = least_squares.coefficient(
        y, least_squares.Interacted(arm, z), cluster if clustered else None
    )
    assert ours is not None
    freedom = len(np.unique(cluster)) - 1 if clustered else N - 6
    assert (ours.value, ours.error, ours.freedom) == pytest.approx(
        (theirs.params[1], theirs.bse[1], freedom)
    )
    if clustered:
        assert ours.p_value == pytest.approx(theirs.pvalues[1])


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    y, arm, z, cluster = _drawn(2)
    whole = [least_squares.coefficient(y, least_squares.Interacted(arm, z), c)
             for c in (None, cluster)]  # fmt: skip
    monkeypatch.setattr(least_squares, "_BLOCK", 7)
    for groups, before in zip((None, cluster), whole, strict=True):
        after = least_squares.coefficient(y, least_squares.Interacted(arm, z), groups)
        assert before is not None and after is not None
        assert (after.value, after.error) == pytest.approx((before.value, before.error))


def test_a_column_that_others_make_up_does_no_harm_and_has_no_coefficient() -> None:
    y, arm, z, _ = _drawn(3)
    double = np.column_stack([np.ones(N), arm, z, z])
    single = np.column_stack([np.ones(N), arm, z])
    first, second = (least_squares.coefficient(y, d, None) for d in (double, single))
    assert first is not None and second is not None
    assert (first.value, first.error) == pytest.approx((second.value, second.error))
    assert least_squares.coefficient(y, np.column_stack([np.ones(N), arm, 1 - arm]), None) is None


def test_ratios_without_strata_are_the_regressions() -> None:
    y, arm, _, cluster = _drawn(4)
    found = regression.clustered(y, arm, None, cluster)
    design = np.column_stack([np.ones(N), arm])
    for family, ours in (
        (families.Poisson(), found.risk_ratio), (families.Binomial(), found.odds_ratio),
    ):  # fmt: skip
        fitted = GLM(y, design, family=family).fit(
            use_t=True, cov_type="cluster", cov_kwds={"groups": cluster}
        )
        assert ours is not None
        assert np.log(ours.estimate) == pytest.approx(fitted.params[1], abs=1e-7)
        half = stats.t.ppf(0.975, len(np.unique(cluster)) - 1) * fitted.bse[1]
        assert np.log(ours.high / ours.low) / 2 == pytest.approx(half)


def _times(seed: int) -> tuple[Floats, Floats, Floats, Codes]:
    draw = np.random.default_rng(seed)
    arm = np.arange(N) % 2.0
    days = np.ceil(draw.exponential(np.where(arm == 1, 12, 18)))
    end = draw.integers(5, 40, N)
    return np.minimum(days, end), (days <= end).astype(float), arm, np.arange(N) // 4


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_from_the_risk_table(ties: str) -> None:
    days, event, arm, _ = _times(5)
    theirs = PHReg(days, arm[:, None], status=event, ties=ties).fit()
    solve = hazards.efron if ties == "efron" else hazards.breslow
    ours = solve(hazards.risk_table(days, event, arm))
    assert ours is not None
    assert ours == pytest.approx((theirs.params[0], theirs.bse[0]), rel=1e-5)


def test_cox_in_clusters_from_the_risk_table() -> None:
    days, event, arm, cluster = _times(6)
    theirs = PHReg(days, arm[:, None], status=event, ties="breslow").fit(groups=cluster)
    table = hazards.risk_table(days, event, arm)
    found = hazards.breslow(table)
    assert found is not None
    ours = hazards.clustered_error(*found, table, days, event, arm, cluster)
    assert ours == pytest.approx(float(theirs.bse[0]), rel=1e-5)


def test_restricted_mean_influences_add_up_to_greenwoods_sum() -> None:
    days, event, arm, _ = _times(7)
    parts = [survival.restricted_mean(survival.curve(days[arm == s], event[arm == s]), 20)
             for s in (1, 0)]  # fmt: skip
    influence = hazards.restricted_mean_influences(days, event, arm, 20)
    assert float(influence @ influence) == pytest.approx(parts[0][1] + parts[1][1])
    assert abs(float(influence.sum())) < 1e-9


def test_complier_ratio_is_two_stage_least_squares() -> None:
    draw = np.random.default_rng(8)
    arm = np.arange(N) % 2.0
    reached = arm * (draw.random(N) < 0.7)
    y = draw.normal(size=N) + 2 * reached
    instruments = np.column_stack([np.ones(N), arm])
    theirs = IV2SLS(y, np.column_stack([np.ones(N), reached]), instruments).fit()
    effect = y[arm == 1].mean() - y[arm == 0].mean()
    gained = reached[arm == 1].mean() - reached[arm == 0].mean()
    spread, freedom = ratios.covariance(
        ratios.influences(y, arm), ratios.influences(reached, arm), None
    )
    ours = ratios.fieller(effect, gained, spread, freedom, "x")
    assert ours is not None
    assert ours.estimate == pytest.approx(theirs.params[1])
    # a strong instrument: Fieller's interval is close to the Wald one
    assert (ours.high - ours.low) / 2 == pytest.approx(1.96 * theirs.bse[1], rel=0.05)


def test_fieller_has_no_end_where_the_divisor_may_be_nothing() -> None:
    found = ratios.fieller(1.0, 0.1, np.diag([0.01, 0.01]), 1000, "x")
    assert found is not None
    assert (found.estimate, found.low, found.high) == (10, float("-inf"), float("inf"))
