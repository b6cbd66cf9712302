"""How many contacts fall due in which half-hour: a step's pace, and what the centre can answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime


def half_hour(at: datetime) -> datetime:
    """The beginning of the half-hour that ``at`` lies in."""
    return at.replace(minute=30 if at.minute >= 30 else 0, second=0, microsecond=0)


@dataclass
class Pace:
    """What is left of each half-hour, for one run.

    ``most`` is the pace of the step that is being planned; ``call_backs`` how many expected
    call-backs each half-hour may hold, over all steps and the other runs already there.
    """

    call_backs: float | None = None
    expected: defaultdict[datetime, float] = field(default_factory=lambda: defaultdict(float))
    """Expected call-backs by half-hour."""
    taken: Counter[datetime] = field(default_factory=Counter)
    """Contacts of the step by slot."""

    def begin_step(self) -> None:
        """A step has a pace of its own; the centre is the same one."""
        self.taken.clear()

    def room(self, slot: datetime, most: int | None, rate: float) -> int | None:
        """How many more contacts fit into ``slot``; ``None``: any number."""
        limits = [] if most is None else [most - self.taken[slot]]
        if self.call_backs is not None and rate > 0:
            left = self.call_backs - self.expected[half_hour(slot)]
            limits.append(int(left / rate + 1e-9))
        return max(min(limits), 0) if limits else None

    def place(
        self, people: int, slots: Iterable[datetime], most: int | None, rate: float
    ) -> tuple[list[tuple[datetime, int]], int]:
        """Put ``people`` contacts into ``slots``, the earliest first. Returns how many came into
        which slot, and how many are left over."""
        placed: list[tuple[datetime, int]] = []
        for slot in slots:
            if not people:
                break
            room = self.room(slot, most, rate)
            count = people if room is None else min(people, room)
            if count:
                placed.append((slot, count))
                self.taken[slot] += count
                self.expected[half_hour(slot)] += count * rate
                people -= count
        return placed, people


def thresholds(placed: Sequence[tuple[datetime, int]]) -> list[int]:
    """For ``width_bucket``: the place from which on the next slot's contacts begin."""
    total, result = 0, []
    for _, count in placed:
        total += count
        result.append(total)
    return result
