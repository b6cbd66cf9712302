"""Every fault on request, and nothing without one."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from pyreqwest.exceptions import NetworkError, RequestError

from tests.simulation.support import MOBILE, OURS, START, World, world

FORM = {"To": MOBILE, "From": OURS, "Body": "x"}


async def _faults(w: World, **plan: object) -> None:
    await w.control("/faults", plan)


async def _accepted(w: World) -> int:
    count = (await w.control("/accepted"))["messages"]
    assert isinstance(count, int)
    return count


def test_refusals_take_nothing_and_heal(tmp_path: Path) -> None:
    cases = [
        ({"rate_429": 1}, 429, 20429),
        ({"refuse_401": True}, 401, 20003),
        ({"error_500_before": 1}, 500, 20500),
    ]

    async def story() -> None:
        async with world(tmp_path) as w:
            for plan, expected, code in cases:
                await _faults(w, **plan)
                status, body, headers = await w.api("POST", "/Messages.json", FORM)
                assert (status, body["code"]) == (expected, code)
                assert ("retry-after" in headers) == (expected == 429)
                status, body, _ = await w.api("GET", "/Messages.json")
                assert status == expected
            assert await _accepted(w) == 0
            await _faults(w)
            assert (await w.api("POST", "/Messages.json", FORM))[0] == 201
            injected = (await w.control("/faults"))["injected"]
            assert injected == {"rate_429": 2, "refuse_401": 2, "error_500_before": 2}

    asyncio.run(story())


def test_an_error_after_accepting_is_an_error_and_accepted(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await _faults(w, error_500_after_accepting=1)
            status, body, _ = await w.api("POST", "/Messages.json", FORM)
            assert (status, body["code"]) == (500, 20500)
            assert await _accepted(w) == 1
            # Refused requests are not "accepted": the fault has nothing to spoil there.
            assert (await w.api("POST", "/Messages.json", {}))[0] == 400

    asyncio.run(story())


@pytest.mark.parametrize(
    "plan", [{"reset_after_accepting": 1}, {"hang_after_accepting": 1, "hang_seconds": 0.3}]
)
def test_a_broken_connection_after_accepting(tmp_path: Path, plan: dict[str, float]) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await _faults(w, **plan)
            began = time.monotonic()
            with pytest.raises((NetworkError, RequestError)):
                await w.api("POST", "/Messages.json", FORM)
            waited = time.monotonic() - began
            assert waited >= plan.get("hang_seconds", 0)
            assert await _accepted(w) == 1

    asyncio.run(story())


def test_latency_is_real_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await _faults(w, latency_ms=120)
            began = time.monotonic()
            assert (await w.api("POST", "/Messages.json", FORM))[0] == 201
            assert time.monotonic() - began >= 0.12

    asyncio.run(story())


def test_faults_begin_after_so_many_requests_and_strike_by_probability(tmp_path: Path) -> None:
    async def story() -> list[int]:
        async with world(tmp_path) as w:
            await _faults(w, rate_429=0.5, after=20)
            return [(await w.api("GET", "/Messages.json"))[0] for _ in range(120)]

    first, second = asyncio.run(story()), asyncio.run(story())
    assert first == second  # the stream is seeded
    assert set(first[:20]) == {200}
    assert 30 <= first[20:].count(429) <= 70


def test_an_impossible_plan_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            for plan in ({"rate_429": 2}, {"explode": True}):
                request = w.http.post(w.url + "/simulation/faults").body_json(plan)
                assert (await request.build().send()).status == 422

    asyncio.run(story())


@pytest.mark.parametrize(
    ("plan", "states"),
    [
        ({"drop_callbacks": 1}, []),
        ({"double_callbacks": 1}, ["sending", "sending", "sent", "sent", "delivered", "delivered"]),
        ({"reorder_callbacks": 1}, ["delivered", "sent"]),
        ({}, ["sending", "sent", "delivered"]),
    ],
)
def test_spoilt_callbacks(tmp_path: Path, plan: dict[str, object], states: list[str]) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await _faults(w, **plan)
            await w.api(
                "POST", "/Messages.json", FORM | {"StatusCallback": w.customer.url + "/receipts"}
            )
            await w.pass_time(minutes=5)
            seen = [form["MessageStatus"] for form in w.customer.forms("/receipts")]
            assert seen == states

    asyncio.run(story())


def test_late_callbacks_come_late_and_tell_the_true_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await _faults(w, late_callbacks=1, late_seconds=3600)
            await w.api(
                "POST", "/Messages.json", FORM | {"StatusCallback": w.customer.url + "/receipts"}
            )
            await w.pass_time(minutes=50)
            assert w.customer.forms("/receipts") == []
            assert (await w.control("/state"))["callbacks_pending"] == 3
            await w.pass_time(minutes=20)
            assert w.customer.forms("/receipts")[-1]["RawDlrDoneDate"] == f"{START:%y%m%d}0100"
            assert (await w.control("/state"))["callbacks_pending"] == 0

    asyncio.run(story())


def test_a_callback_is_retried_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.customer.statuses += [503, 200, 503, 503]
            await w.api(
                "POST", "/Messages.json", FORM | {"StatusCallback": w.customer.url + "/receipts"}
            )
            await w.pass_time(minutes=5)
            seen = [form["MessageStatus"] for form in w.customer.forms("/receipts")]
            assert seen == ["sending", "sending", "sent", "sent", "delivered"]

    asyncio.run(story())


def test_state_waits_for_a_moved_clock(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            await w.api(
                "POST", "/Messages.json", FORM | {"StatusCallback": w.customer.url + "/receipts"}
            )
            before = await w.control("/state")
            assert before["idle"] and before["next_event_at"] > before["now"]
            w.clock.at = START.replace(hour=12)
            began = time.monotonic()
            after = await w.control("/state?wait=25")
            assert time.monotonic() - began < 20  # it did not wait until it had to
            assert after["idle"] and after["next_event_at"] is None
            assert after["now"] == "2026-10-26T12:00:00+09:00"
            assert len(w.customer.forms("/receipts")) == 3

    asyncio.run(story())
