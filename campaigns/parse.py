"""From a definition's text to a checked :class:`Definition`, or to all its faults at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from campaigns import source
from campaigns.carriers import USUAL, Carrier
from campaigns.check import check
from campaigns.definition import Definition
from campaigns.faults import DefinitionErrors, Fault, FieldPath, Problem
from campaigns.wording import problem_of

MAX_FAULTS = 100
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """A valid definition and what is worth a second look in it."""

    definition: Definition
    warnings: tuple[Fault, ...]


def parse(text: str, name: str) -> Definition:
    """The definition in ``text``; ``name`` is what messages call it.

    Raises :class:`DefinitionErrors` with all faults that could be found.
    """
    return read(text, name).definition


def parse_file(path: Path) -> Definition:
    """The definition in a UTF-8 file. Raises :class:`DefinitionErrors` and ``OSError``."""
    return read_file(path).definition


def read_file(path: Path, carriers: Sequence[Carrier] = USUAL) -> Reading:
    """Like :func:`read`, from a UTF-8 file. Raises also ``OSError``."""
    with path.open("rb") as file:
        data = file.read(source.MAX_SIZE + 1)
    return read(source.decode(data, path.name), path.name, carriers)


def read(text: str, name: str, carriers: Sequence[Carrier] = USUAL) -> Reading:
    """The definition in ``text`` with its warnings, its texts judged as ``carriers`` would.

    Raises :class:`DefinitionErrors`.
    """
    found, problems = source.read(text, name)
    unreadable = {problem.path for problem in problems}
    definition, more, unsure = _shape(found.value)
    problems += [problem for problem in more if problem.path not in unreadable]
    if definition is not None:
        problems += check(
            definition, unsure | {str(path[0]) for path in unreadable if path}, carriers
        )
    faults = [found.locate(problem) for problem in problems[:MAX_FAULTS]]
    if definition is None or not all(fault.warning for fault in faults):
        raise DefinitionErrors(name, faults)
    return Reading(definition, tuple(faults))


def _shape(value: Any) -> tuple[Definition | None, list[Problem], set[str]]:
    """The definition, or the nearest one that is left when what is at fault is cut out.

    Also the faults, and the sections that something was cut from: rules about those would
    complain about the cut. A definition cut too far is none.
    """
    problems: dict[FieldPath, Problem] = {}
    unsure: set[str] = set()
    for _ in range(_ROUNDS):
        try:
            return _validate(value), list(problems.values()), unsure
        except ValidationError as error:
            errors = _own(error.errors(include_url=False))[:MAX_FAULTS]
        if not problems:
            problems = {problem.path: problem for problem in map(problem_of, errors)}
        for each in errors:
            section = _cut(value, tuple(part for part in each["loc"] if part != "[key]"))
            if section is None:
                return None, list(problems.values()), unsure
            if each["type"] != "extra_forbidden":
                unsure.add(section)
            elif section in ("select", "selections"):
                unsure.add("within conditions")  # what is left of one may be empty now
    return None, list(problems.values()), unsure


def _own(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without complaints that a list is too short only because what is in it is at fault."""
    above = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    return [each for each in errors if each["type"] != "too_short" or each["loc"] not in above]


def _validate(value: Any) -> Definition:
    """Strictly, as JSON: no ``true`` for 1, no 9 for nine seconds past midnight."""
    return Definition.model_validate_json(json.dumps(value), strict=True)


def _cut(value: Any, path: FieldPath) -> str | None:
    """Take out the nearest field at or above ``path``; its section, or ``None`` if none is left."""
    way = list(_along(value, path))
    if len(way) < len(path):
        return str(path[0])  # it went with an earlier cut
    for container, part in reversed(way):
        if isinstance(container, dict) and part in container:
            del container[part]
            return str(path[0])
    return None


def _along(value: Any, path: FieldPath) -> Iterator[tuple[Any, str | int]]:
    """Each container on the way, with the key or index that leads on."""
    for part in path:
        if not isinstance(value, dict | list):
            return
        yield value, part
        if isinstance(value, dict):
            value = value.get(str(part))
        else:
            value = value[part] if isinstance(part, int) and part < len(value) else None
