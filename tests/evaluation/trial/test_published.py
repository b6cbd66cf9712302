"""Published trials and R's results, to the digits printed."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy import stats

from contact_service.evaluation.trial import amounts, analysis, proportions, survival
from contact_service.evaluation.trial.counts import Counts
from contact_service.evaluation.trial.proportions import Count
from contact_service.evaluation.trial.regression import Floats
from contact_service.evaluation.trial.rows import Rows
from tests.evaluation.trial.published import BCG, BERKELEY, PLACEBO, SIX_MP, TURNOUT


@pytest.mark.parametrize(
    ("arm", "control", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombe_1998_examples_a_to_h(
    arm: tuple[int, int], control: tuple[int, int], low: float, high: float
) -> None:
    counts = Counts({"new": Count(arm[1], arm[0]), "old": Count(control[1], control[0])}, None)
    found = analysis.of_counts(counts, "old")["comparisons"][0]["risk_difference"]
    assert (round(found["low"], 4), round(found["high"], 4)) == (low, high)
    assert found["method"] == "Newcombe"


def test_turnout_trial_and_its_multiplicity() -> None:
    counts = Counts({name: Count(n, voted) for name, (n, voted) in TURNOUT.items()}, None)
    found = analysis.of_counts(counts, "control")
    # table 2 prints 29.7, 31.5, 32.2, 34.5, 37.8 %
    assert [round(arm["risk"]["estimate"] * 100, 1) for arm in found["arms"]] == [
        29.7, 31.5, 32.2, 34.5, 37.8,
    ]  # fmt: skip
    # table 3, model (a) prints .018, .026, .049, .081
    effects = [round(row["risk_difference"]["estimate"], 3) for row in found["comparisons"]]
    assert effects == [0.018, 0.026, 0.049, 0.081]
    ps = [row["p_value"] for row in found["comparisons"]]
    assert found["comparisons"][0]["p_adjusted"] == pytest.approx(max(ps))
    assert found["adjustment"]["comparisons"] == 4


def test_bcg_trials_pooled_by_mantel_and_haenszel() -> None:
    strata = [(Count(a + b, a), Count(c + d, c)) for a, b, c, d in BCG]
    found = proportions.stratified(strata)
    # R: library(metafor); rma.mh(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
    ratio = found.risk_ratio
    assert ratio is not None
    assert (round(ratio.estimate, 4), round(ratio.low, 4), round(ratio.high, 4)) == (
        0.6353, 0.5881, 0.6862,
    )  # fmt: skip
    # the same with measure="OR": log odds ratio -0.4734, -0.5538 to -0.3930
    odds = found.odds_ratio
    assert odds is not None
    assert [round(log(v), 4) for v in (odds.estimate, odds.low, odds.high)] == [
        -0.4734, -0.5538, -0.3930,
    ]  # fmt: skip


def test_berkeley_admissions_by_cochran_mantel_haenszel() -> None:
    found = proportions.stratified([(Count(a + b, a), Count(c + d, c)) for a, b, c, d in BERKELEY])
    # R: mantelhaen.test(UCBAdmissions, correct = FALSE): 0.7719074 to 1.0603298, 0.9046968
    odds = found.odds_ratio
    assert odds is not None
    assert (odds.estimate, odds.low, odds.high) == pytest.approx(
        (0.9046968, 0.7719074, 1.0603298), abs=1e-6
    )
    # χ² = (Σ(a − E))² ÷ ΣV without ½ taken off
    a, b, c, d = np.array(BERKELEY, dtype=float).T
    n = a + b + c + d
    expected = (a + b) * (a + c) / n
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    chi2 = (a - expected).sum() ** 2 / variance.sum()
    assert found.p_value == pytest.approx(stats.chi2.sf(chi2, 1))


def test_pooled_difference_of_one_stratum_is_nearly_walds() -> None:
    found = proportions.stratified([(Count(700, 560), Count(800, 480)), (Count(0, 0), Count(9, 4))])
    assert found.risk_difference is not None
    half = 1.959964 * (0.8 * 0.2 / 700 + 0.6 * 0.4 / 800) ** 0.5
    assert found.risk_difference.estimate == pytest.approx(0.2)
    assert found.risk_difference.low == pytest.approx(0.2 - half, abs=2e-4)
    assert found.risk_difference.high == pytest.approx(0.2 + half, abs=2e-4)


def _freireich() -> tuple[Floats, Floats, Floats]:
    rows = [(*row, 1) for row in SIX_MP] + [(*row, 0) for row in PLACEBO]
    times, events, treated = np.array(rows, dtype=float).T
    return times, events, treated


def test_freireich_survival() -> None:
    times, events, treated = _freireich()
    drug = survival.curve(times[treated == 1], events[treated == 1])
    at = dict(zip(drug.times, drug.survival, strict=True))
    assert [round(at[week], 4) for week in (6, 10, 23)] == [0.8571, 0.7529, 0.4482]
    assert drug.at_risk == [21, 17, 15, 12, 11, 7, 6]
    assert drug.events == [3, 1, 1, 1, 1, 1, 1]
    placebo = survival.curve(times[treated == 0], events[treated == 0])
    assert drug.median is not None and placebo.median is not None
    assert (drug.median.estimate, placebo.median.estimate) == (23, 8)
    # R: survfit(Surv(time, cens) ~ 1, conf.type = "log-log")
    assert (placebo.median.low, placebo.median.high) == (4, 11)
    assert drug.median.high == float("inf")


def test_freireich_log_rank_and_cox() -> None:
    times, events, treated = _freireich()
    found = survival.compared(times, events, treated, None, None)
    # χ² = 16.79 on 1 degree of freedom; R: survdiff(Surv(time, cens) ~ treat, gehan): p = 4e-05
    assert found.p_value == pytest.approx(4.17e-5, rel=1e-3)
    # R: coxph(Surv(time, cens) ~ treat, gehan): coef 1.5721 for placebo, se 0.4124
    assert found.hazard is not None
    assert log(found.hazard.estimate) == pytest.approx(-1.5721, abs=1e-4)
    assert log(found.hazard.high / found.hazard.low) / 2 / 1.959964 == pytest.approx(
        0.4124, abs=1e-4
    )


def test_freireich_hazard_with_errors_of_lin_and_wei_by_hand() -> None:
    times, events, treated = _freireich()
    found = survival.compared(times, events, treated, None, np.arange(42)).hazard
    assert found is not None
    beta = log(found.estimate)
    # R: coxph(Surv(time, cens) ~ treat, gehan, ties = "breslow"): coef 1.5092 for placebo
    assert beta == pytest.approx(-1.5092, abs=1e-4)
    risk = np.exp(beta * treated)
    score, information = np.zeros(42), 0.0
    for time in times[events == 1]:
        at_risk = times >= time
        total = (risk * at_risk).sum()
        mean = (risk * at_risk * treated).sum() / total
        score -= at_risk * risk / total * (treated - mean)
        information += mean * (1 - mean)
        score[(times == time) & (events == 1)] += (
            treated[(times == time) & (events == 1)] - mean
        ) / ((times == time) & (events == 1)).sum()
    error = (score**2).sum() ** 0.5 / information
    assert log(found.high / found.low) / 2 / 1.959964 == pytest.approx(error, rel=1e-5)


def test_restricted_mean_without_censoring_is_the_mean() -> None:
    times = np.array([week for week, _ in PLACEBO], dtype=float)
    found = survival.curve(times, np.ones(21))
    mean, variance = survival.restricted_mean(found, 23)
    assert mean == pytest.approx(times.mean())
    # Greenwood's sum is then the variance of a mean with divisor n
    assert variance == pytest.approx(times.var() / 21)
    early, _ = survival.restricted_mean(found, 5)
    assert early == pytest.approx(np.minimum(times, 5).mean())


def test_welch_on_students_sleep_data() -> None:
    amounts = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0,
               1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]  # fmt: skip
    arm = np.repeat([0, 1], 10)
    rows = Rows(["2", "1"], arm, None, np.array(amounts), None, None, None, None)
    # R: t.test(extra ~ group, data = sleep): p-value = 0.07939, -3.3654832 to 0.2054832
    row = analysis.of_rows(rows, "1")["comparisons"][0]
    assert round(row["p_value"], 5) == 0.07939
    found = row["amount_difference"]
    assert (round(found["low"], 6), round(found["high"], 6)) == (-3.365483, 0.205483)


def test_winsorising_takes_the_one_great_sum_down() -> None:
    draw = np.random.default_rng(5)
    values = draw.integers(0, 100, 400).astype(float)
    treated = np.arange(400) % 2.0
    plain = amounts.compared(values, treated, None, None)
    values[1] = 1e6
    found = amounts.compared(values, treated, None, None)
    assert plain.difference is not None and found.difference is not None
    assert found.winsorised is not None
    assert found.difference.estimate > 4000
    capped = np.minimum(values, np.quantile(values, 0.99))
    expected = capped[treated == 1].mean() - capped[treated == 0].mean()
    assert found.winsorised.estimate == pytest.approx(expected)
    assert found.winsorised.estimate == pytest.approx(plain.difference.estimate, abs=1)


def test_a_hazard_ratio_without_a_maximum_is_none() -> None:
    # all treated have the event before anybody in the control has: the ratio grows without end
    times, events = np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 1, 1])
    treated = np.array([1.0, 1, 0, 0])
    found = survival.compared(times, events, treated, None, None)
    assert found.hazard is None
    assert found.p_value is not None
    # nobody of the control is in a treated person's stratum: nothing is compared
    alone = survival.compared(times, events, treated, np.arange(4), None)
    assert (alone.hazard, alone.p_value) == (None, None)
    mixed = survival.compared(
        np.array([1.0, 2, 3, 4]), events, np.array([1.0, 0, 1, 0]), None, None
    )
    assert mixed.hazard is not None
