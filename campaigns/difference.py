"""What two definitions do differently, in words and field by field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.definition import Definition
from campaigns.explain import Section, explain
from campaigns.faults import FieldPath, show_path
from campaigns.messages import TYPICAL
from campaigns.phrases import Lang

REMOVED, ADDED, UNCHANGED = "− ", "+ ", "  "
_NUMBER = re.compile(r"^\d+\. ")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; ``None`` stands for one that is not there.

    Parts with names of their own (arms, steps) are compared by name, wherever they stand.
    """

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs between two definitions."""

    sections: tuple[Section, ...]
    """The explanation's lines that differ, marked; below the lines that they belong to."""
    changes: tuple[Change, ...]


def compare(
    old: Definition, new: Definition, lang: Lang = "ja", values: Mapping[str, str] = TYPICAL
) -> Difference:
    """The difference; texts are shown with ``values`` filled in."""
    sections = (
        Section(before.heading, tuple(_marked(before.lines, after.lines)))
        for before, after in zip(
            explain(old, lang, values), explain(new, lang, values), strict=True
        )
    )
    changes = _changes(old.model_dump(mode="json"), new.model_dump(mode="json"), ())
    return Difference(tuple(each for each in sections if each.lines), tuple(changes))


def _marked(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Lines that are gone or new. Of a block with the same head, only what differs in it."""
    before, after = _blocks(old), _blocks(new)
    for key, (head, body) in before.items():
        if key not in after:
            yield from (REMOVED + line for line in (head, *body))
    for key, (head, body) in after.items():
        if key not in before:
            yield from (ADDED + line for line in (head, *body))
        elif before[key][1] != body:
            yield UNCHANGED + head
            yield from _marked(before[key][1], body)


def _blocks(lines: Sequence[str]) -> dict[tuple[str, int], tuple[str, list[str]]]:
    """Each line with the more deeply indented ones that follow it.

    The key is what makes a block the same one: a step's number does not; the second of two
    with the same head is another.
    """
    blocks: dict[tuple[str, int], tuple[str, list[str]]] = {}
    times: Counter[str] = Counter()
    body: list[str] = []
    depth = 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if blocks and indent > depth:
            body.append(line)
            continue
        name, depth, body = _NUMBER.sub("", line), indent, []
        blocks[name, times[name]] = (line, body)
        times[name] += 1
    return blocks


def _changes(old: Any, new: Any, path: FieldPath) -> Iterator[Change]:
    if old == new:
        return
    inside = _by_name(old), _by_name(new)
    if inside[0] is None or inside[1] is None:
        yield Change(show_path(path), old, new)
        return
    for name in dict.fromkeys((*inside[0], *inside[1])):
        yield from _changes(inside[0].get(name), inside[1].get(name), (*path, name))
    if isinstance(old, list) and list(inside[0]) != list(inside[1]):
        yield Change(show_path(path), list(inside[0]), list(inside[1]))


def _by_name(value: Any) -> dict[str, Any] | None:
    """A mapping, or a list of parts with names, by name; ``None`` for anything else."""
    if isinstance(value, dict):
        return value
    if value and isinstance(value, list) and all(isinstance(each, dict) for each in value):
        names = [each.get("name") for each in value]
        if None not in names:
            return dict(zip(names, value, strict=True))
    return None
