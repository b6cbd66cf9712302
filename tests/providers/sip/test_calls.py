"""Real calls over loopback, with real sound, against a stack that is not ours (baresip)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from providers.audio.files import written
from providers.base import Outcome
from providers.instructions import HangUp, Menu, Play, Transfer
from providers.sip import reports
from providers.sip.media import Order
from tests.providers.sip.service import (
    TO,
    Service,
    far_end,
    free_port,
    loud_seconds,
    media_process,
    options,
    placed,
    service,
    tone,
)


def menu(at: Service, *keys: str) -> None:
    """A greeting of 2 s that asks for a key; then half a second and the end."""
    greeting, thanks = at.record("greeting.wav", tone(2.0)), at.record("thanks.wav", tone(0.5, 880))
    at.says["/start"] = lambda _: [Menu(Play(greeting), frozenset(keys), at.url("/key"))]
    at.says["/key"] = lambda key: [Play(thanks), HangUp()]


def order(at: Service, reference: str = "attempt-1", ring: float = 20) -> Order:
    return Order(reference, TO, at.url("/start"), at.url("/receipts"), ring)


def test_a_call_is_heard_its_key_understood_and_its_end_reported(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        plan = [{"ring": 0.1, "keys": [[2.5, "1"]]}]
        with far_end(plan, tmp_path, port) as far:
            async with service() as at, media_process(options(tmp_path, port)) as media:
                menu(at, "1")
                told = await media.place(order(at))
                assert told.status == 201
                ref = str(told.document["ref"])
                report = await at.report(ref)
                await far.until("recorded")
                assert at.forged == []
                assert at.keys() == ["1"]
                assert [path for path, _ in at.asked] == ["/start", "/key", "/receipts"]
                receipt = reports.receipt_of(report, "attempt-1")
                assert (receipt.status, receipt.outcome, receipt.final) == (
                    "completed", Outcome.ANSWERED, True,
                )  # fmt: skip
                assert receipt.talk_seconds in (3, 4)
                heard = far.heard()
                assert abs(loud_seconds(heard) - 2.5) < 0.25, "greeting and thanks, all of them"
                loudest = np.sqrt(np.mean(heard[4000:12000].astype(float) ** 2))
                sent = np.sqrt(np.mean(tone(1.0).astype(float) ** 2))
                assert 0.9 < loudest / sent < 1.1, "as loud as it was recorded"
                again = await media.place(order(at))
                assert again.document["ref"] == ref, "one reference, one call"
                assert len(far.events("incoming")) == 1
                assert not [one for one in far.told if one.get("call") == 1]

    asyncio.run(conversation())


def test_a_key_cuts_the_words_short(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"keys": [[0.6, "9"]]}], tmp_path, port) as far:
            async with service() as at, media_process(options(tmp_path, port)) as media:
                menu(at, "9")
                await at.report(await placed(media, order(at)))
                await far.until("recorded")
                assert at.keys() == ["9"]
                assert loud_seconds(far.heard()) < 1.8

    asyncio.run(conversation())


def test_nobody_answers_in_time_and_somebody_refuses(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"ring": 30}, {"reject": True}], tmp_path, port):
            async with service() as at, media_process(options(tmp_path, port)) as media:
                menu(at)
                found = []  # one after the other: two at once are paced
                for asked in (order(at, "rings", ring=1.0), order(at, "refuses")):
                    report = await at.report(await placed(media, asked))
                    found.append(reports.receipt_of(report, None))
                assert [one.outcome for one in found] == [Outcome.NO_ANSWER, Outcome.BUSY]
                assert [one.raw["SipCode"] for one in found] == ["487", "486"]
                assert all(one.final for one in found)
                assert "/start" not in [path for path, _ in at.asked]

    asyncio.run(conversation())


def test_who_hangs_up_ends_the_call_and_presses_nothing(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"hang_up": 0.5}], tmp_path, port):
            async with service() as at, media_process(options(tmp_path, port)) as media:
                menu(at)
                report = await at.report(await placed(media, order(at)))
                assert report["CallStatus"] == "completed"
                assert [path for path, _ in at.asked] == ["/start", "/receipts"]

    asyncio.run(conversation())


def test_a_resident_is_put_through_and_both_hear_each_other(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        speech = tmp_path / "operator.wav"
        with far_end([{"hang_up": 4.0}, {"say": str(speech), "ring": 0.3}], tmp_path, port) as far:
            async with service() as at, media_process(options(tmp_path, port)) as media:
                speech.write_bytes(written(tone(2.0, 600), "wav"))
                at.says["/start"] = lambda _: [Transfer("+81354321111")]
                await at.report(await placed(media, order(at)))
                await far.until("recorded", 0)
                await far.until("closed", 1)  # the centre's call ends with the resident's
                assert loud_seconds(far.heard(0)) > 1.5, "the resident hears the operator"

    asyncio.run(conversation())


def test_a_silent_trunk_is_not_a_resident_who_does_not_answer(tmp_path: Path) -> None:
    """Nobody listens at the trunk's port: the call is not answered, and nothing more is dialled."""

    async def conversation() -> None:
        chosen = options(tmp_path, free_port(), t1_seconds=0.02)
        async with service() as at, media_process(chosen) as media:
            told = await media.place(order(at))
            assert told.status == 504, "whether anybody was called is unknown"
            report = await at.report(media.journal.find_reference("attempt-1").ref)  # type: ignore[union-attr]
            receipt = reports.receipt_of(report, None)
            assert (receipt.status, receipt.outcome) == ("no-response", Outcome.NETWORK)
            refused = await media.place(order(at, "attempt-2"))
            assert (refused.status, refused.document["fault"]) == (429, "trunk")
            assert refused.retry_after == 30
            assert media.journal.find_reference("attempt-2") is None, "provably not placed"
            assert media.agent.fault is not None

    asyncio.run(conversation())


