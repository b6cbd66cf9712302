"""Virtual events in order, each at its own instant of the service's clock.

When the clock jumps by half an hour, everything inside that half-hour happens one after
another and is stamped with the instant it belongs to. An *exchange* (a question over HTTP
whose answer decides what follows) holds back what lies more than its look-ahead later: its
consequences can only fall after that, so the order stays right while many exchanges are out
at once.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from contact_service.clock import Clock

Action = Callable[[datetime], None]

#: How soon after an exchange its consequences can begin, if nothing else is said.
LOOK_AHEAD = timedelta(seconds=1)
#: How often a running clock is looked at, in real seconds.
TICK = 0.1
#: Events worked off before others on the loop get their turn.
BATCH = 100


class Timeline:
    """The agenda, and the task that works it off."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[datetime, int, Action]] = []
        self._order = itertools.count()
        self._gates: dict[asyncio.Task[None], datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()

    def at(self, instant: datetime, action: Action) -> None:
        """Do ``action`` at ``instant``; it is told that instant."""
        heapq.heappush(self._heap, (instant, next(self._order), action))

    def exchange(
        self,
        instant: datetime,
        talk: Coroutine[Any, Any, None],
        look_ahead: timedelta = LOOK_AHEAD,
    ) -> None:
        """Start a conversation whose consequences begin at ``instant + look_ahead`` or later."""
        task = self._start(talk)
        self._gates[task] = instant + look_ahead
        task.add_done_callback(self._gates.pop)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Start something that decides nothing here, such as telling somebody of an event."""
        self._start(work)

    def next_at(self) -> datetime | None:
        """When the next event is due."""
        return self._heap[0][0] if self._heap else None

    def idle(self, now: datetime) -> bool:
        """Whether all that belongs before ``now`` has happened and nobody is being talked to."""
        return not self._tasks and (not self._heap or self._heap[0][0] > now)

    def work_off(self, now: datetime, limit: int = BATCH) -> bool:
        """Do what is due up to ``now``, at most ``limit`` events; whether more could be done."""
        for _ in range(limit):
            bound = min(now, min(self._gates.values(), default=now))
            if not self._heap or self._heap[0][0] > bound:
                return False
            instant, _, action = heapq.heappop(self._heap)
            action(instant)
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the clock inside the block; at its end, break off what is under way."""
        follower = asyncio.create_task(self._run())
        follower.add_done_callback(_report_fault)
        try:
            yield
        finally:
            tasks = (follower, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            now = self.clock.now()
            if self.work_off(now):
                await asyncio.sleep(0)
                continue
            if self.idle(now):
                self._settled.set()
            self._wake.clear()
            try:
                async with asyncio.timeout(TICK):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def settle(self, seconds: float) -> bool:
        """Wait, at most ``seconds`` of real time, until idle at the clock's present."""
        try:
            async with asyncio.timeout(seconds):
                while not self.idle(self.clock.now()):
                    self._settled.clear()
                    self._wake.set()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        task.add_done_callback(_report_fault)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()


def _report_fault(task: asyncio.Task[None]) -> None:
    """Nobody awaits these tasks: what goes wrong in them must not pass in silence."""
    if not task.cancelled() and (fault := task.exception()):
        asyncio.get_running_loop().call_exception_handler(
            {"message": "the simulation failed", "exception": fault, "task": task}
        )
