"""What was fixed before launch: the design that :func:`analyse` holds the data against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from campaigns.definition import Definition


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
    horizon_days: int | None = None
    """How many days after the start count."""
    value_per_yen: float = 1.0
    """What a collected yen is worth to the office, in the net benefit."""

    def pairs(self, arms: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The comparisons to make among ``arms``, in order."""
        if self.comparisons:
            return tuple((a, b) for a, b in self.comparisons if a in arms and b in arms)
        return tuple((arm, self.control) for arm in arms if arm != self.control)


def of_definition(definition: Definition) -> TrialDesign | None:
    """The design that a campaign definition states; ``None`` without a holdout to measure by."""
    holdouts = [arm.name for arm in definition.arms if arm.holdout]
    if not holdouts:
        return None
    return TrialDesign(
        control=holdouts[0],
        primary=(definition.trial.primary_outcome.value,),
        weights={arm.name: arm.weight for arm in definition.arms},
        horizon_days=definition.trial.horizon_days,
    )