def test_limits_refuse_before_anything_is_dialled(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"ring": 30}], tmp_path, port) as far:
            chosen = options(tmp_path, port, calls_at_once=1, rtp_ports=(50_000, 60_000))
            async with service() as at, media_process(chosen) as media:
                assert (await media.place(order(at, "first"))).status == 201
                second = await media.place(order(at, "second"))
                assert (second.status, second.document["fault"]) == (429, "busy")
            slow = options(tmp_path / "slow", port, calls_per_second=0.5)
            async with service() as at, media_process(slow) as media:
                assert (await media.place(order(at, "first"))).status == 201
                second = await media.place(order(at, "second"))
                assert (second.status, second.document["fault"]) == (429, "pace")
            assert len([one for one in far.told if one["event"] == "incoming"]) == 2

    asyncio.run(conversation())


def test_a_call_that_crashes_ends_alone(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"ring": 0.1}], tmp_path, port):
            async with service() as at, media_process(options(tmp_path, port)) as media:
                at.says["/start"] = lambda _: [Play(at.url("/nothing.wav")), HangUp()]
                report = await at.report(await placed(media, order(at, "speechless")))
                assert report["CallStatus"] == "speechless"
                assert reports.receipt_of(report, None).outcome is Outcome.OTHER

                async def crash() -> None:
                    raise ZeroDivisionError

                leg = media.agent.outgoing("0")
                media.keep(crash(), leg, None)
                said = at.record("said.wav", tone(0.5))
                at.says["/start"] = lambda _: [Play(said), HangUp()]
                report = await at.report(await placed(media, order(at, "well")))
                assert report["CallStatus"] == "completed"

    asyncio.run(conversation())


def test_a_resident_is_put_through_by_refer(tmp_path: Path) -> None:
    async def conversation() -> None:
        port = free_port()
        with far_end([{"refer": True}], tmp_path, port) as far:
            chosen = options(tmp_path, port, transfer="refer", transfer_seconds=2)
            async with service() as at, media_process(chosen) as media:
                at.says["/start"] = lambda _: [Transfer("+81354321111")]
                await at.report(await placed(media, order(at)))
                asked = await far.until("transfer")
                assert "0354321111" in asked["uri"]

    asyncio.run(conversation())


def test_a_call_that_the_trunk_brings_is_answered_led_and_told(tmp_path: Path) -> None:
    async def conversation() -> None:
        port, ours = free_port(), free_port()
        with far_end([{}], tmp_path, port) as far:
            async with service() as at:
                chosen = options(tmp_path, port, local_port=ours, inbound_url=at.url("/inbound"))
                async with media_process(chosen):
                    greeting = at.record("greeting.wav", tone(1.0))
                    at.says["/inbound"] = lambda _: [
                        Menu(Play(greeting), frozenset("1"), at.url("/inbound/menu/key"))
                    ]
                    at.says["/inbound/menu/key"] = lambda _: [HangUp()]
                    # whoever presses before we listen presses again
                    pressed = [[1.3, "1"], [1.5, "1"], [1.5, "1"]]
                    far.command(dial=f"sip:0354321111@127.0.0.1:{ours}", keys=pressed)
                    await at.until(lambda: "/inbound/ended" in [path for path, _ in at.asked])
                    assert [path for path, _ in at.asked] == [
                        "/inbound", "/inbound/menu/key", "/inbound/ended",
                    ]  # fmt: skip
                    assert at.keys() == ["1"]
                    assert len({form["CallRef"] for _, form in at.asked}) == 1
                    assert at.asked[-1][1]["Transferred"] == "no"
                    await far.until("recorded")
                    assert abs(loud_seconds(far.heard()) - 1.0) < 0.3

    asyncio.run(conversation())
