"""Lengths of time as staff write them: ``5 min``, ``2 h``, ``3 days``, ``90分``, ``1時間``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "min": 60, "minute": 60, "minutes": 60, "分": 60,
    "h": 3600, "hour": 3600, "hours": 3600, "時間": 3600,
    "day": 86400, "days": 86400, "日": 86400,
}  # fmt: skip
_FORM = re.compile(r"^\s*(\d{1,4})\s*([a-z]+|分|時間|日)\s*$")


def parse_duration(value: object) -> timedelta:
    """Read a length of time. Raises ``ValueError`` with the forms that are understood."""
    if isinstance(value, timedelta):
        return value
    match = _FORM.match(value) if isinstance(value, str) else None
    if match and match[2] in _UNITS:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    raise ValueError(
        "期間は「5 min」「2 h」「3 days」の形で / write a duration as 5 min, 2 h, 3 days"
    )


def show_duration(value: timedelta) -> str:
    """The shortest way to write a length of time that :func:`parse_duration` reads."""
    seconds = int(value.total_seconds())
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    raise ValueError("durations are whole minutes")
