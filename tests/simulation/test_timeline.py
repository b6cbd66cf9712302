"""Order of virtual events, also while exchanges are out."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from contact_service.clock import FixedClock
from contact_service.simulation.timeline import Timeline
from tests.simulation.support import START


def test_a_jump_of_the_clock_processes_everything_in_order_at_its_own_instant() -> None:
    async def story() -> list[datetime]:
        clock, seen = FixedClock(START), list[datetime]()
        timeline = Timeline(clock)

        def again(at: datetime) -> None:
            seen.append(at)
            timeline.at(at + timedelta(minutes=7), again)

        for minutes in (20, 3, 11):
            timeline.at(START + timedelta(minutes=minutes), seen.append)
        timeline.at(START + timedelta(minutes=1), again)
        async with timeline.running():
            assert await timeline.settle(2) and seen == []
            clock.at += timedelta(minutes=30)
            assert await timeline.settle(2)
        return seen

    seen = asyncio.run(story())
    minutes = [(at - START).total_seconds() / 60 for at in seen]
    assert minutes == [1, 3, 8, 11, 15, 20, 22, 29]


def test_an_exchange_holds_back_what_its_consequences_may_precede() -> None:
    async def story() -> list[str]:
        clock, seen = FixedClock(START), list[str]()
        timeline = Timeline(clock)
        answer = asyncio.Event()

        async def ask(at: datetime) -> None:
            await answer.wait()
            timeline.at(at + timedelta(seconds=15), lambda _: seen.append("consequence"))

        def start(at: datetime) -> None:
            timeline.exchange(at, ask(at), timedelta(seconds=15))

        timeline.at(START, start)
        timeline.at(START + timedelta(seconds=14), lambda _: seen.append("before"))
        timeline.at(START + timedelta(seconds=16), lambda _: seen.append("after"))
        async with timeline.running():
            clock.at += timedelta(hours=1)
            assert not await timeline.settle(0.05)
            assert seen == ["before"] and not timeline.idle(clock.at)
            answer.set()
            assert await timeline.settle(2)
        return seen

    assert asyncio.run(story()) == ["before", "consequence", "after"]


def test_work_in_the_background_holds_back_nothing_but_is_waited_for() -> None:
    async def story() -> None:
        clock, seen = FixedClock(START), list[datetime]()
        timeline = Timeline(clock)
        done = asyncio.Event()

        async def tell() -> None:
            await done.wait()

        timeline.at(START, lambda _: timeline.background(tell()))
        timeline.at(START + timedelta(minutes=5), seen.append)
        async with timeline.running():
            clock.at += timedelta(hours=1)
            assert not await timeline.settle(0.05)
            assert len(seen) == 1
            done.set()
            assert await timeline.settle(2)

    asyncio.run(story())


def test_a_clock_that_runs_by_itself_is_followed() -> None:
    async def story() -> None:
        clock = FixedClock(START)
        timeline = Timeline(clock)
        happened = asyncio.Event()
        timeline.at(START + timedelta(seconds=1), lambda _: happened.set())
        async with timeline.running(), asyncio.timeout(2):
            await asyncio.sleep(0)
            clock.at += timedelta(seconds=2)  # nobody asks for the state
            await happened.wait()

    asyncio.run(story())


def test_a_failing_exchange_is_reported_and_does_not_stop_the_rest() -> None:
    async def story() -> None:
        clock, faults = FixedClock(START), list[object]()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
        timeline = Timeline(clock)

        async def fail() -> None:
            raise LookupError

        timeline.at(START, lambda at: timeline.exchange(at, fail()))
        async with timeline.running():
            assert await timeline.settle(2)
        assert [type(fault) for fault in faults] == [LookupError]

    asyncio.run(story())
