"""What is wrong with a trial's file or with what was asked of it."""

from __future__ import annotations

from pathlib import Path


class TrialRefused(ValueError):
    """What was asked cannot be done. The message is for a person: Japanese, then English,
    with the remedy and without anything from the file's rows."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")


def at(path: Path, line: int, field: str, ja: str, en: str) -> TrialRefused:
    """The same with its place: file, physical line from 1, field."""
    return TrialRefused(
        f"{path.name} の{line}行目「{field}」: {ja}", f'{path.name}, line {line}, "{field}": {en}'
    )
