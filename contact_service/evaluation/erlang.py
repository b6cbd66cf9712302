"""Erlang B and C: how many operators an offered load needs.

Offered load A = λ·AHT in erlangs (A. K. Erlang 1917). For inbound calls only: outbound
dialling offers no load. Callers are taken to wait as long as it takes (no patience), so the
answer is on the safe side where some hang up.
"""

from __future__ import annotations

from math import exp, inf


def offered_load(calls: float, aht_seconds: float, interval_seconds: float = 1800) -> float:
    """Erlangs that ``calls`` in an interval offer at an average handle time (talk + wrap)."""
    return calls * aht_seconds / interval_seconds


def erlang_b(load: float, agents: int) -> float:
    """The probability that all ``agents`` are busy when nobody waits: B(0) = 1,
    B(n) = A·B(n−1) / (n + A·B(n−1))."""
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(load: float, agents: int) -> float:
    """The probability that a caller waits: C = N·B / (N − A(1−B)); 1 when N ≤ A."""
    if agents <= load:
        return 1.0
    blocked = erlang_b(load, agents)
    return agents * blocked / (agents - load * (1 - blocked))


def service_level(load: float, agents: int, aht_seconds: float, within_seconds: float) -> float:
    """The share of callers answered within ``within_seconds``:
    1 − C·e^(−(N−A)·T/AHT); 0 when N ≤ A."""
    if agents <= load:
        return 0.0
    decay = exp(-(agents - load) * within_seconds / aht_seconds)
    return 1 - erlang_c(load, agents) * decay


def average_wait(load: float, agents: int, aht_seconds: float) -> float:
    """Average speed of answer in seconds: C·AHT / (N−A); infinite when N ≤ A."""
    if agents <= load:
        return inf
    return erlang_c(load, agents) * aht_seconds / (agents - load)


def operators_needed(
    load: float, aht_seconds: float, level: float = 0.8, within_seconds: float = 20
) -> int:
    """The fewest operators who answer a share ``level`` (< 1) within ``within_seconds``;
    0 for no load."""
    if load <= 0:
        return 0
    agents = int(load) + 1
    while service_level(load, agents, aht_seconds, within_seconds) < level:
        agents += 1
    return agents
