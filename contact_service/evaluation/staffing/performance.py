"""What a number of operators achieves, and how many achieve a service level.

Without patience by Erlang C, with patience by Erlang A. For inbound calls only: outbound
dialling waits for nobody and is counted in agent-hours.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from contact_service.evaluation import erlang
from contact_service.evaluation.staffing.erlang_a import erlang_a


@dataclass(frozen=True, slots=True)
class Standard:
    """What callers are promised, and what is known of them and of the operators."""

    level: float = 0.8
    """The share answered in time, between 0 and 1, both excluded."""
    within_seconds: float = 20.0
    patience_seconds: float | None = None
    """The mean time after which a waiting caller hangs up; ``None``: never."""
    shrinkage: float = 0.0
    """The share of paid time off the telephone (breaks, training, absence), below 1."""


@dataclass(frozen=True, slots=True)
class Performance:
    """How callers fare. Shares are of all callers; ``asa_seconds`` (average speed of answer) is
    the mean wait of those who are answered, infinite for a queue that grows without end."""

    service_level: float
    asa_seconds: float
    occupancy: float
    probability_of_waiting: float
    abandonment: float


_NO_CALLS = Performance(1.0, 0.0, 0.0, 0.0, 0.0)


def is_stable(load: float, agents: int, standard: Standard) -> bool:
    """Whether the queue has an end: always when callers hang up, else when agents > load."""
    return standard.patience_seconds is not None or agents > load or load == 0


def performance(load: float, agents: int, aht_seconds: float, standard: Standard) -> Performance:
    """What ``agents`` ≥ 1 achieve at ``load`` ≥ 0 erlangs of inbound calls."""
    if load == 0:
        return _NO_CALLS
    within, patience = standard.within_seconds, standard.patience_seconds
    if patience is not None:
        found = erlang_a(load, agents, aht_seconds, within, patience)
        return Performance(
            found.service_level,
            found.asa_seconds,
            load * (1 - found.abandonment) / agents,
            found.probability_of_waiting,
            found.abandonment,
        )
    return Performance(
        erlang.service_level(load, agents, aht_seconds, within),
        erlang.average_wait(load, agents, aht_seconds),
        min(1.0, load / agents),
        erlang.erlang_c(load, agents),
        0.0,
    )


def agents_needed(load: float, aht_seconds: float, standard: Standard) -> int:
    """The fewest operators who reach the service level; 0 for no load.

    The level rises with every operator in both models, so halving finds the number.
    """
    if load == 0:
        return 0

    def reached(agents: int) -> float:
        return performance(load, agents, aht_seconds, standard).service_level

    enough = max(1, ceil(load))
    while reached(enough) < standard.level:
        enough *= 2
    return 1 + bisect_left(range(1, enough), standard.level, key=reached)


def rostered(agents: int, shrinkage: float) -> int:
    """How many must be on the roster so that ``agents`` sit at the telephones:
    agents / (1 − shrinkage), rounded up. The share is taken as the decimal it is written as,
    or 21 / 0.7 would make 31."""
    return ceil(Fraction(agents) / (1 - Fraction(str(shrinkage))))
