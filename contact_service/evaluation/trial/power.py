"""How many people a two-sided comparison with the control needs, what it would find with a
given number, and the smallest effect it can find.

A design has one control and ``arms`` − 1 treated arms of equal size. With several treated arms
each comparison is planned at alpha ÷ their number (Bonferroni): Holm's method never asks more
of one of them. Clusters multiply the people by the design effect 1 + (m − 1)·ICC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from scipy.optimize import brentq

from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.measures import Measure, Times, within
from contact_service.evaluation.trial.proportions import design_effect

SMALLEST, LARGEST = 2.0, 1e9


@dataclass(frozen=True, slots=True)
class Design:
    """What does not depend on the outcome. ``ratio``: people in each treated arm ÷ people in
    the control; ``cluster_size``: mean people in a cluster."""

    alpha: float = 0.05
    power: float = 0.8
    ratio: float = 1.0
    arms: int = 2
    icc: float = 0.0
    cluster_size: float = 1.0

    def __post_init__(self) -> None:
        within("--alpha", self.alpha, 0, 1)
        within("--power", self.power, 0, 1)
        within("--ratio", self.ratio, 0, inf)
        if self.arms < 2:
            raise TrialRefused("--arms: 対照群を含めて2以上にしてください",
                               "--arms: 2 or more, the control among them")  # fmt: skip
        if not 0 <= self.icc <= 1:
            raise TrialRefused("--icc: 0以上1以下で指定してください", "--icc: from 0 to 1")
        if self.cluster_size < 1:
            raise TrialRefused(
                "--cluster-size: 1以上で指定してください", "--cluster-size: 1 or more"
            )

    @property
    def alpha_each(self) -> float:
        """Two-sided alpha of one comparison."""
        return self.alpha / (self.arms - 1)

    @property
    def design_effect(self) -> float:
        """How many times as many people the clusters ask for."""
        return design_effect(self.cluster_size, self.icc)


def size(measure: Measure, effect: float, design: Design) -> float:
    """Independent people in the control for the design's power, not rounded.

    Raises :class:`TrialRefused` when no number up to 10⁹ is enough.
    """
    measure.check(effect)

    def missing(n: float) -> float:
        return measure.power(effect, n, design.ratio, design.alpha_each) - design.power

    start = max(SMALLEST, SMALLEST / design.ratio)
    if missing(start) >= 0:
        return start
    return _root(missing, start, LARGEST)


def plan(
    measure: Measure, design: Design, *, effect: float | None = None, n: int | None = None
) -> dict[str, Any]:
    """The figures of a design: from ``effect`` the size, from ``n`` (people in the control)
    the smallest effect that the design's power can find, from both also the power at ``n``.

    Raises :class:`TrialRefused` when neither is given or either is impossible.
    """
    if effect is None and n is None:
        raise TrialRefused("効果か人数（--n）のどちらかを指定してください",
                           "give an effect, or a number of people (--n)")  # fmt: skip
    result: dict[str, Any] = {
        "measure": measure.name,
        "method": measure.method,
        "effect_scale": measure.scale,
        "alpha": design.alpha,
        "alpha_per_comparison": design.alpha_each,
        "target_power": design.power,
        "arms": design.arms,
        "ratio": design.ratio,
        "design_effect": design.design_effect,
        "effect": effect,
    }
    if n is None and effect is not None:
        exact = size(measure, effect, design) * design.design_effect
        result |= {"n_exact": exact, **_sizes(ceil(round(exact, 6)), design)}
    elif n is not None:
        result |= _sizes(n, design)
    independent = result["n_control"] / design.design_effect
    if min(independent, independent * design.ratio) < SMALLEST:
        raise TrialRefused(
            "人数が少なすぎます。群ごとに（デザイン効果で割って）2人以上にしてください",
            "too few people; each arm needs 2 or more after dividing by the design effect",
        )
    if effect is not None:
        measure.check(effect)
        result["power"] = measure.power(effect, independent, design.ratio, design.alpha_each)
        if isinstance(measure, Times):
            result["events"] = measure.events(effect, result["n_control"], design.ratio)
    result["minimum_detectable_effect"] = _detectable(measure, independent, design)
    return result


def curve(
    measure: Measure, design: Design, effect: float, around: int, points: int = 60
) -> list[dict[str, float]]:
    """Power against people in the control, from few to twice ``around``."""
    least = ceil(SMALLEST * design.design_effect * max(1, 1 / design.ratio))
    steps = sorted({max(least, round(2 * around * i / points)) for i in range(points + 1)})
    return [
        {
            "n": n,
            "power": measure.power(
                effect, n / design.design_effect, design.ratio, design.alpha_each
            ),
        }
        for n in steps
    ]


def _sizes(n: int, design: Design) -> dict[str, Any]:
    treated = ceil(round(n * design.ratio, 6))
    sizes: dict[str, Any] = {
        "n_control": n,
        "n_treated": treated,
        "n_total": n + treated * (design.arms - 1),
    }
    if design.cluster_size > 1:
        sizes["clusters_control"] = ceil(n / design.cluster_size)
        sizes["clusters_treated"] = ceil(treated / design.cluster_size)
    return sizes


def _detectable(measure: Measure, n: float, design: Design) -> float | None:
    """The smallest effect upwards; ``None`` when even the largest would be missed."""
    low, high = measure.detectable()

    def missing(effect: float) -> float:
        return measure.power(effect, n, design.ratio, design.alpha_each) - design.power

    if missing(high) < 0:
        return None
    return _root(missing, low + (high - low) * 1e-9, high)


def _root(missing: Callable[[float], float], low: float, high: float) -> float:
    """Where the power is reached. ``missing`` is below 0 at ``low``."""
    above = low
    while missing(above) < 0:
        if above >= high:
            raise TrialRefused(
                "10億人でも足りません。効果を大きくするか、--power を小さくしてください",
                "a thousand million people are not enough; give a larger effect or less --power",
            )
        low, above = above, min(2 * above, high)
    return float(brentq(missing, low, above, xtol=1e-9, rtol=1e-12, maxiter=500))
