"""Simulated trials with a known effect: does the analysis say what is true as often as it should?

Everything goes through the doors that real trials go through: proportions by
``trial.effects.outcome`` (Newcombe, Wald, Lin), amounts, times, clusters, bounds of interim looks.
Each trial is small; the seed of each scenario is fixed. ``make calibration`` runs it and writes
``docs/reference/calibration.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, exp, log

import numpy as np
from scipy import stats

from contact_service.evaluation import estimates
from contact_service.evaluation.estimates import Estimate
from contact_service.evaluation.trial import (
    amounts,
    hazards,
    looks,
    proportions,
    regression,
    survival,
)
from contact_service.evaluation.trial.complier import complier
from contact_service.evaluation.trial.data import TrialData
from contact_service.evaluation.trial.effects import adjusted, pair_of
from contact_service.evaluation.trial.measures import Means, Proportions, Times
from contact_service.evaluation.trial.power import Design, plan, size
from contact_service.evaluation.trial.proportions import Count

Seen = tuple[Estimate | None, float | None]
"""The interval, and the p-value (``None``: the trial tested nothing)."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``draw(generator, effect)`` gives one trial's interval and p-value; ``truth`` is what the
    interval should cover under ``effect``; ``promised`` is the power of the design."""

    name: str
    draw: Callable[[np.random.Generator, float], Seen]
    effect: float
    none: float
    truth: Callable[[float], float]
    promised: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class Line:
    """Shares of trials: truth covered, no effect rejected, effect found; and how many trials."""

    name: str
    trials: int
    coverage: float | None
    size: float | None
    power: float | None
    promised: float | None

    @property
    def holds(self) -> bool:
        """Coverage 93–97 %, size 4–6 %, power within 3 points of the promise."""
        return (
            (self.coverage is None or 0.93 <= self.coverage <= 0.97)
            and (self.size is None or 0.04 <= self.size <= 0.06)
            and (self.power is None or self.promised is None
                 or abs(self.power - self.promised) <= 0.03)
        )  # fmt: skip


def run(scenario: Scenario, trials: int) -> Line:
    """So many trials with the effect, and so many without."""
    covered, found = _shares(scenario, scenario.effect, trials, scenario.seed)
    power = found if scenario.promised is not None else None
    if found is None:  # an interval without a test of its own
        return Line(scenario.name, trials, covered, None, None, None)
    # size is the finest of the three figures: four times as many trials halve its error
    _, rejected = _shares(scenario, scenario.none, 4 * trials, scenario.seed + 1)
    return Line(scenario.name, trials, covered, rejected, power, scenario.promised)


def _shares(
    scenario: Scenario, effect: float, trials: int, seed: int
) -> tuple[float | None, float | None]:
    generator = np.random.default_rng(seed)
    covers, rejects = [], []
    for _ in range(trials):
        interval, p = scenario.draw(generator, effect)
        if interval is not None:
            covers.append(not interval.excludes(scenario.truth(effect)))
        if p is not None:
            rejects.append(p < 0.05)
    return (float(np.mean(covers)) if covers else None,
            float(np.mean(rejects)) if rejects else None)  # fmt: skip


CONTROL = 0.25
RISE = 0.08
N = plan(Proportions(CONTROL), Design(), effect=RISE)["n_control"]
MEAN_N = plan(Means(1.0), Design(), effect=0.25)["n_control"]
RATIO = 1.5
RATE = -log(1 - 0.4) / 28
TIME_N = plan(Times(0.4), Design(), effect=RATIO)["n_control"]
HOME = 3
ICC = 0.2
CLUSTERED = Design(icc=ICC, cluster_size=HOME)
HOMES = ceil(plan(Proportions(CONTROL), CLUSTERED, effect=RISE)["n_control"] / HOME)
SHARE = 0.7


def _independent(draw: np.random.Generator, effect: float) -> Seen:
    arm, control = draw.binomial(N, CONTROL + effect), draw.binomial(N, CONTROL)
    found = proportions.plain(Count(N, int(arm)), Count(N, int(control)))
    return found.risk_difference, found.p_value


def _log_ratio(draw: np.random.Generator, effect: float) -> Seen:
    arm, control = draw.binomial(N, CONTROL + effect), draw.binomial(N, CONTROL)
    return proportions.plain(Count(N, int(arm)), Count(N, int(control))).risk_ratio, None


def _homes(draw: np.random.Generator, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Households of three; a member follows the household's own lot with chance √ICC, so that
    two members agree as the ICC says and everybody's chance is exactly the arm's."""
    arm = np.repeat(np.arange(2 * HOMES) % 2, HOME).astype(float)
    chance = CONTROL + effect * arm
    lot = np.repeat(draw.random(2 * HOMES), HOME)
    own = draw.random(len(arm))
    together = draw.random(len(arm)) < ICC**0.5
    return np.where(together, lot, own) < chance, arm, np.repeat(np.arange(2 * HOMES), HOME)


