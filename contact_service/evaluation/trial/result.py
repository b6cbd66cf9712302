"""What an analysis found, as data: frozen, and the same JSON as ``trial estimate``.

:func:`document` turns any of these into plain JSON: an estimate becomes ``estimate``, ``low``,
``high``, ``method``, ``reference``; a bound at infinity becomes ``null``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from math import isfinite
from typing import Any

from contact_service.evaluation.estimates import LEVEL, Estimate
from contact_service.evaluation.trial.methods import REFERENCES, described
from contact_service.evaluation.trial.survival import Curve

Note = Mapping[str, str]
"""A sentence for the reader: ``key``, ``ja``, ``en``."""


@dataclass(frozen=True, slots=True)
class Share:
    """An arm's people with a known answer, how many had the event, and the share."""

    n: int
    events: int
    missing: int
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Amount:
    """An arm's people with a known amount, the sum and the mean."""

    n: int
    total: float
    mean: float | None
    missing: int


@dataclass(frozen=True, slots=True)
class ArmResult:
    """Levels of one arm. ``load`` is per 1,000 units; ``times`` are Kaplan-Meier curves."""

    arm: str
    n: int
    clusters: int
    outcomes: Mapping[str, Share]
    amounts: Mapping[str, Amount]
    times: Mapping[str, Curve]
    load_per_1000: Mapping[str, float]
    delivered: Share | None
    cost_yen: float | None


@dataclass(frozen=True, slots=True)
class OutcomeEffect:
    """A yes-or-no outcome, arm less (or over) control.

    ``risk_difference``: Newcombe's, or cluster-robust where units are in clusters (then
    ``risk_difference_newcombe`` is Newcombe's at the effective sizes).
    ``risk_difference_adjusted``: Lin's. ``risk_difference_stratified``: within the allocation's
    strata, of independent units, weighted by Mantel and Haenszel. ``missing_bounds``: all of one
    arm's unknown had the event and none of the other's.
    """

    role: str  # primary, secondary
    risk_difference: Estimate | None
    risk_difference_newcombe: Estimate | None
    risk_difference_clustered: Estimate | None
    risk_difference_adjusted: Estimate | None
    risk_difference_stratified: Estimate | None
    risk_ratio: Estimate | None
    odds_ratio: Estimate | None
    number_needed_to_contact: Estimate | None
    missing_bounds: Estimate | None
    p_value: float | None
    p_value_method: str
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class AmountEffect:
    """A mean amount, arm less control."""

    role: str
    amount_difference: Estimate | None
    amount_difference_bootstrap: Estimate | None
    amount_difference_winsorised: Estimate | None
    amount_difference_adjusted: Estimate | None
    p_value: float | None
    p_value_method: str
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class TimeEffect:
    """A time to an event. ``hazard`` above 1: sooner in the arm. ``rmst_difference``: days
    until the event within ``rmst_horizon``, arm less control (negative: sooner)."""

    role: str
    hazard: Estimate | None
    rmst_difference: Estimate | None
    rmst_horizon: float | None
    p_value: float | None
    p_value_method: str
    p_adjusted: float | None = None


Effect = OutcomeEffect | AmountEffect | TimeEffect


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another. ``p_value``, ``p_adjusted`` and ``primary`` are those of the
    first primary measure."""

    arm: str
    control: str
    primary: str | None
    p_value: float | None
    p_adjusted: float | None
    outcomes: Mapping[str, OutcomeEffect]
    amounts: Mapping[str, AmountEffect]
    times: Mapping[str, TimeEffect]
    complier: Mapping[str, Any] = field(default_factory=dict)
    load_per_1000: Mapping[str, Estimate | None] = field(default_factory=dict)
    money: Any = None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """All of it. ``notes`` are what a reader must know; ``lacking`` names what the design asks
    for and the data do not have."""

    control: str
    horizon_days: int | None
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    sample_ratio: Any
    balance: tuple[Any, ...]
    subgroups: tuple[Any, ...]
    interim: Any
    clusters: Any
    adjustment: Mapping[str, Any]
    lacking: tuple[str, ...]
    notes: tuple[Note, ...]
    level: float = LEVEL

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with every method's reference."""
        found: dict[str, Any] = document(self)
        return {**found, "references": dict(sorted(_references(found)))}


def document(value: Any) -> Any:
    """Plain JSON of a result or a part of it."""
    if isinstance(value, Estimate):
        return described(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: document(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): document(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [document(found) for found in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, list):
        return {pair for part in value for pair in _references(part)}
    if not isinstance(value, dict):
        return set()
    here = {(m, REFERENCES[m]) for key, m in value.items()
            if key in ("method", "p_value_method") and m in REFERENCES}  # fmt: skip
    return here | {pair for part in value.values() for pair in _references(part)}
