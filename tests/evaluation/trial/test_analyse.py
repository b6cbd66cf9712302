"""The whole analysis of a trial, held against what was put into the data."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from contact_service.evaluation import estimates
from contact_service.evaluation.trial import looks
from contact_service.evaluation.trial.analyse import analyse
from contact_service.evaluation.trial.data import Factor, Times, TrialData
from contact_service.evaluation.trial.design import TrialDesign, at_day
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.result import TrialResult

N = 6000
DESIGN = TrialDesign("holdout", ("paid_something",))


@cache
def _analysed(seed: int = 1, effect: float = 0.08, clustered: bool = False) -> TrialResult:
    return analyse(_data(seed, effect, clustered), DESIGN)


def _data(seed: int = 1, effect: float = 0.08, clustered: bool = False) -> TrialData:
    """Three arms; ``sms`` adds ``effect``, doubled for the second kind; ``call`` adds nothing.
    Whoever has a large sum pays less; a reached unit costs 20 yen."""
    draw = np.random.default_rng(seed)
    clusters = np.arange(N) // 2
    arm = (draw.permutation(N) % 3) if not clustered else (draw.permutation(N // 2) % 3)[clusters]
    kind = draw.integers(0, 2, N)
    owed = draw.lognormal(10, 1, N)
    lean = draw.normal(size=N // 2)[clusters] * (0.1 if clustered else 0)
    chance = 0.35 - 0.03 * (np.log(owed) - 10) + lean + effect * (arm == 1) * (0.5 + kind)
    paid = draw.random(N) < chance
    reached = (arm > 0) & (draw.random(N) < 0.8)
    days = np.where(paid, draw.integers(0, 28, N), 28)
    hour = np.where(arm > 0, draw.integers(0, 3, N), -1)
    return TrialData(
        arms=("holdout", "sms", "call"),
        arm=arm.astype(np.int8),
        outcomes={
            "paid_something": paid.astype(np.int8),
            "complaint": np.where(draw.random(N) < 0.02, -1, 0).astype(np.int8),
        },
        amounts={"paid_yen": np.where(paid, owed * 0.5, 0).astype(np.float32)},
        times={"days_to_payment": Times(days.astype(np.float32), paid.astype(np.int8))},
        clusters=clusters if clustered else None,
        factors={"kind": Factor(("tax", "premium"), kind), "hour": Factor(("9", "13", "17"), hour)},
        covariates={"outstanding_yen": np.log(owed)},
        delivered=reached.astype(np.int8),
        load={"inbound_calls": draw.poisson(0.05 + 0.1 * (arm == 1)).astype(np.float32)},
        cost_yen=20.0 * (arm > 0),
    )


def test_counts_and_effects_are_those_of_the_data() -> None:
    found = _analysed()
    sms, call = found.comparisons
    assert (sms.arm, call.arm, sms.control) == ("sms", "call", "holdout")
    paid = {arm.arm: arm.outcomes["paid_something"] for arm in found.arms}
    effect = sms.outcomes["paid_something"]
    assert effect.risk_difference == estimates.risk_difference(
        paid["sms"].events, paid["sms"].n, paid["holdout"].events, paid["holdout"].n
    )
    assert effect.risk_difference is not None and effect.risk_difference.excludes(0)
    needed = effect.number_needed_to_contact
    assert needed is not None and needed.estimate == pytest.approx(
        1 / effect.risk_difference.estimate
    )
    assert call.outcomes["paid_something"].number_needed_to_contact is None
    # Holm over the two comparisons of the one primary outcome
    ps = [sms.p_value, call.p_value]
    assert [sms.p_adjusted, call.p_adjusted] == estimates.holm([p for p in ps if p is not None])
    assert sms.outcomes["complaint"].p_adjusted is None


def test_adjustment_sharpens_and_does_not_move() -> None:
    effect = _analysed().comparisons[0].amounts["paid_yen"]
    plain, adjusted = effect.amount_difference, effect.amount_difference_adjusted
    assert plain is not None and adjusted is not None
    assert adjusted.high - adjusted.low < plain.high - plain.low
    assert plain.low < adjusted.estimate < plain.high


def test_what_varies_in_one_arm_only_does_not_take_the_adjusted_estimate_away() -> None:
    data = _data()
    lopsided = np.where(data.arm == 0, 0, np.arange(N) % 7).astype(float)
    twice = 2 * np.asarray(data.covariates["outstanding_yen"])
    more = replace(data, covariates={**data.covariates, "lopsided": lopsided, "twice": twice})
    plain, found = (
        analyse(of, DESIGN).comparisons[0].outcomes["paid_something"].risk_difference_adjusted
        for of in (data, more)
    )
    assert plain is not None and found is not None
    assert (found.estimate, found.low) == pytest.approx((plain.estimate, plain.low))


def test_missing_answers_are_counted_and_bounded() -> None:
    found = _analysed()
    gone = {arm.arm: arm.outcomes["complaint"].missing for arm in found.arms}
    bounds = found.comparisons[0].outcomes["complaint"].missing_bounds
    sizes = {arm.arm: arm.n for arm in found.arms}
    assert bounds is not None
    # nobody complained: the extremes are all of one arm's missing, none of the other's
    assert bounds.high == pytest.approx(gone["sms"] / sizes["sms"])
    assert bounds.low == pytest.approx(-gone["holdout"] / sizes["holdout"])
    assert "missing" in {note["key"] for note in found.notes}


def test_an_effect_that_differs_between_kinds_is_found() -> None:
    found = {(one.arm, one.factor): one for one in _analysed(effect=0.12).subgroups}
    kinds = found["sms", "kind"]
    assert kinds.p_value is not None and kinds.p_value < 0.05
    assert kinds.p_adjusted is not None and kinds.p_adjusted >= kinds.p_value
    effects = {group.group: group.effect for group in kinds.groups}
    assert effects["tax"] is not None and effects["premium"] is not None
    assert effects["premium"].estimate > effects["tax"].estimate
    hours = found["sms", "hour"]
    # drawn by lot within the arm: every group against the whole control
    assert hours.after_allocation and not kinds.after_allocation
    assert {group.control_n for group in hours.groups} == {2000}


def test_complier_effect_is_the_effect_over_the_share_reached() -> None:
    one = _analysed().comparisons[0]
    found = one.complier["paid_something"]
    itt = one.outcomes["paid_something"].risk_difference
    assert itt is not None and found.effect is not None
    assert found.effect.estimate == pytest.approx(itt.estimate / found.first_stage)
    assert found.reached["holdout"] == 0 and not found.weak
    assert "instrumental" in found.label["en"]


def test_money_against_the_control() -> None:
    sms, call = _analysed(effect=0.15).comparisons
    yen, money = sms.amounts["paid_yen"].amount_difference, sms.money
    assert yen is not None and money.cost_per_additional_yen is not None
    assert money.cost_per_additional_yen.estimate == pytest.approx(20 / yen.estimate)
    assert money.net_benefit_per_1000.estimate == pytest.approx(1000 * (yen.estimate - 20))
    # nothing more was collected: the cost of a further yen has no end, and a note says so
    assert call.money.cost_per_additional_yen.high == float("inf")
    assert "no_additional_yen" in {n["key"] for n in _analysed().notes}


def test_calls_per_thousand() -> None:
    found = _analysed()
    level = {arm.arm: arm.load_per_1000["inbound_calls"] for arm in found.arms}
    more = found.comparisons[0].load_per_1000["inbound_calls"]
    assert more is not None
    assert more.estimate == pytest.approx(level["sms"] - level["holdout"], rel=1e-6)
    assert more.low > 50


def test_households_widen_every_interval() -> None:
    data = _data(clustered=True)
    found = analyse(data, DESIGN)
    loose = analyse(replace(data, clusters=None), DESIGN)
    assert found.clusters is not None and found.clusters.icc > 0.005
    effect = found.comparisons[0].outcomes["paid_something"]
    naive = loose.comparisons[0].outcomes["paid_something"].risk_difference
    assert naive is not None
    for robust in (effect.risk_difference, effect.risk_difference_newcombe):
        assert robust is not None
        assert robust.high - robust.low > naive.high - naive.low
    assert effect.p_value_method == "Wald t, cluster-robust"
    assert found.arms[0].clusters == N / 6


def test_a_broken_allocation_is_said_first() -> None:
    data = _data()
    keep = (data.arm != 1) | (np.arange(N) % 10 > 0)
    fewer = TrialData(
        data.arms, data.arm[keep], {"paid_something": data.outcomes["paid_something"][keep]}
    )
    found = analyse(fewer, DESIGN)
    assert found.sample_ratio.broken
    assert found.notes[0]["key"] == "sample_ratio"
    assert not analyse(data, DESIGN).sample_ratio.broken


def test_balance() -> None:
    data = _data()
    skewed = replace(data, covariates={"x": np.where(data.arm == 1, 1.0, 0.0) + np.arange(N) % 2})
    line = next(one for one in analyse(skewed, DESIGN).balance if one.name == "x")
    # means 1 apart, both of standard deviation one half
    assert line.standardised_differences["sms"] == pytest.approx(2, rel=0.05)
    assert "imbalance" in {n["key"] for n in analyse(skewed, DESIGN).notes}


def test_what_the_data_lack_is_said() -> None:
    design = replace(DESIGN, primary=("paid_in_full", "paid_something"), subgroups=("age_band",))
    found = analyse(_data(), design)
    assert found.lacking == ("paid_in_full", "age_band")
    assert any("paid_in_full" in note["en"] for note in found.notes)
    nobody = TrialData(("holdout", "sms"), np.ones(9, dtype=np.int8))
    empty = analyse(nobody, DESIGN)
    assert empty.comparisons == () and empty.notes[0]["key"] == "no_control"


def test_json_has_every_method_with_its_reference() -> None:
    found = json.loads(json.dumps(_analysed(clustered=True).as_dict(), allow_nan=False))
    assert found["comparisons"][0]["outcomes"]["paid_something"]["risk_ratio"]["reference"]
    assert "Lin (interacted OLS), cluster-robust" in found["references"]


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="paid: 2 rows beside 3"):
        TrialData(("a", "b"), np.array([0, 1, 1]), {"paid": np.array([0, 1])})
    with pytest.raises(ValueError, match="a code without a label"):
        TrialData(("a", "b"), np.array([0, 2]))


def test_obrien_fleming_bounds_as_published() -> None:
    # R: gsDesign(k = 5, test.type = 2, alpha = .025, sfu = sfLDOF)$upper$bound
    five = looks.planned([0.2, 0.4, 0.6, 0.8, 1.0], 0.05)
    assert [look.bound for look in five] == pytest.approx(
        [4.877, 3.357, 2.680, 2.290, 2.031], abs=5e-4
    )
    assert [look.bound for look in looks.planned([0.5, 1], 0.05)] == pytest.approx(
        [2.9626, 1.9686], abs=1e-4
    )
    assert five[-1].spent == pytest.approx(0.05)
    assert looks.planned([1.0], 0.05)[0].bound == pytest.approx(1.959964, abs=1e-5)


def test_the_repeated_p_value_is_alpha_on_the_bound() -> None:
    bounds = looks.planned([0.5, 1], 0.05)
    assert looks.repeated_p(bounds[0].bound, [0.5, 1], 1) == pytest.approx(0.05, rel=1e-3)
    assert looks.repeated_p(bounds[1].bound, [0.5, 1], 2) == pytest.approx(0.05, rel=1e-3)
    with pytest.raises(TrialRefused):
        looks.planned([0.8, 0.5], 0.05)


def test_at_an_interim_look_more_is_asked() -> None:
    design = replace(DESIGN, looks=(0.5, 1.0), horizon_days=28)
    early, late = (analyse(_data(), at_day(design, day)) for day in (14, 28))
    assert (early.interim.look, late.interim.look) == (1, 2)
    assert early.interim.alpha_each == 0.025
    for one, found in zip(early.comparisons, early.interim.monitored, strict=True):
        assert found.p_value > one.outcomes["paid_something"].p_value
        assert found.crossed == (found.p_value <= 0.025)
        # stopping is allowed exactly where the interval over all looks leaves 0 out
        plain = one.outcomes["paid_something"].risk_difference
        assert found.crossed == found.interval.excludes(0)
        assert found.interval.low < plain.low and plain.high < found.interval.high
    bounds = [of.interim.looks[of.interim.look - 1].bound for of in (early, late)]
    widths = [of.interim.monitored[0].interval for of in (early, late)]
    assert (widths[0].high - widths[0].low) / (widths[1].high - widths[1].low) == pytest.approx(
        bounds[0] / bounds[1]
    )
    assert early.comparisons[0].p_adjusted > late.comparisons[0].p_adjusted


def test_the_interval_of_a_ratio_widens_on_its_own_scale() -> None:
    found = looks.repeated(estimates.Estimate(2.0, 1.0, 4.0, "m"), 2 * 1.959964, ratio=True)
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx((2.0, 0.5, 8.0), rel=1e-5)


def test_within_strata_a_lopsided_allocation_misleads_nobody() -> None:
    """The arm has most of a stratum that pays anyway: no effect in either, 0.3 if pooled."""
    table = ((0, 100, 90), (1, 300, 270), (0, 300, 60), (1, 100, 20))  # arm, people, payers
    arm, paid, strata = (
        np.concatenate(parts).astype(np.int8)
        for parts in zip(
            *((np.full(n, a), np.arange(n) < x, np.full(n, place // 2))
              for place, (a, n, x) in enumerate(table)),
            strict=True,
        )
    )  # fmt: skip
    data = TrialData(("holdout", "sms"), arm, {"paid_something": paid},
                     strata=Factor(("pays", "does not"), strata))  # fmt: skip
    effect = analyse(data, DESIGN).comparisons[0].outcomes["paid_something"]
    assert effect.risk_difference is not None and effect.risk_difference_stratified is not None
    assert effect.risk_difference.estimate == pytest.approx(0.35)
    assert effect.risk_difference_stratified.estimate == pytest.approx(0)
    assert effect.risk_difference_stratified.method == "Mantel-Haenszel (Sato)"
    assert analyse(_data(), DESIGN).comparisons[0].outcomes[
        "paid_something"
    ].risk_difference_stratified is None  # fmt: skip
