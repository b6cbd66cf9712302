"""Erlang against published values."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_service.evaluation import erlang
from contact_service.evaluation.staffing.performance import Standard, performance, rostered

LOAD = erlang.offered_load(100, 180)  # 100 calls in 30 minutes, 180 s each


def test_the_worked_example() -> None:
    """100 calls in half an hour, 3 minutes each, 80 % within 20 s, 30 % shrinkage: the tutorial of
    the library pyworkforce (pyworkforce.readthedocs.io, "Solving queue problems with ErlangC")
    prints 14 positions, 20 with shrinkage, service level 0.888, occupancy 0.714, waiting 0.174."""
    assert LOAD == 10
    assert erlang.operators_needed(LOAD, 180, 0.8, 20) == 14
    assert rostered(14, 0.3) == 20
    found = performance(LOAD, 14, 180, Standard(within_seconds=20))
    printed = (found.service_level, found.occupancy, found.probability_of_waiting)
    assert [round(figure, 3) for figure in printed] == [0.888, 0.714, 0.174]


@pytest.mark.parametrize(
    ("agents", "empty", "line", "wait", "waiting"),
    [(2, 0.412, 0.175, 0.018, 0.245), (3, 0.432, 0.022, 0.002, 0.058),
     (4, 0.434, 0.003, 0.000, 0.011), (5, 0.435, 0.000, 0.000, 0.002)],
)  # fmt: skip
def test_the_printed_table_of_ten_arrivals_and_a_dozen_served(
    agents: int, empty: float, line: float, wait: float, waiting: float
) -> None:
    """The multiple-server queueing model of Cengage's course workbook: λ = 10, μ = 12. Printed:
    nobody there, mean number in line, mean time in line, probability of waiting."""
    load, aht = 10 / 12, 1 / 12
    chance = erlang.erlang_c(load, agents)
    assert round(chance, 3) == waiting
    assert round(erlang.average_wait(load, agents, aht), 3) == wait
    assert round(10 * erlang.average_wait(load, agents, aht), 3) == line
    # the chance that nobody is there goes with it: C = p₀ · Aⁿ/n! · n/(n−A)
    alone = chance * factorial(agents) / load**agents * (agents - load) / agents
    assert round(alone, 3) == empty


@pytest.mark.parametrize(("agents", "waiting", "load"), [(8, 0.05, 3.87), (10, 0.01, 4.08)])
def test_the_table_of_loads_by_probability_of_waiting(
    agents: int, waiting: float, load: float
) -> None:
    """The Erlang C table of a textbook on trunked radio (TETRA; its appendix, table C): 8 channels
    delay 5 % of calls at 3.87 erlangs, 10 channels 1 % at 4.08."""
    assert erlang.erlang_c(load - 0.005, agents) < waiting < erlang.erlang_c(load + 0.005, agents)


@pytest.mark.parametrize(
    ("load", "agents"),
    [("1/2", 1), ("3", 5), ("10", 11), ("10", 14), ("48", 50), ("199/2", 100), ("387/100", 8)],
)
def test_the_definition_in_exact_arithmetic(load: str, agents: int) -> None:
    """Erlang's own sums in fractions, without the recurrence and without rounding."""
    offered = Fraction(load)
    terms = [offered**n / factorial(n) for n in range(agents + 1)]
    waits = terms[-1] * agents / (agents - offered)
    expected = waits / (sum(terms[:-1]) + waits)
    assert erlang.erlang_b(float(offered), agents) == pytest.approx(
        float(terms[-1] / sum(terms)), rel=1e-13
    )
    assert erlang.erlang_c(float(offered), agents) == pytest.approx(float(expected), rel=1e-12)
    assert erlang.average_wait(float(offered), agents, 180) == pytest.approx(
        float(expected * 180 / (agents - offered)), rel=1e-12
    )
    with localcontext() as exact:
        exact.prec = 40
        spare = agents - offered
        decay = (-Decimal(spare.numerator) / spare.denominator * 20 / 180).exp()
        late = Decimal(expected.numerator) / expected.denominator * decay
    assert erlang.service_level(float(offered), agents, 180, 20) == pytest.approx(
        float(1 - late), rel=1e-12
    )


@pytest.mark.parametrize(
    ("load", "agents", "stretch"),
    [("48", 50, "2"), ("10", 14, "2/3"), ("10", 8, "1/2"), ("3", 2, "5")],
)
def test_erlang_a_in_exact_arithmetic(load: str, agents: int, stretch: str) -> None:
    """The balance of the chain in fractions, as far up as matters; ``stretch``: patience in handle
    times."""
    offered, patience = Fraction(load), Fraction(stretch)
    share, shares = Fraction(1), [Fraction(1)]
    for n in range(1, agents + 200):
        share *= offered / (min(n, agents) + max(0, n - agents) / patience)
        shares.append(share)
        if n > agents and share < Fraction(1, 10**18):
            break
    whole = sum(shares)
    waiting = sum(shares[agents:]) / whole
    in_line = sum((n - agents) * one for n, one in enumerate(shares) if n > agents) / whole
    found = performance(float(offered), agents, 60, Standard(patience_seconds=float(60 * patience)))
    assert found.probability_of_waiting == pytest.approx(float(waiting), rel=1e-11)
    assert found.abandonment == pytest.approx(float(in_line / patience / offered), rel=1e-11)


@pytest.mark.parametrize(("load", "agents", "blocked"), [(1, 1, 0.5), (2, 2, 0.4), (0, 3, 0)])
def test_erlang_b_small_cases(load: float, agents: int, blocked: float) -> None:
    assert erlang.erlang_b(load, agents) == pytest.approx(blocked)


def test_too_few_operators_answer_nobody_in_time() -> None:
    assert erlang.erlang_c(10, 10) == 1
    assert erlang.service_level(10, 10, 180, 20) == 0
    assert erlang.average_wait(10, 9, 180) == float("inf")
    assert erlang.operators_needed(0, 180) == 0


@given(st.floats(0.05, 80), st.floats(20, 900), st.floats(0.5, 0.99), st.floats(0, 120))
def test_one_operator_fewer_would_not_do(
    load: float, aht: float, level: float, within: float
) -> None:
    agents = erlang.operators_needed(load, aht, level, within)
    assert erlang.service_level(load, agents, aht, within) >= level
    assert erlang.service_level(load, agents - 1, aht, within) < level
