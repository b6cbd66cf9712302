"""The sliding window of a lane: leasing, sending and recording, side by side.

Whoever has an answer takes the next leased attempt at once: nobody waits for the slowest of a
batch. So that one is there, leasing runs a moment ahead of sending.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from campaigns.definition import Definition
from contact_service import logs
from contact_service.dispatch.lease import Lease
from contact_service.dispatch.limits import RateLimit
from contact_service.dispatch.providers import ProviderConfig
from contact_service.dispatch.record import Answer

log = logs.log(__name__)

RECORD_EVERY_SECONDS = 0.05
#: How far leasing runs ahead of sending, where the carrier answers fast enough.
AHEAD_SECONDS = 0.2
_TICKS_AHEAD = AHEAD_SECONDS / RECORD_EVERY_SECONDS
#: How often a full window looks whether there is room again.
LOOK_SECONDS = 0.01
#: How much of what may be leased must be free before more is: a lease costs much the same for few
#: as for many, and what lies in stock lasts until it is there.
LEASE_SHARE = 1 / 3


@dataclass(slots=True)
class Drained:
    """What one drain of a lane did."""

    leased: int = 0
    looked_at: int = 0
    recorded: int = 0


@dataclass(frozen=True, slots=True)
class Leased:
    """A lease with what is needed to send it, and until when (by this machine's clock)."""

    lease: Lease
    definition: Definition
    send_before: float


class Work(Protocol):
    """What a window does its work with: a lane."""

    config: ProviderConfig
    limit: RateLimit

    @property
    def batch_size(self) -> int: ...

    def lease(self, size: int) -> tuple[list[Leased], int]: ...

    async def send(self, leased: Leased) -> Answer: ...

    def record(self, answers: list[Answer]) -> int: ...


class Window:
    """One drain of a lane, until nothing is due or the clock of this machine says ``until``."""

    def __init__(self, lane: Work, until: float) -> None:
        self.drained = Drained()
        self._lane = lane
        self._until = until
        self._in_flight = lane.config.in_flight
        self._stock: deque[Leased] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self._answers: list[Answer] = []
        self._per_tick = 0.0  # answers, a smoothed count
        self._filled = False
        self._idle = asyncio.Event()  # nothing is on its way at the moment
        self._idle.set()

    async def run(self) -> None:
        """Do it. What a server's absence raises in leasing or recording comes through; after
        the former what is on its way is recorded all the same."""
        filling = asyncio.create_task(self._fill())
        try:
            await self._record()
            await filling
        finally:  # only after an error does anything remain: its lease expires and is settled
            self._stock.clear()
            for task in (filling, *self._senders):
                task.cancel()

    async def _fill(self) -> None:
        """Lease what the rate limit grants. Tokens come first: what is leased goes out at once
        or soon, so hardly any time lies between the last check and the contact."""
        lane = self._lane
        try:
            while time.monotonic() < self._until:
                most = self._in_flight + self._ahead()
                room = most - len(self._senders) - len(self._stock)
                if room < max(1, min(lane.batch_size, int(most * LEASE_SHARE))):
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                granted = await asyncio.to_thread(lane.limit.take, min(lane.batch_size, room))
                if granted.tokens:
                    leased, looked_at = await asyncio.to_thread(lane.lease, granted.tokens)
                    self.drained.looked_at += looked_at
                    self.drained.leased += len(leased)
                    self._stock.extend(leased)
                    self._send()
                    unused = granted.tokens - len(leased)
                    await asyncio.to_thread(lane.limit.give_back, unused)
                    if not looked_at:
                        return
                elif granted.wait_seconds > 1 or not granted.wait_seconds:
                    return  # the carrier wants a pause; the beat comes again
                else:
                    await asyncio.sleep(granted.wait_seconds)
        finally:
            self._filled = True
            self._wake()

    async def _record(self) -> None:
        """Write answers, many at a time, until all that was leased has one."""
        while not self._filled or not self._idle.is_set() or self._answers:
            with suppress(TimeoutError):
                if self._filled:  # the last answers need not wait
                    await asyncio.wait_for(self._idle.wait(), RECORD_EVERY_SECONDS)
                else:
                    await asyncio.sleep(RECORD_EVERY_SECONDS)
            self._per_tick += (len(self._answers) - self._per_tick) / 4
            if self._answers:
                answers, self._answers = self._answers, []
                self.drained.recorded += await asyncio.to_thread(self._lane.record, answers)

    def _send(self) -> None:
        """Have as many senders as there is work for, and room in the window."""
        for _ in range(min(len(self._stock), self._in_flight - len(self._senders))):
            task = asyncio.create_task(self._send_on())
            self._senders.add(task)
            task.add_done_callback(self._sender_ended)
        self._wake()

    async def _send_on(self) -> None:
        while self._stock:
            answer = await self._lane.send(self._stock.popleft())
            self._answers.append(answer)  # not in one line: the list may be another by now

    def _sender_ended(self, task: asyncio.Task[None]) -> None:
        self._senders.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # no adapter should fail like this. Its attempt is left to its lease and becomes
            # unknown; the others go on
            log.error("adapter.failed", fault=type(error).__name__)
        self._send()  # something may have been leased while this one was ending

    def _ahead(self) -> int:
        """How many may lie in stock: what the carrier has lately taken in a moment, so that
        none waits long."""
        return min(2 * self._in_flight, int(self._per_tick * _TICKS_AHEAD))

    def _wake(self) -> None:
        if self._senders:
            self._idle.clear()
        else:
            self._idle.set()
