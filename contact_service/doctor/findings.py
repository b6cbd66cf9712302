"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # works, and somebody should know
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``remedy`` says what to do, in Japanese and then in English."""

    subject: str
    level: Level
    detail: str
    remedy: str = ""


def words(error: Exception) -> str:
    """The first line of an error, for a person."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
