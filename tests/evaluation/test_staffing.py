"""Staffing against published tables, a direct solution and simulated queues."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array
from scipy.sparse.linalg import expm_multiply

from contact_service.evaluation import erlang
from contact_service.evaluation.staffing.performance import (
    Performance,
    Standard,
    agents_needed,
    is_stable,
    performance,
    rostered,
)

# -- published values --


@pytest.mark.parametrize(
    ("agents", "load"),
    [(1, "0.0101"), (2, "0.153"), (5, "1.36"), (10, "4.46"), (20, "12.0"), (50, "37.9"),
     (100, "84.1")],
)  # fmt: skip
def test_the_table_of_loads_at_one_percent_blocking(agents: int, load: str) -> None:
    half = 0.5 * 10.0 ** -len(load.partition(".")[2])
    assert (
        erlang.erlang_b(float(load) - half, agents)
        < 0.01
        < erlang.erlang_b(float(load) + half, agents)
    )


def test_fifty_agents_with_and_without_patience() -> None:
    """The literature's comparison of the two models (Garnett, Mandelbaum and Reiman 2002;
    Mandelbaum and Zeltyn 2007): 50 agents, 48 calls of a minute each per minute, patience
    2 minutes."""
    patient, impatient = (
        performance(48, 50, 60, Standard(patience_seconds=p)) for p in (None, 120)
    )
    assert round(patient.asa_seconds, 1) == 20.8
    assert round(patient.occupancy, 2) == 0.96
    assert round(impatient.abandonment, 3) == 0.031
    assert round(impatient.abandonment * 120, 1) == 3.7  # mean wait of all callers
    assert round(impatient.occupancy, 2) == 0.93


@pytest.mark.parametrize(
    ("agents", "shrinkage", "expected"),
    [(14, 0.3, 20), (21, 0.3, 30), (15, 0.3, 22), (7, 0.0, 7), (0, 0.5, 0), (9, 0.1, 10)],
)
def test_rostered_is_rounded_up_but_not_by_binary_fractions(
    agents: int, shrinkage: float, expected: int
) -> None:
    assert rostered(agents, shrinkage) == expected


# -- Erlang A against its birth–death chain, solved directly --


def solved(load: float, agents: int, aht: float, standard: Standard) -> Performance:
    """The chain's balance equations and a tagged caller's way through the line."""
    assert standard.patience_seconds
    serve, leave, arrive = 1 / aht, 1 / standard.patience_seconds, load / aht
    line = int(load * serve / leave + 8 * sqrt(load * serve / leave) + 60)
    size = agents + line + 1
    balance = np.zeros((size, size))
    for n in range(size - 1):
        balance[n, n + 1] = arrive
        balance[n + 1, n] = min(n + 1, agents) * serve + max(0, n + 1 - agents) * leave
    balance -= np.diag(balance.sum(axis=1))
    balance[:, -1] = 1  # one balance equation follows from the others: the shares add up to 1
    share = np.linalg.solve(balance.T, np.append(np.zeros(size - 1), 1))
    # a caller with j ahead moves up to j−1, is answered from 0, or hangs up
    steps = np.zeros((line + 2, line + 2))  # the last state: answered
    for ahead in range(line + 1):
        steps[ahead, ahead - 1 if ahead else line + 1] = agents * serve + ahead * leave
        steps[ahead, ahead] = -(agents * serve + (ahead + 1) * leave)
    inside = np.linalg.inv(-steps[: line + 1, : line + 1])
    answered = inside @ steps[: line + 1, -1]
    done = np.append(np.zeros(line + 1), 1)
    in_time = expm_multiply(csr_array(steps) * standard.within_seconds, done)[: line + 1]
    finds = share[agents:]
    lost = 1 - share[:agents].sum() - finds @ answered
    return Performance(
        service_level=share[:agents].sum() + finds @ in_time,
        asa_seconds=finds @ inside @ answered / (1 - lost),
        occupancy=np.minimum(np.arange(size), agents) @ share / agents,
        probability_of_waiting=finds.sum(),
        abandonment=lost,
    )


@pytest.mark.parametrize(
    ("load", "agents", "aht", "patience", "within"),
    [(10, 14, 180, 120, 20), (10, 10, 180, 120, 20), (10, 6, 180, 60, 45), (0.4, 1, 300, 30, 0),
     (3, 2, 200, 900, 60), (40, 42, 240, 90, 20), (25, 5, 100, 50, 150), (60, 5, 60, 600, 600),
     (60, 5, 60, 600, 1500)],
)  # fmt: skip
def test_erlang_a_is_the_solution_of_its_chain(
    load: float, agents: int, aht: float, patience: float, within: float
) -> None:
    standard = Standard(within_seconds=within, patience_seconds=patience)
    found, expected = performance(load, agents, aht, standard), solved(load, agents, aht, standard)
    for name in Performance.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-8, abs=1e-10)


# -- limits --

loads = st.floats(0.05, 300)
ahts = st.floats(20, 900)
patiences = st.floats(1, 3600)
spans = st.floats(0, 120)


@settings(deadline=None, max_examples=25)  # such patience takes long to add up
@given(st.floats(0.05, 60), st.integers(1, 40), ahts, spans)
def test_endless_patience_is_erlang_c(load: float, more: int, aht: float, within: float) -> None:
    agents = int(load) + 1 + more
    without = performance(load, agents, aht, Standard(within_seconds=within))
    endless = performance(load, agents, aht, Standard(within_seconds=within, patience_seconds=1e8))
    for name in Performance.__slots__:
        assert getattr(endless, name) == pytest.approx(getattr(without, name), rel=1e-3, abs=1e-4)


def test_no_patience_at_all_is_erlang_b() -> None:
    found = performance(10, 12, 180, Standard(patience_seconds=1e-9, within_seconds=20))
    assert found.abandonment == pytest.approx(erlang.erlang_b(10, 12), rel=1e-6)
    assert found.service_level == pytest.approx(1 - erlang.erlang_b(10, 12), rel=1e-6)


def test_more_load_than_agents() -> None:
    without, impatient = Standard(), Standard(patience_seconds=120)
    assert performance(10, 10, 180, without) == Performance(0, inf, 1, 1, 0)
    assert not is_stable(10, 10, without)
    assert is_stable(10, 10, impatient)
    crowded = performance(5000, 4000, 180, impatient)
    assert crowded.abandonment == pytest.approx(0.2, rel=1e-9)  # what nobody can handle is lost
    # in a crowd all wait alike, until the fifth of them has hung up
    assert crowded.asa_seconds == pytest.approx(-120 * np.log(0.8), rel=2e-3)
    assert 0 <= crowded.service_level < 0.01


@pytest.mark.parametrize("patience", [None, 120.0, 86400.0])
def test_thousands_of_operators(patience: float | None) -> None:
    standard = Standard(patience_seconds=patience)
    needed = agents_needed(5000, 180, standard)
    assert performance(5000, needed, 180, standard).service_level >= 0.8
    assert performance(5000, needed - 1, 180, standard).service_level < 0.8


def test_no_calls_need_nobody() -> None:
    assert agents_needed(0, 180, Standard()) == 0
    assert performance(0, 1, 180, Standard()).service_level == 1


# -- properties --


@settings(deadline=None)
@given(loads, st.integers(1, 350), ahts, patiences, spans)
def test_one_operator_more_helps(
    load: float, agents: int, aht: float, patience: float, within: float
) -> None:
    standard = Standard(within_seconds=within, patience_seconds=patience)
    fewer, more = (performance(load, n, aht, standard) for n in (agents, agents + 1))
    assert more.service_level >= fewer.service_level - 1e-12
    assert more.abandonment <= fewer.abandonment + 1e-12
    assert more.probability_of_waiting <= fewer.probability_of_waiting + 1e-12
    assert more.asa_seconds <= fewer.asa_seconds * (1 + 1e-9) + 1e-12
    for one in (fewer, more):
        assert 0 <= one.service_level <= 1 - one.abandonment <= 1
        assert 0 <= one.occupancy <= 1 + 1e-12
        assert one.occupancy * agents <= load * (1 + 1e-9)


@settings(deadline=None)
@given(loads, st.integers(1, 350), ahts, patiences, st.floats(1.01, 10))
def test_more_patience_fewer_hang_up_and_more_wait(
    load: float, agents: int, aht: float, patience: float, times: float
) -> None:
    less, more = (
        performance(load, agents, aht, Standard(patience_seconds=p))
        for p in (patience, patience * times)
    )
    assert more.abandonment <= less.abandonment + 1e-12
    assert more.probability_of_waiting >= less.probability_of_waiting - 1e-12
    assert more.asa_seconds >= less.asa_seconds * (1 - 1e-9) - 1e-12


@settings(deadline=None, max_examples=50)
@given(loads, ahts, st.floats(0.5, 0.99), spans, st.one_of(st.none(), patiences))
def test_the_number_found_is_the_smallest(
    load: float, aht: float, level: float, within: float, patience: float | None
) -> None:
    standard = Standard(level, within, patience)
    needed = agents_needed(load, aht, standard)
    assert performance(load, needed, aht, standard).service_level >= level
    if needed > 1:
        assert performance(load, needed - 1, aht, standard).service_level < level
    if patience is None:
        assert needed == erlang.operators_needed(load, aht, level, within)


# -- a simulated centre --

CENTRES, WARM_UP, COUNTED = 2_000, 400, 1_600


def simulated(
    load: float, agents: int, aht: float, standard: Standard, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Figures of many centres apart, each with callers in order of arrival: all take their next
    caller at once. The first callers warm them up and are not counted."""
    random = np.random.default_rng(seed)
    each = np.arange(CENTRES)
    now = np.zeros(CENTRES)
    free_at = np.zeros((CENTRES, agents))
    sums = {name: np.zeros(CENTRES) for name in ("in_time", "wait", "busy", "waited", "answered")}
    for caller in range(WARM_UP + COUNTED):
        if caller == WARM_UP:
            began = now.copy()
        now += random.exponential(aht / load, CENTRES)
        first = free_at.argmin(axis=1)
        wait = np.maximum(0.0, free_at[each, first] - now)
        handle = random.exponential(aht, CENTRES)
        answered = np.full(CENTRES, True)
        if standard.patience_seconds is not None:
            answered = wait <= random.exponential(standard.patience_seconds, CENTRES)
        free_at[each[answered], first[answered]] = (now + wait + handle)[answered]
        if caller >= WARM_UP:
            sums["in_time"] += answered & (wait <= standard.within_seconds)
            sums["wait"] += wait * answered
            sums["busy"] += handle * answered
            sums["waited"] += wait > 0
            sums["answered"] += answered
    return {
        "service_level": sums["in_time"] / COUNTED,
        "asa_seconds": sums["wait"] / sums["answered"],
        "occupancy": sums["busy"] / (now - began) / agents,
        "probability_of_waiting": sums["waited"] / COUNTED,
        "abandonment": 1 - sums["answered"] / COUNTED,
    }


