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
                told = await media.place(order(at))
                await at.report(str(told.document["ref"]))
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
                rings = await media.place(order(at, "rings", ring=1.0))
                refuses = await media.place(order(at, "refuses"))
                found = [
                    reports.receipt_of(await at.report(str(one.document["ref"])), None)
                    for one in (rings, refuses)
                ]
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
                told = await media.place(order(at))
                report = await at.report(str(told.document["ref"]))
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
                told = await media.place(order(at))
                await at.report(str(told.document["ref"]))
                await far.until("recorded", 0)
                await far.until("closed", 1)  # the centre's call ends with the resident's
                assert loud_seconds(far.heard(0)) > 1.5, "the resident hears the operator"

    asyncio.run(conversation())
