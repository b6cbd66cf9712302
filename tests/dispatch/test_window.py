"""The sliding window: every answer is recorded once, and nobody waits for the slowest."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contact_service.dispatch.limits import Granted
from contact_service.dispatch.record import Answer
from contact_service.dispatch.window import Leased, Window
from providers.base import Accepted

#: The latency of an answer that comes after all others.
LAST = -1.0


class Carrier:
    """A lane whose answers take as long as told; it notes what became of each attempt."""

    batch_size = 40

    def __init__(self, latencies: list[float], in_flight: int) -> None:
        self.config: Any = SimpleNamespace(in_flight=in_flight)
        self.limit: Any = SimpleNamespace(
            take=lambda size: Granted(size, 0), give_back=lambda unused: None
        )
        self.left = list(enumerate(latencies))
        self.out = self.most_out = self.most_held = 0
        self.leased = 0
        self.sent: list[int] = []
        self.recorded: list[int] = []

    def lease(self, size: int) -> tuple[list[Leased], int]:
        taken, self.left = self.left[:size], self.left[size:]
        self.leased += len(taken)
        self.most_held = max(self.most_held, self.leased - len(self.sent))
        return [Leased(one, None, 0) for one in taken], len(taken)  # type: ignore[arg-type]

    async def send(self, leased: Leased) -> Answer:
        number, latency = leased.lease  # type: ignore[misc]
        self.sent.append(number)
        self.out += 1
        self.most_out = max(self.most_out, self.out)
        if latency == LAST:  # until all others were answered, or nobody else is let in
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    while self.left or len(self.sent) < self.leased or self.out > 1:
                        await asyncio.sleep(0.005)
        else:
            await asyncio.sleep(latency)
        self.out -= 1
        if latency == 0.013:
            raise KeyError("an adapter that fails as none should")
        return Answer(UUID(int=number), 1, Accepted("x"))

    def record(self, answers: list[Answer]) -> int:
        time.sleep(0.02)  # while the database writes, answers go on coming in
        self.recorded += [answer.attempt_id.int for answer in answers]
        return len(answers)


def run(lane: Carrier) -> Window:
    window = Window(lane, time.monotonic() + 30)
    asyncio.run(window.run())
    return window


def test_each_answer_is_recorded_once_however_long_it_took() -> None:
    lane = Carrier([(n % 7) * 0.02 for n in range(400)], in_flight=50)
    window = run(lane)
    assert sorted(lane.sent) == sorted(lane.recorded) == list(range(400))
    assert window.drained.recorded == window.drained.leased == 400
    assert lane.most_out == 50


def test_the_slowest_of_a_batch_holds_nobody_back() -> None:
    lane = Carrier([LAST] + [0.001] * 300, in_flight=10)
    run(lane)
    assert lane.recorded[-1] == 0, "the first to go out was the last to be answered"


def test_leasing_runs_only_a_little_ahead_of_sending() -> None:
    """What was checked long ago may be true no more."""
    lane = Carrier([0.02] * 600, in_flight=20)
    run(lane)
    assert 20 < lane.most_held <= 3 * 20, "more than the window alone, and not much more"


def test_an_adapter_that_fails_costs_its_own_attempt_alone() -> None:
    lane = Carrier([0.013 if n % 3 == 0 else 0.001 for n in range(60)], in_flight=1)
    run(lane)
    assert sorted(lane.recorded) == [n for n in range(60) if n % 3]


def test_what_is_on_its_way_is_recorded_when_leasing_fails() -> None:
    lane = Carrier([0.1] * 40, in_flight=40)

    def lost(size: int) -> tuple[list[Leased], int]:
        if not lane.left:
            raise ConnectionError
        return Carrier.lease(lane, size)

    lane.lease = lost  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        run(lane)
    assert sorted(lane.recorded) == list(range(40))
