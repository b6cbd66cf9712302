"""The trial's definition with one thing changed, and what is then said about it."""

from __future__ import annotations

from campaigns.faults import DefinitionErrors, Fault
from campaigns.parse import read
from campaigns.ready_made import library

TRIAL = library()["three-arm-trial"].read_text(encoding="utf-8")


def mutated(old: str, new: str, text: str = TRIAL) -> str:
    """The text with the first ``old`` replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def findings(text: str) -> tuple[Fault, ...]:
    """Everything that is said about a definition, faults and warnings."""
    try:
        return read(text, "trial.yaml").warnings
    except DefinitionErrors as errors:
        return errors.faults


def line_of(text: str, part: str) -> int:
    """The line, from 1, on which ``part`` first stands."""
    return text[: text.index(part)].count("\n") + 1
