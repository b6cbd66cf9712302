"""What can be wrong with a definition, said to the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
"""Where in a definition: ``("steps", 0, "message")``."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a definition, wherever its text may be."""

    path: FieldPath
    ja: str
    en: str
    suggestion: str = ""
    """What was probably meant, as it should be written; empty if nobody can guess."""
    warning: bool = False
    """Allowed, but probably not meant."""
    of_key: bool = False
    """The key itself is wrong, not what stands behind it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem with its place in the text; lines and columns count from 1."""

    line: int
    column: int
    path: str
    message_ja: str
    message_en: str
    suggestion: str = ""
    warning: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {name: getattr(self, name) for name in self.__slots__}


class DefinitionErrors(Exception):
    """A definition was refused. Holds every fault that could be found, in order of place."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.name = name
        self.faults = tuple(sorted(faults, key=lambda f: (f.warning, f.line, f.column, f.path)))
        super().__init__(describe(name, self.faults))


def describe(name: str, faults: Iterable[Fault]) -> str:
    """One line in Japanese and one in English for each fault, with its place."""
    lines = []
    for fault in faults:
        ja, en = ("警告: ", "warning: ") if fault.warning else ("", "")
        lines.append(f"{name}:{fault.line}:{fault.column}: {ja}{fault.message_ja}")
        lines.append(f"    {en}{fault.message_en}")
    return "\n".join(lines)


def show_path(path: FieldPath) -> str:
    """A path as staff read it: ``steps[0].message``; empty for the whole definition."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
