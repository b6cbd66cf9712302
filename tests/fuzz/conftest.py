"""Says at the end how many inputs each target was given."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import pytest

INPUTS = "inputs"


@dataclass
class Count:
    """How many inputs the target that runs was given."""

    inputs: int = 0


GIVEN = Count()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Count from nothing for every target."""
    GIVEN.inputs = 0
    try:
        yield
    finally:
        item.user_properties.append((INPUTS, GIVEN.inputs))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a target; by reports, so that it holds over processes."""
    total = 0
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, count in report.user_properties:
            if name == INPUTS and count:
                total += int(str(count))
                terminalreporter.write_line(f"{int(str(count)):>9,}  {report.nodeid}")
    if total:
        terminalreporter.write_line(f"{total:>9,}  bad inputs in all")