def _households(draw: np.random.Generator, effect: float) -> Seen:
    paid, arm, homes = _homes(draw, effect)
    found = regression.clustered(paid.astype(float), arm, None, homes.astype(np.int64))
    return found.risk_difference, found.p_value


def _stated_icc(draw: np.random.Generator, effect: float) -> Seen:
    paid, arm, _ = _homes(draw, effect)
    n = HOMES * HOME
    counts = [Count(n, int(paid[arm == side].sum())) for side in (1, 0)]
    spread = proportions.design_effect(HOME, ICC)
    found = proportions.effective(counts[0], counts[1], (spread, spread))
    return found.risk_difference, found.p_value


def _lin(draw: np.random.Generator, effect: float) -> Seen:
    known = draw.normal(size=2 * N)
    arm = (np.arange(2 * N) % 2).astype(np.int8)
    # the covariate moves the chance by ±15 points and its mean not at all
    lean = 0.15 * np.sign(known)
    paid = (draw.random(2 * N) < CONTROL + lean + effect * arm).astype(np.int8)
    data = TrialData(("control", "sms"), arm, {"paid": paid}, covariates={"known": known})
    pair = pair_of(data, "sms", "control", known[:, None].astype(np.float32))
    found = adjusted(pair, paid.astype(float))
    # the interval is the test: 0 within it is not rejected
    return found, None if found is None else float(not found.excludes(0))


def _sums(draw: np.random.Generator, n: int) -> np.ndarray:
    """Most pay nothing, some a lot: as arrears do. Mean and deviation are 0 and 1."""
    pays, yen = 0.3, np.exp(0.25)
    mean, square = pays * yen, pays * np.exp(1.0)
    values = np.where(draw.random(n) < pays, draw.lognormal(0.0, 0.5**0.5, n), 0)
    return (values - mean) / (square - mean**2) ** 0.5


def _money(draw: np.random.Generator, effect: float) -> Seen:
    # what amounts.compared does without its bootstrap, which is the next scenario
    arm, control = _sums(draw, MEAN_N) + effect, _sums(draw, MEAN_N)
    found = estimates.mean_difference(regression.moments(arm), regression.moments(control))
    return found, float(stats.ttest_ind(arm, control, equal_var=False).pvalue)


def _bootstrap(draw: np.random.Generator, effect: float) -> Seen:
    values = np.concatenate([_sums(draw, MEAN_N) + effect, _sums(draw, MEAN_N)])
    return amounts.compared(values, np.repeat([1.0, 0.0], MEAN_N), None, None).bootstrap, None


