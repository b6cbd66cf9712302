"""Erlang against published values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_service.evaluation import erlang

LOAD = erlang.offered_load(100, 180)  # 100 calls in 30 minutes, 180 s each


def test_the_worked_example() -> None:
    assert LOAD == 10
    assert erlang.erlang_c(LOAD, 14) == pytest.approx(0.1741319, abs=5e-8)
    assert erlang.service_level(LOAD, 14, 180, 20) == pytest.approx(0.888350, abs=5e-7)
    assert erlang.average_wait(LOAD, 14, 180) == pytest.approx(7.8359, abs=5e-5)
    assert erlang.operators_needed(LOAD, 180, 0.8, 20) == 14


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
