"""Erlang A (M/M/n+M): the queue whose callers hang up.

Arrivals are Poisson, handle times and patience exponential; a caller waits in order of arrival
until an operator is free or patience ends. C. Palm 1957; exact formulas as in Mandelbaum and
Zeltyn, "Service engineering in action: the Palm/Erlang-A queue" (2007), the distribution of the
wait by Baccelli and Hebuterne (1981).

With s = agents·patience/AHT and y = load·patience/AHT, the chance that m callers wait while all
operators are busy is proportional to the product of y/(s+k) over k = 1…m: a Poisson law with
mean y, shifted by s and cut off at 0. The sums below are over that law and have positive terms
only, so nothing cancels; and a sum begins no further below its largest term than matters, so
nothing overflows, however many operators and however long the patience.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammainc

from contact_service.evaluation.erlang import erlang_b

#: Standard deviations on either side of the law's centre; what lies outside is below e^−40.
_WIDTH = 9.0
#: Terms besides, for laws too small to have the shape of a bell.
_EXTRA = 60


@dataclass(frozen=True, slots=True)
class ErlangA:
    """The figures of one queue. Shares are of all callers, those who hang up included."""

    probability_of_waiting: float
    """Nobody is free when a caller arrives."""
    service_level: float
    """Answered within the time asked for."""
    abandonment: float
    """Hang up before they are answered."""
    asa_seconds: float
    """Average speed of answer: the mean wait of those who are answered."""


def erlang_a(
    load: float, agents: int, aht_seconds: float, within_seconds: float, patience_seconds: float
) -> ErlangA:
    """The queue of ``agents`` ≥ 1 at ``load`` > 0 erlangs; ``patience_seconds`` is the mean time
    after which a waiting caller hangs up.

    Defined for any load, also above the number of agents.
    """
    stretch = patience_seconds / aht_seconds
    s, y, rho = agents * stretch, load * stretch, load / agents
    first, terms = _waiting(s, y)
    law = terms / terms.sum()
    nobody_waits = float(law[0]) if first == 0 else 0.0
    blocked = erlang_b(load, agents)
    busy = blocked / (blocked + (1 - blocked) * nobody_waits)
    callers = np.arange(first, first + len(law))
    # each who waits hangs up at the rate 1/patience: the share is their mean number over y
    abandonment = busy * float(law @ callers) / y
    # who is m-th in line is answered with probability s/(s+m), after m departures from the
    # line; the i-th from its end takes patience/(s+i) on average
    steps = np.concatenate(([0.0], 1 / (s + callers[1:])))
    delay = float(digamma(s + first + 1) - digamma(s + 1)) + np.cumsum(steps)
    waited = busy / rho * float(law @ delay) * patience_seconds
    answered_after_waiting = busy * (1 - nobody_waits) / rho
    late = answered_after_waiting * _later_than(within_seconds / patience_seconds, s, y)
    return ErlangA(
        probability_of_waiting=busy,
        service_level=max(0.0, 1 - abandonment - late),
        abandonment=abandonment,
        asa_seconds=waited / (1 - abandonment),
    )


def _waiting(s: float, y: float) -> tuple[int, NDArray[np.float64]]:
    """The weights of first, first + 1, … callers waiting, relative to the first of them."""
    first = max(0, int(y - s - _WIDTH * sqrt(y)))
    last = max(0.0, y - s) + _WIDTH * sqrt(max(s, y)) + _EXTRA
    ratios = y / (s + np.arange(first + 1, int(last) + 1))
    return first, np.concatenate(([1.0], np.cumprod(ratios)))


def _later_than(time: float, s: float, y: float) -> float:
    """Of the callers who wait and are answered, the share who wait longer than ``time``
    patiences: γ(s+1, y·e^−time) / γ(s+1, y), where γ is the lower incomplete gamma function.

    Its power series γ(a, x) = x^a·e^−x/a · (1 + x/(a+1) + …) is taken where the weights begin
    at 0; there γ may be too small for a float. Elsewhere it is not.
    """
    left = y * exp(-time)
    first, terms = _waiting(s + 1, y)
    if first > 0:
        return float(gammainc(s + 1, left) / gammainc(s + 1, y))
    _, left_terms = _waiting(s + 1, left)
    return exp(-y * expm1(-time) - (s + 1) * time) * float(left_terms.sum() / terms.sum())
