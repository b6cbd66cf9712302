"""Callers who wait on the trunk for an operator, over loopback with real sound (baresip)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from providers.audio.files import written
from providers.base import Outcome, ProviderUnavailable
from providers.instructions import Enqueue, HangUp, Instruction, Menu, Play, Transfer
from providers.sip import conversation, reports
from providers.sip.adapter import SipProvider
from providers.sip.door import Door
from providers.sip.media import Media, Order
from tests.providers.sip.service import (
    Far,
    Service,
    far_end,
    free_port,
    media_process,
    options,
    placed,
    service,
    serving,
    tone,
    tone_seconds,
)

OPERATOR = "+81354321199"
#: Who hears what is told by its tone; the ringing is ours.
WAITING, RINGING, WHISPER, SPEECH = 500, 400, 900, 700


class Line:
    """A trunk with a caller's telephone and an operator's behind it, and the service's answers."""

    def __init__(self, at: Service, media: Media, provider: SipProvider, far: Far, dial: str):
        self.at, self.media, self.provider, self.far, self.dial = at, media, provider, far, dial

    def paths(self) -> list[str]:
        return [path for path, _ in self.at.asked]

    async def asked(self, path: str, times: int = 1) -> dict[str, str]:
        await self.at.until(lambda: self.paths().count(path) >= times)
        return [form for found, form in self.at.asked if found == path][times - 1]

    async def calls(self, **plan: Any) -> str:
        """Somebody calls and waits; the call's reference."""
        self.far.command(dial=self.dial, **plan)
        return (await self.asked("/wait"))["CallRef"]

    def through(self) -> list[Instruction]:
        return [Transfer(OPERATOR, self.at.url("/connected"), self.at.url("/whisper"))]


@asynccontextmanager
async def line(tmp_path: Path, *plan: dict[str, Any], **more: Any) -> AsyncIterator[Line]:
    """Callers hear a tone of half a second, then 5 s of quiet in which they may press 1."""
    port, ours = free_port(), free_port()
    with far_end(list(plan) or [{}], tmp_path, port) as far:
        async with service() as at:
            waiting = Play(at.record("waiting.wav", tone(0.5, WAITING)))
            whispered = Play(at.record("whisper.wav", tone(0.5, WHISPER)))
            queued = [Enqueue("centre", at.url("/wait"), at.url("/left"))]
            quiet = timedelta(seconds=5)
            at.says |= {
                "/inbound": lambda _: queued,
                "/wait": lambda _: [Menu(waiting, frozenset("1"), at.url("/key"), quiet)],
                "/key": lambda key: [HangUp()] if key == "1" else at.says["/wait"](""),
                "/left": lambda _: [HangUp()],
                "/connected": lambda _: [HangUp()],
                "/whisper": lambda _: [whispered],
            }
            chosen = options(
                tmp_path, port, local_port=ours, inbound_url=at.url("/inbound"), **more
            )
            async with media_process(chosen) as media, serving(Door(media)) as where:
                provider = SipProvider(
                    "trunk",
                    chosen.model_copy(update={"media_url": f"http://127.0.0.1:{where}"}),
                )
                yield Line(at, media, provider, far, f"sip:0354321111@127.0.0.1:{ours}")
                await provider.close()


def test_a_caller_waits_and_the_operator_who_takes_them_is_told_and_heard(tmp_path: Path) -> None:
    async def conversation() -> None:
        speech = tmp_path / "operator.wav"
        # for as long as they talk: what is said during the whisper, the caller does not hear
        speech.write_bytes(written(tone(5.0, SPEECH), "wav"))
        taker = {"ring": 0.5, "listens": True, "say": str(speech), "hang_up": 3.0}
        async with line(tmp_path, {}, taker) as at:
            ref = await at.calls()
            await asyncio.sleep(0.8)
            await at.provider.instruct(ref, at.through())
            await at.far.until("answered", 1)
            over = await at.asked("/inbound/ended")
            assert at.paths() == ["/inbound", "/wait", "/whisper", "/connected", "/inbound/ended"]
            assert (await at.asked("/connected"))["Transferred"] == "yes"
            # whether they were put through is known by who took them
            assert "Transferred" not in over
            assert int(over["TalkSeconds"]) >= 3
            await at.far.until("recorded", 0)
            await at.far.until("recorded", 1)
            assert at.far.events("incoming", 1)[0]["dialled"] == "0354321199"
            caller, operator = at.far.heard(0), at.far.heard(1)
            heard = {hertz: (tone_seconds(caller, hertz), tone_seconds(operator, hertz))
                     for hertz in (WAITING, RINGING, WHISPER, SPEECH)}  # fmt: skip
            assert heard[WAITING][0] > 0.4 and heard[RINGING][0] > 0.2
            # half a second and three; a busy machine swallows some of it at the far end
            assert heard[WHISPER][0] == 0 and heard[WHISPER][1] > 0.1, "to the operator alone"
            assert heard[SPEECH][0] > 1
            assert at.at.forged == []
            with pytest.raises(ProviderUnavailable):
                await at.provider.instruct(ref, at.through())

    asyncio.run(conversation())


