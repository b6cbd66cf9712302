"""The calibration's scenarios in a short version: ``make calibration`` is the long one."""

from __future__ import annotations

import pytest

from benchmarks.calibration.trials import Scenario, run, scenarios

SHORT = {s.seed: s for s in scenarios()}


@pytest.mark.parametrize("seed", [101, 107, 115, 119])
def test_quick_scenarios_hold_within_the_error_of_so_few(seed: int) -> None:
    line = run(SHORT[seed], 120)
    # three standard errors of 120 and of 480 trials beside what is asked
    assert line.coverage is None or 0.95 - 0.06 <= line.coverage <= 0.95 + 0.06
    assert line.size is not None and abs(line.size - 0.05) <= 0.03
    assert line.power is not None and abs(line.power - 0.8) <= 0.11


def test_a_line_that_does_not_hold_says_so() -> None:
    def liar(draw: object, effect: float) -> tuple[None, float]:
        return None, 0.01

    line = run(Scenario("liar", liar, 0.1, 0.0, lambda e: e, 0.8, 1), 5)
    assert (line.size, line.power, line.holds) == (1.0, 1.0, False)
