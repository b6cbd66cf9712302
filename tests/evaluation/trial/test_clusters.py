"""People in clusters: errors and ICC against their formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from contact_service.evaluation.trial import amounts, analysis, regression, survival
from contact_service.evaluation.trial.counts import Counts
from contact_service.evaluation.trial.proportions import Count
from contact_service.evaluation.trial.rows import Rows


def _trial(seed: int, clusters: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, arms (by cluster) and clusters of 1–4 people who are alike."""
    draw = np.random.default_rng(seed)
    sizes = draw.integers(1, 5, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    arm = np.repeat(np.arange(clusters) % 2, sizes)
    lean = np.repeat(draw.beta(1, 2, clusters), sizes)
    return (draw.random(len(cluster)) < lean + 0.1 * arm).astype(float), arm, cluster


def test_cluster_robust_difference_by_hand() -> None:
    outcome, arm, cluster = _trial(3)
    found = regression.clustered(outcome, arm.astype(float), None, cluster).risk_difference
    assert found is not None
    means = [outcome[arm == side].mean() for side in (0, 1)]
    residual = outcome - np.where(arm == 1, means[1], means[0])
    n, groups = len(outcome), len(np.unique(cluster))
    variance = sum(
        residual[cluster == c].sum() ** 2 / (arm == arm[cluster == c][0]).sum() ** 2
        for c in np.unique(cluster)
    )
    variance *= groups / (groups - 1) * (n - 1) / (n - 2)
    half = stats.t.ppf(0.975, groups - 1) * variance**0.5
    assert found.estimate == pytest.approx(means[1] - means[0])
    assert found.low == pytest.approx(means[1] - means[0] - half)
    assert found.high == pytest.approx(means[1] - means[0] + half)


def test_ratios_are_those_of_the_shares() -> None:
    outcome, arm, cluster = _trial(4)
    found = regression.clustered(outcome, arm.astype(float), None, cluster)
    p1, p0 = outcome[arm == 1].mean(), outcome[arm == 0].mean()
    assert found.risk_ratio is not None and found.odds_ratio is not None
    assert found.risk_ratio.estimate == pytest.approx(p1 / p0)
    assert found.odds_ratio.estimate == pytest.approx(p1 / (1 - p1) / (p0 / (1 - p0)))


def test_a_cluster_each_and_no_clusters_agree() -> None:
    """With everybody a cluster the interval is nearly Wald's."""
    outcome, arm, _ = _trial(5, clusters=400)
    found = regression.linear(outcome, arm.astype(float), None, np.arange(len(outcome)))
    assert found is not None
    p1, p0 = outcome[arm == 1].mean(), outcome[arm == 0].mean()
    error = (p1 * (1 - p1) / (arm == 1).sum() + p0 * (1 - p0) / (arm == 0).sum()) ** 0.5
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(error, rel=0.01)


def test_icc_by_hand() -> None:
    # one arm of four pairs, (0,0) (1,1) (0,1) (1,1), mean 5/8
    values = np.array([0, 0, 1, 1, 0, 1, 1, 1], dtype=float)
    clusters = np.repeat(np.arange(4), 2)
    between = 2 * ((0 - 0.625) ** 2 + 2 * (1 - 0.625) ** 2 + (0.5 - 0.625) ** 2) / 3
    within = 0.5 / 4
    found = regression.clustering(values, np.zeros(8, dtype=np.int64), clusters)
    assert found is not None
    assert found.icc == pytest.approx((between - within) / (between + within))
    assert found.design_effect == pytest.approx(1 + found.icc)
    assert (found.clusters, found.mean_size) == (4, 2)


def test_alike_and_single_clusters() -> None:
    arms = np.repeat([0, 1], 20)
    alike = np.tile([0.0, 0.0, 1.0, 1.0], 10)
    found = regression.clustering(alike, arms, np.repeat(np.arange(20), 2))
    assert found is not None
    assert found.icc == pytest.approx(1)
    assert regression.clustering(alike, arms, np.arange(40)) is None


def test_doubling_everybody_changes_nothing_when_clustered() -> None:
    """Each person twice, in a cluster of two: as much is known as before."""
    outcome, arm, _ = _trial(6, clusters=200)
    n = len(outcome)
    twice = [np.repeat(values, 2) for values in (outcome, arm.astype(float), np.arange(n))]
    single = regression.linear(outcome, arm.astype(float), None, np.arange(n))
    double = regression.linear(*twice[:2], None, twice[2])
    assert single is not None and double is not None
    assert (double.low, double.high) == pytest.approx((single.low, single.high), abs=1e-3)
    lone = amounts.compared(outcome, arm.astype(float), None, np.arange(n)).bootstrap
    paired = amounts.compared(*twice[:2], None, twice[2]).bootstrap
    assert lone is not None and paired is not None
    assert (paired.low, paired.high) == pytest.approx((lone.low, lone.high), abs=0.02)


def test_cox_error_of_doubled_people() -> None:
    draw = np.random.default_rng(8)
    times, arm = draw.exponential(10, 300), np.arange(300) % 2.0
    events = (draw.random(300) < 0.8).astype(float)
    plain = survival.compared(times, events, arm, None, np.arange(300))
    twice = [np.repeat(values, 2) for values in (times, events, arm, np.arange(300))]
    double = survival.compared(*twice[:3], None, twice[3])
    assert plain.hazard is not None and double.hazard is not None
    assert (double.hazard.low, double.hazard.high) == pytest.approx(
        (plain.hazard.low, plain.hazard.high), rel=0.01
    )
    assert plain.rmst_difference is not None and double.rmst_difference is not None
    assert (double.rmst_difference.low, double.rmst_difference.high) == pytest.approx(
        (plain.rmst_difference.low, plain.rmst_difference.high), rel=0.01
    )
    assert double.p_value_method == "Cox Wald, cluster-robust"


def test_counts_with_a_stated_icc() -> None:
    counts = Counts({"a": Count(300, 150), "b": Count(300, 120)}, {"a": 100, "b": 150})
    stated = analysis.of_counts(counts, "b", icc=0.5)
    row = stated["comparisons"][0]
    # design effects 1 + 2·0.5 and 1 + 1·0.5: as if 75 of 150 against 80 of 200
    smaller = Counts({"a": Count(150, 75), "b": Count(200, 80)}, None)
    same = analysis.of_counts(smaller, "b")["comparisons"][0]
    for measure in ("risk_difference", "risk_ratio", "odds_ratio"):
        for part in ("estimate", "low", "high"):
            assert row[measure][part] == pytest.approx(same[measure][part])
    assert row["p_value"] == pytest.approx(same["p_value"])
    assert [arm["design_effect"] for arm in stated["arms"]] == [2.0, 1.5]


def test_counts_with_clusters_but_no_icc_say_so() -> None:
    counts = Counts({"a": Count(300, 150), "b": Count(300, 120)}, {"a": 100, "b": 100})
    found = analysis.of_counts(counts, "b")
    row = found["comparisons"][0]
    assert [said["key"] for said in found["notes"]] == ["icc_unknown"]
    assert row["if_clusters_alike"]["low"] < row["risk_difference"]["low"]
    third = analysis.of_counts(Counts({"a": Count(100, 50), "b": Count(100, 40)}, None), "b")
    assert row["if_clusters_alike"]["low"] == pytest.approx(
        third["comparisons"][0]["risk_difference"]["low"]
    )


def test_clusters_across_arms_and_too_few_are_noted() -> None:
    outcome, _, cluster = _trial(9, clusters=12)
    arm = np.arange(len(outcome)) % 2
    rows = Rows(["control", "sms"], arm, outcome, None, None, None, cluster, None)
    found = analysis.of_rows(rows, "control")
    assert [said["key"] for said in found["notes"]] == ["few_clusters", "clusters_across"]
