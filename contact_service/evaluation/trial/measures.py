"""What a trial can be planned for, each with its power: proportions, means, times to an event.

Two-sided, one treated arm against the control; ``n`` counts independent people in the control.
"""

from __future__ import annotations

from math import exp, inf, isnan, log, sqrt

from scipy import stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from contact_service.evaluation.trial.faults import TrialRefused


class Proportions:
    """Two proportions, normal approximation with the pooled variance under no difference
    (Fleiss, Levin, Paik 2003, ch. 4, without continuity correction; R's ``power.prop.test``).

    The effect is the difference, treated less control.
    """

    name = "proportions"
    scale = "risk difference"
    method = "pooled z, normal approximation"

    def __init__(self, control: float) -> None:
        within("--control", control, 0, 1)
        self.control = control

    def check(self, difference: float) -> None:
        """Raises :class:`TrialRefused` for an effect that is none or impossible."""
        within("--treated", self.control + difference, 0, 1)
        if difference == 0:
            raise _no_effect("--treated")

    def power(self, difference: float, n: float, ratio: float, alpha: float) -> float:
        """With ``n`` independent people in the control and ``ratio`` × ``n`` treated."""
        found = power_proportions_2indep(
            -difference,
            self.control + difference,
            n,
            ratio=ratio,
            alpha=alpha,
            return_results=False,
        )
        return float(found)

    def detectable(self) -> tuple[float, float]:
        """Where to look for the smallest effect: upwards."""
        return 0.0, 1 - 1e-9 - self.control


class Means:
    """Two means of equal standard deviation, Student's t (noncentral t; R's ``power.t.test``).

    The effect is the difference, in the unit of ``sd``.
    """

    name = "means"
    scale = "mean difference"
    method = "Student t, noncentral t distribution"

    def __init__(self, sd: float) -> None:
        within("--sd", sd, 0, inf)
        self.sd = sd

    def check(self, difference: float) -> None:
        """Raises :class:`TrialRefused` for no effect."""
        if difference == 0:
            raise _no_effect("--difference")

    def power(self, difference: float, n: float, ratio: float, alpha: float) -> float:
        """With ``n`` independent people in the control and ``ratio`` × ``n`` treated."""
        standardised = abs(difference) / self.sd
        found = float(TTestIndPower().power(standardised, n, alpha, ratio=ratio))
        if not isnan(found):
            return found
        # scipy's noncentral t gives up far out; Abramowitz and Stegun 26.7.10 is exact enough
        freedom = n * (1 + ratio) - 2
        t = float(stats.t.isf(alpha / 2, freedom))
        drift = standardised * sqrt(n * ratio / (1 + ratio))
        corrected = drift - t * (1 - 1 / (4 * freedom))
        return float(stats.norm.cdf(corrected / sqrt(1 + t**2 / (2 * freedom))))

    def detectable(self) -> tuple[float, float]:
        """Where to look for the smallest effect."""
        return 0.0, 1e3 * self.sd


class Times:
    """Time to an event, log-rank test: events = (z + z)² ÷ (p(1 − p)·ln²HR) with p the share
    treated (Schoenfeld 1983, Biometrics 39:499-503). ``control`` is the share of the control
    that has the event within the time watched; the treated have 1 − (1 − control)^HR."""

    name = "time to event"
    scale = "hazard ratio"
    method = "log-rank (Schoenfeld)"

    def __init__(self, control: float) -> None:
        within("--control-events", control, 0, 1, include_high=True)
        self.control = control

    def check(self, hazard_ratio: float) -> None:
        """Raises :class:`TrialRefused` for a ratio that is none or impossible."""
        within("--hazard-ratio", hazard_ratio, 0, inf)
        if hazard_ratio == 1:
            raise _no_effect("--hazard-ratio")

    def events(self, hazard_ratio: float, n: float, ratio: float) -> float:
        """Events to expect of ``n`` people in the control and ``ratio`` × ``n`` treated."""
        treated = 1 - float((1 - self.control) ** hazard_ratio)
        return n * (self.control + ratio * treated)

    def power(self, hazard_ratio: float, n: float, ratio: float, alpha: float) -> float:
        """With ``n`` independent people in the control and ``ratio`` × ``n`` treated."""
        share = ratio / (1 + ratio)
        drift = abs(log(hazard_ratio)) * sqrt(
            self.events(hazard_ratio, n, ratio) * share * (1 - share)
        )
        z = float(stats.norm.isf(alpha / 2))
        return float(stats.norm.sf(z - drift) + stats.norm.cdf(-z - drift))

    def detectable(self) -> tuple[float, float]:
        """Where to look for the smallest effect: hazards above the control's."""
        return 1.0, exp(7)


Measure = Proportions | Means | Times


def within(
    option: str, value: float, low: float, high: float, *, include_high: bool = False
) -> None:
    """Raises :class:`TrialRefused`, naming ``option``, for a value outside (``low``, ``high``)."""
    if low < value < high or (include_high and value == high):
        return
    if high == inf:
        raise TrialRefused(f"{option}: {low:g}より大きい数にしてください",
                           f"{option}: more than {low:g}")  # fmt: skip
    raise TrialRefused(f"{option}: {low:g}と{high:g}の間の数にしてください",
                       f"{option}: between {low:g} and {high:g}")  # fmt: skip


def _no_effect(option: str) -> TrialRefused:
    return TrialRefused(f"{option}: 対照群との差がありません。見つけたい差を指定してください",
                        f"{option}: no effect; give the effect you want to find")  # fmt: skip
