"""What was fixed before launch: the design that :func:`analyse` holds the data against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from campaigns.definition import Definition
from campaigns.protocol import comparisons


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """Frozen before launch.

    ``primary`` decides; its comparisons are adjusted together by Holm's method. ``secondary``
    and everything by subgroup explore. Names are those of :class:`TrialData`'s columns; those
    that the data lack are said to be lacking, never left out in silence.
    """

    control: str
    """The arm to compare with."""
    primary: tuple[str, ...]
    """Outcomes, amounts or times that decide."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """The allocation's weights by arm; empty: equal."""
    comparisons: tuple[tuple[str, str], ...] = ()
    """(arm, against); empty: every arm against the control."""
    alpha: float = 0.05
    """Two-sided, for all primary comparisons together."""
    adjust_for: tuple[str, ...] = ()
    """Factors and covariates of the adjusted versions; empty: all that the data have."""
    subgroups: tuple[str, ...] = ()
    """Factors by which the effect is looked at; empty: all that the data have."""
    looks: tuple[float, ...] = (1.0,)
    """Shares of the information at which the trial is looked at, the last being 1."""
    look: int | None = None
    """Which of the looks this is, from 1; ``None``: the last."""
    horizon_days: int | None = None
    """How many days after the start count."""
    value_per_yen: float = 1.0
    """What a collected yen is worth to the office, in the net benefit."""

    def pairs(self, arms: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The comparisons to make among ``arms``, in order."""
        if self.comparisons:
            return tuple((a, b) for a, b in self.comparisons if a in arms and b in arms)
        return tuple((arm, self.control) for arm in arms if arm != self.control)


def at_day(design: TrialDesign, day: int) -> TrialDesign:
    """The design as it is analysed when ``day`` days of the horizon can be seen whole: at the
    latest look that has come. Between two looks nothing is decided; before the first, or at
    one's last day, that look's bound applies.

    The share of the information at a look is the share of the horizon that has passed. What
    two looks have in common is more than that where payments come early, and bounds by
    spending are then a little too careful, never too easy (Proschan, Lan, Wittes 2006, ch. 3).
    """
    if design.horizon_days is None or day >= design.horizon_days:
        return replace(design, look=len(design.looks))
    come = sum(1 for share in design.looks if share * design.horizon_days <= day)
    return replace(design, look=max(1, come))


def of_definition(definition: Definition) -> TrialDesign | None:
    """The design that a campaign definition states; ``None`` without a holdout to measure by."""
    holdouts = [arm.name for arm in definition.arms if arm.holdout]
    if not holdouts:
        return None
    trial = definition.trial
    shares = tuple(day / trial.horizon_days for day in trial.looks)
    return TrialDesign(
        control=holdouts[0],
        primary=(trial.primary_outcome.value,),
        weights={arm.name: arm.weight for arm in definition.arms},
        comparisons=tuple(comparisons(definition)),
        alpha=trial.alpha,
        subgroups=tuple(subgroup.value for subgroup in trial.subgroups),
        looks=(*shares, 1.0),
        horizon_days=trial.horizon_days,
    )
