"""The floor: operators, and the queue of those who wait for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from contact_service.simulation.timeline import Timeline

Release = Callable[[datetime], None]


@dataclass(slots=True, eq=False)
class Caller:
    """Somebody who calls the centre, with all that will come of it decided beforehand."""

    arrived_at: datetime
    talk: timedelta
    wrap: timedelta
    patience: timedelta
    number: str | None
    """None: withheld."""
    ended: Callable[[Handled], None]
    """Told once: when the talk is over, or when the caller gives up."""
    waiting: bool = True


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a caller."""

    caller: Caller
    extension: str | None
    """None: gave up before an operator was free."""
    answered_at: datetime | None
    ended_at: datetime


class Roster(Protocol):
    """How many operators are there, and when that changes."""

    def on_duty(self, at: datetime) -> int: ...

    def next_change(self, at: datetime) -> datetime: ...


class OutboundWork(Protocol):
    """What operators do when nobody waits."""

    def offers(self, at: datetime) -> bool:
        """Whether it is worth asking for somebody to call."""
        ...

    def take(self, extension: str, at: datetime, release: Release, look_again: Release) -> None:
        """Keep an operator busy, ``release`` them when done; after a time in which nothing
        was offered, ask the floor to ``look_again``."""
        ...


class Floor:
    """First come, first served; outbound work only in what is left of the operators' time."""

    def __init__(
        self,
        timeline: Timeline,
        roster: Roster,
        operators: int,
        outbound_share: float,
        outbound: OutboundWork | None = None,
    ) -> None:
        self._timeline = timeline
        self._roster = roster
        self._extensions = [str(201 + n) for n in range(operators)]
        self._outbound_share = outbound_share
        self._outbound = outbound
        self._busy: set[str] = set()
        self._on_outbound: set[str] = set()
        self._queue: deque[Caller] = deque()

    def begin(self, at: datetime) -> None:
        """Go to work, now and at every change of the roster."""
        self._timeline.at(self._roster.next_change(at), self.begin)
        self.assign(at)

    def is_open(self, at: datetime) -> bool:
        """Whether calls are taken."""
        return self._roster.on_duty(at) > 0

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return sum(caller.waiting for caller in self._queue)

    def arrive(self, caller: Caller) -> None:
        """Somebody calls."""
        self._queue.append(caller)
        gives_up = caller.arrived_at + caller.patience
        self._timeline.at(gives_up, lambda at: self._give_up(caller, at))
        self.assign(caller.arrived_at)

    def assign(self, at: datetime) -> None:
        """Give everybody who is free something to do."""
        present = self._extensions[: self._roster.on_duty(at)]
        for extension in present:
            if extension not in self._busy and not self._serve(extension, at):
                self._call_out(extension, len(present), at)

    def _serve(self, extension: str, at: datetime) -> bool:
        caller = self._next_caller()
        if caller is None:
            return False
        caller.waiting = False
        self._busy.add(extension)
        handled = Handled(caller, extension, at, at + caller.talk)
        self._timeline.at(handled.ended_at, lambda _: caller.ended(handled))
        free_at = handled.ended_at + caller.wrap
        self._timeline.at(free_at, lambda t: self._release(extension, t))
        return True

    def _next_caller(self) -> Caller | None:
        while self._queue:
            caller = self._queue.popleft()
            if caller.waiting:
                return caller
        return None

    def _call_out(self, extension: str, present: int, at: datetime) -> None:
        allowed = int(self._outbound_share * present) or 1
        if self._outbound is None or len(self._on_outbound) >= allowed:
            return
        if self._outbound.offers(at):
            self._busy.add(extension)
            self._on_outbound.add(extension)
            self._outbound.take(extension, at, lambda t: self._release(extension, t), self.assign)

    def _release(self, extension: str, at: datetime) -> None:
        self._busy.discard(extension)
        self._on_outbound.discard(extension)
        # After closing time those who still work see the queue out.
        if not self._serve(extension, at):
            self.assign(at)

    def _give_up(self, caller: Caller, at: datetime) -> None:
        if caller.waiting:
            caller.waiting = False
            caller.ended(Handled(caller, None, None, at))
