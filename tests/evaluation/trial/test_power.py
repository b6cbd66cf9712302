"""Sizes against R and textbooks."""

from __future__ import annotations

import pytest

from contact_service.evaluation.trial import power
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.measures import Means, Measure, Proportions, Times
from contact_service.evaluation.trial.power import Design, plan


def test_proportions_as_r_has_them() -> None:
    # R: power.prop.test(n = 50, p1 = .50, p2 = .75) → power = 0.7401659
    found = plan(Proportions(0.5), Design(), effect=0.25, n=50)
    assert round(found["power"], 4) == 0.7402
    # R: power.prop.test(p1 = .50, p2 = .75, power = .90) → n = 76.7
    assert round(plan(Proportions(0.5), Design(power=0.9), effect=0.25)["n_exact"], 1) == 76.7
    # R: power.prop.test(p1 = .30, p2 = .35, power = .80) → n = 1376.3
    found = plan(Proportions(0.3), Design(), effect=0.05)
    assert round(found["n_exact"], 1) == 1376.3
    assert (found["n_control"], found["n_treated"], found["n_total"]) == (1377, 1377, 2754)
    # downwards is the mirror image
    mirrored = plan(Proportions(0.65), Design(), effect=0.05)
    assert plan(Proportions(0.7), Design(), effect=-0.05)["n_exact"] == pytest.approx(
        mirrored["n_exact"]
    )


def test_means_as_r_has_them() -> None:
    # R: power.t.test(n = 20, delta = 1, sd = 1) → power = 0.8689528
    assert round(plan(Means(1), Design(), effect=1, n=20)["power"], 5) == 0.86895
    # R: power.t.test(power = .90, delta = 1) → n = 22.02110
    assert round(plan(Means(1), Design(power=0.9), effect=1)["n_exact"], 3) == 22.021
    # the unit does not matter
    assert plan(Means(3000), Design(power=0.9), effect=-3000)["n_exact"] == pytest.approx(
        22.0211, abs=1e-3
    )
    assert plan(Means(1), Design(), effect=3, n=10**6)["power"] == pytest.approx(1)


def test_log_rank_as_collett_has_it() -> None:
    # Collett, Modelling Survival Data in Medical Research: hazard ratio 0.57 (survival .41 →
    # .60), power 90 %: 133 deaths
    found = plan(Times(1 - 0.41), Design(power=0.9), effect=0.57)
    assert found["events"] == pytest.approx(133, abs=1)
    # where everybody has the event: 4·(1.95996 + 0.84162)² ÷ ln²2 = 65.34 events
    found = plan(Times(1), Design(), effect=0.5)
    assert found["n_exact"] * 2 == pytest.approx(65.34, abs=0.01)
    # 100 with 30 %, 200 with 1 − 0.7² = 51 %
    assert plan(Times(0.3), Design(ratio=2), effect=2, n=100)["events"] == pytest.approx(132)


def test_arms_ratio_and_clusters() -> None:
    alone = plan(Proportions(0.3), Design(), effect=0.05)
    three = plan(Proportions(0.3), Design(arms=3), effect=0.05)
    assert three["alpha_per_comparison"] == 0.025
    assert three["n_exact"] == pytest.approx(
        plan(Proportions(0.3), Design(alpha=0.025), effect=0.05)["n_exact"]
    )
    assert three["n_total"] == 3 * three["n_control"]
    clustered = plan(Proportions(0.3), Design(icc=0.2, cluster_size=3), effect=0.05)
    assert clustered["design_effect"] == pytest.approx(1.4)
    assert clustered["n_exact"] == pytest.approx(alone["n_exact"] * 1.4)
    assert clustered["clusters_control"] == 643
    # three treated for each one in the control: fewer controls, more people
    unequal = plan(Proportions(0.3), Design(ratio=3), effect=0.05)
    assert unequal["n_treated"] == 3 * unequal["n_control"]
    assert unequal["n_control"] < alone["n_control"] < unequal["n_total"] / 2
    assert unequal["power"] == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("measure", "effect"), [(Proportions(0.2), 0.07), (Means(5), 0.4), (Times(0.3), 1.35)]
)
def test_size_power_and_detectable_effect_agree(measure: Measure, effect: float) -> None:
    design = Design(power=0.85, ratio=2, arms=3, icc=0.1, cluster_size=2)
    n = plan(measure, design, effect=effect)["n_control"]
    back = plan(measure, design, n=n)
    assert back["minimum_detectable_effect"] == pytest.approx(effect, rel=2e-3)
    assert "power" not in back
    assert plan(measure, design, effect=effect, n=n)["power"] == pytest.approx(0.85, abs=2e-3)
    curve = power.curve(measure, design, effect, n)
    powers = [point["power"] for point in curve]
    assert powers == sorted(powers)
    assert curve[-1]["n"] == 2 * n
    middle = power.curve(measure, design, effect, n, points=2)[1]
    assert (middle["n"], middle["power"]) == (n, pytest.approx(0.85, abs=2e-3))


def test_no_effect_is_large_enough_for_so_few() -> None:
    assert plan(Proportions(0.95), Design(), n=10)["minimum_detectable_effect"] is None


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        (lambda: plan(Proportions(0.3), Design()), "--n"),
        (lambda: plan(Proportions(0.3), Design(), effect=0), "--treated"),
        (lambda: plan(Proportions(0.3), Design(), effect=0.7), "--treated"),
        (lambda: plan(Proportions(1.0), Design(), effect=0.1), "--control"),
        (lambda: plan(Means(-1), Design(), effect=0.1), "--sd"),
        (lambda: plan(Times(0.3), Design(), effect=1), "--hazard-ratio"),
        (lambda: plan(Proportions(0.3), Design(), effect=1e-7), "10億人"),
        (lambda: plan(Proportions(0.3), Design(), effect=0.1, n=1), "2人以上"),
        (lambda: Design(arms=1), "--arms"),
        (lambda: Design(icc=1.5), "--icc"),
        (lambda: Design(cluster_size=0.5), "--cluster-size"),
        (lambda: Design(alpha=0), "--alpha"),
    ],
)
def test_impossible_designs_are_refused_in_words(wrong: object, option: str) -> None:
    with pytest.raises(TrialRefused) as refusal:
        wrong()  # type: ignore[operator]
    assert option in str(refusal.value)