def _strata(draw: np.random.Generator, effect: float) -> Seen:
    """Three strata in which a tenth, a quarter and two fifths pay unasked."""
    pairs = []
    for n, chance in zip((N // 2, N // 3, N - N // 2 - N // 3), (0.1, 0.25, 0.4), strict=True):
        arm, control = draw.binomial(n, chance + effect), draw.binomial(n, chance)
        pairs.append((Count(n, int(arm)), Count(n, int(control))))
    found = proportions.stratified(pairs)
    return found.risk_difference, found.p_value


def _days(
    draw: np.random.Generator, effect: float, suspended: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, paid and arm of 28 days in which 40 % of the control pay; the claims of a share are
    suspended on some day of them, whether paid by then or not."""
    arm = np.repeat([1.0, 0.0], TIME_N)
    pays = draw.exponential(1 / (RATE * np.where(arm == 1, effect, 1.0)))
    watched = np.full(len(arm), 28.0)
    if suspended:
        some = draw.random(len(arm)) < suspended
        watched = np.where(some, draw.uniform(0, 28, len(arm)), watched)
    return np.minimum(pays, watched), (pays <= watched).astype(float), arm


def _log_rank(draw: np.random.Generator, effect: float) -> Seen:
    times, paid, arm = _days(draw, effect, suspended=0.0)
    return None, survival.compared(times, paid, arm, None, None).p_value


def _restricted_mean(draw: np.random.Generator, effect: float) -> Seen:
    times, paid, arm = _days(draw, effect, suspended=0.1)
    found = survival.compared(times, paid, arm, None, None).rmst_difference
    # the interval is the test: 0 within it is not rejected
    return found, None if found is None else float(not found.excludes(0))


def _mean_days(effect: float) -> float:
    """What ``_restricted_mean`` should cover: the difference of ∫ exp(−rate·t) over 28 days."""
    arm, control = ((1 - exp(-rate * 28)) / rate for rate in (RATE * effect, RATE))
    return arm - control


def _hazard(draw: np.random.Generator, effect: float) -> Seen:
    found = hazards.efron(hazards.risk_table(*_days(draw, effect, suspended=0.0)))
    if found is None:
        return None, None
    beta, error = found
    z = stats.norm.ppf(0.975)
    return (Estimate(beta, beta - z * error, beta + z * error, ""),
            2 * float(stats.norm.sf(abs(beta / error))))  # fmt: skip


def _reached(draw: np.random.Generator, effect: float) -> Seen:
    """Contact works only on whom it reaches, seven of ten; ``effect`` is that on these."""
    n = 2 * N
    arm = (np.arange(n) % 2).astype(np.int8)
    reached = (arm == 1) & (draw.random(n) < SHARE)
    paid = (draw.random(n) < CONTROL + effect * reached).astype(np.int8)
    data = TrialData(("control", "sms"), arm, {"paid": paid}, delivered=reached.astype(np.int8))
    found = complier(data, pair_of(data, "sms", "control", None), paid.astype(float))
    return (None, None) if found is None else (found.effect, None)


def _looked_twice(draw: np.random.Generator, effect: float) -> Seen:
    """Half of the people, then all; stopped when a bound is crossed. Only the test is looked at:
    an interval after stopping early is another matter."""
    half = N // 2
    arm, control = (draw.binomial(half, [[p], [p]]).sum(axis=1).cumsum() for p in
                    (CONTROL + effect, CONTROL))  # fmt: skip
    for place, bound in enumerate(BOUNDS):
        n = half * (place + 1)
        p = proportions.plain(Count(n, int(arm[place])), Count(n, int(control[place]))).p_value
        if p is not None and float(stats.norm.isf(p / 2)) >= bound:
            return None, 0.0
    return None, 1.0


BOUNDS = tuple(look.bound for look in looks.planned((0.5, 1.0), 0.05))


def scenarios() -> Iterator[Scenario]:
    """All of them, each with its design's promise."""

    def same(effect: float) -> float:
        return effect

    yield Scenario("proportions: Newcombe, pooled z", _independent, RISE, 0.0, same, 0.8, 101)
    yield Scenario("risk ratio: log-Wald", _log_ratio, RISE, 0.0,
                   lambda e: (CONTROL + e) / CONTROL, None, 103)  # fmt: skip
    yield Scenario(
        "households of 3, ICC 0.2: cluster-robust", _households, RISE, 0.0, same, 0.8, 105
    )
    yield Scenario("the same as counts with a stated ICC", _stated_icc, RISE, 0.0, same, 0.8, 107)
    yield Scenario("three strata: Mantel-Haenszel", _strata, RISE, 0.0, same, None, 125)
    yield Scenario("adjusted for a covariate: Lin", _lin, RISE, 0.0, same, None, 109)
    yield Scenario("amounts, seven of ten zero: Welch", _money, 0.25, 0.0, same, 0.8, 111)
    yield Scenario("amounts: percentile bootstrap", _bootstrap, 0.25, 0.0, same, None, 113)
    yield Scenario("days to payment: Cox", _hazard, RATIO, 1.0, lambda e: log(e), 0.8, 115)
    yield Scenario("days to payment: log-rank", _log_rank, RATIO, 1.0, same, 0.8, 121)
    yield Scenario("mean days without payment, one in ten suspended: RMST", _restricted_mean,
                   RATIO, 1.0, _mean_days, None, 123)  # fmt: skip
    yield Scenario("effect on those reached: IV, Fieller", _reached, RISE, 0.0, same, None, 117)
    yield Scenario("two looks: O'Brien-Fleming bounds", _looked_twice, RISE, 0.0, same, 0.8, 119)


def promised_sizes() -> dict[str, float]:
    """The sizes that the designs above gave, unrounded, for the page."""
    return {
        "proportions": size(Proportions(CONTROL), RISE, Design()),
        "means": size(Means(1.0), 0.25, Design()),
        "time to event": size(Times(0.4), RATIO, Design()),
        "households": size(Proportions(CONTROL), RISE, CLUSTERED) * CLUSTERED.design_effect / HOME,
    }