def test_who_waits_hears_something_at_regular_intervals(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with line(tmp_path) as at:
            waiting = at.at.says["/wait"]("")[0]
            assert isinstance(waiting, Menu)
            again = Menu(waiting.prompt, waiting.keys, waiting.answer_url, timedelta(seconds=1))
            at.at.says["/wait"] = lambda _: [again]
            await at.calls(hang_up=6.0)
            await at.asked("/inbound/ended")
            await at.far.until("recorded", 0)
            heard = at.far.heard(0)
            # from the beginning of one announcement to that of the next: half a second of it, a
            # second of quiet, and what it takes to ask what is next
            loud = np.array([tone_seconds(heard[n : n + 800], WAITING) > 0 for n in
                             range(0, len(heard) - 800, 800)])  # fmt: skip
            begins = 0.1 * np.flatnonzero(loud[1:] & ~loud[:-1])
            assert len(begins) >= 2 and (np.diff(begins) < 4).all(), begins
            assert at.paths().count("/wait") >= 2 or at.paths().count("/key") >= 2

    asyncio.run(conversation())


def test_nobody_picks_up_and_the_caller_waits_on(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with line(tmp_path, {}, {"ring": 30}, {"reject": True}, transfer_seconds=1) as at:
            queued = at.at.says["/inbound"]("")
            at.at.says["/connected"] = lambda _: queued
            ref = await at.calls(hang_up=4.5)
            for n in (1, 2):
                await at.provider.instruct(ref, at.through())
                assert (await at.asked("/connected", n))["Transferred"] == "no"
                await at.asked("/wait", n + 1)
            assert (await at.asked("/left"))["CallRef"] == ref

    asyncio.run(conversation())


def test_who_asks_to_be_called_back_and_who_hangs_up_leave_the_queue(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with line(tmp_path) as at:
            await at.calls(listens=True, keys=[[0.3, "1"]])
            over = await at.asked("/inbound/ended")
            assert at.paths() == ["/inbound", "/wait", "/key", "/left", "/inbound/ended"]
            assert at.at.keys() == ["1"] and "Transferred" not in over
            await at.calls(hang_up=1.0)
            await at.asked("/inbound/ended", 2)
            assert at.paths()[5:] == ["/inbound", "/wait", "/left", "/inbound/ended"]

    asyncio.run(conversation())


def test_a_service_that_starts_anew_loses_nobody_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "WAIT_SECONDS", 0.1)

    async def talk() -> None:
        async with line(tmp_path, {}, {"ring": 0.1, "hang_up": 0.5}) as at:
            away = at.at.says.pop("/wait")  # an answer that says nothing
            ref = await at.calls()
            await at.asked("/wait", 4)
            at.at.says["/wait"] = away
            await at.asked("/wait", 5)
            await at.provider.instruct(ref, at.through())
            assert (await at.asked("/connected"))["Transferred"] == "yes"

    asyncio.run(talk())


def test_an_auto_call_that_is_put_through_waits_too_and_is_as_long_as_it_takes(
    tmp_path: Path,
) -> None:
    async def conversation() -> None:
        plan = [{"ring": 0.1}, {"ring": 0.1, "hang_up": 3.0}]
        async with line(tmp_path, *plan, longest_call_seconds=10) as at:
            # the limit is of what a machine says; 10 s is the least an office may state
            at.media.options = at.media.options.model_copy(update={"longest_call_seconds": 1.5})
            order = Order("attempt-1", "+819012345678", at.at.url("/inbound"),
                          at.at.url("/receipts"), 20)  # fmt: skip
            ref = await placed(at.media, order)
            await at.asked("/wait")
            await at.provider.instruct(ref, at.through())
            report = await at.at.report(ref)
            assert (await at.asked("/connected"))["Transferred"] == "yes"
            receipt = reports.receipt_of(report, None)
            assert receipt.outcome is Outcome.ANSWERED and (receipt.talk_seconds or 0) >= 3

    asyncio.run(conversation())


def test_a_call_by_click_rings_the_operator_first_and_then_the_resident(tmp_path: Path) -> None:
    async def conversation() -> None:
        speech = tmp_path / "resident.wav"
        speech.write_bytes(written(tone(1.5, SPEECH), "wav"))
        plan = [{"ring": 0.2}, {"ring": 0.5, "say": str(speech), "hang_up": 2.5}]
        async with line(tmp_path, *plan) as at:
            at.at.says["/placed"] = lambda _: [Transfer("+819012345678")]
            await placed(at.media, Order("press-1", OPERATOR, at.at.url("/placed"), None, 20))
            await at.far.until("incoming", 1)
            assert at.far.told.index(at.far.events("answered", 0)[0]) < at.far.told.index(
                at.far.events("incoming", 1)[0]
            )
            called = [at.far.events("incoming", n)[0]["dialled"] for n in (0, 1)]
            assert called == ["0354321199", "09012345678"]
            await at.far.until("recorded", 1)
            await at.far.until("recorded", 0)
            assert at.paths() == ["/placed"], "the resident's number is asked for by whoever is up"
            assert tone_seconds(at.far.heard(0), SPEECH) > 1, "the operator hears the resident"

    asyncio.run(conversation())