@pytest.mark.parametrize("patience", [None, 90.0])
@pytest.mark.parametrize(("load", "agents"), [(2.0, 4), (6.0, 9)])
def test_a_simulated_centre_agrees_with_theory(
    load: float, agents: int, patience: float | None
) -> None:
    aht = 180.0
    # after half a handle time the shape of the wait is told best: a tenth of its decay is seen
    standard = Standard(within_seconds=90, patience_seconds=patience)
    theory = performance(load, agents, aht, standard)
    limits = {}
    for name, found in simulated(load, agents, aht, standard, 2026).items():
        half = stats.t.ppf(0.995, CENTRES - 1) * found.std(ddof=1) / sqrt(CENTRES)
        limits[name] = (found.mean() - half, found.mean() + half)
        assert limits[name][0] <= getattr(theory, name) <= limits[name][1], (name, limits[name])
    # the limits are narrow enough to notice a theory that is wrong by a tenth
    low, high = limits["service_level"]
    if patience is None:
        for wrong in (0.9, 1.1):
            decay = np.exp(-wrong * (agents - load) * 90 / aht)
            assert not low <= 1 - erlang.erlang_c(load, agents) * decay <= high
    else:
        for wrong in (0.9, 1.1):
            other = performance(load, agents, aht, Standard(within_seconds=90,
                                                           patience_seconds=patience * wrong))  # fmt: skip
            assert not low <= other.service_level <= high
            assert not limits["abandonment"][0] <= other.abandonment <= limits["abandonment"][1]
