"""What is said and done in an answered call: the service's instructions, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, assert_never

import numpy as np

from providers.audio.g711 import RATE, decode, encode
from providers.base import NotSupported
from providers.instructions import (
    Dequeue,
    Enqueue,
    HangUp,
    Instruction,
    Menu,
    Play,
    Record,
    Say,
    Transfer,
)
from providers.sip.agent import UserAgent
from providers.sip.detection import AnsweredBy, Detector
from providers.sip.dialog import sip_uri
from providers.sip.leg import Leg
from providers.sip.sounds import Sounds

log = logging.getLogger(__name__)

#: Asks the service what to do next: its address and the fields of a form.
Fetch: TypeAlias = Callable[[str, dict[str, str]], Awaitable[Sequence[Instruction]]]
#: The last words are still in the far end's buffer when they have left ours.
LAST_WORDS_SECONDS = 0.3
#: More steps than this is a menu that leads in a circle.
MOST_STEPS = 100
#: Keys that wait to be asked for: nobody presses more in earnest.
MOST_KEYS = 32
#: Japanese ringing tone while the centre rings: 400 Hz, one second in three.
_RING_HZ = 400


class Conversation:
    """One answered call, from the first word to the last."""

    def __init__(self, leg: Leg, agent: UserAgent, sounds: Sounds, fetch: Fetch) -> None:
        self._leg = leg
        self._agent = agent
        self._sounds = sounds
        self._fetch = fetch
        self._keys: asyncio.Queue[str] = asyncio.Queue(MOST_KEYS)
        self._hush_on_key = False
        self.transferred = False
        leg.stream.on_key = self._pressed
        sound = leg.stream.sound
        assert sound is not None
        self._codec = sound.codec

    async def run(self, url: str) -> None:
        """Ask for instructions and follow them until the call is over, then hang up.

        Raises :class:`providers.sip.sounds.CannotPlay` when something cannot be said, and what
        ``fetch`` raises; whoever catches it ends the call.
        """
        next_url: str | None = url
        pressed: dict[str, str] = {}
        for _ in range(MOST_STEPS):
            if next_url is None or self._leg.ended.is_set():
                break
            steps = await self._fetch(next_url, pressed)
            next_url, pressed = await self._follow(steps)
        if not self._leg.ended.is_set():
            await asyncio.sleep(LAST_WORDS_SECONDS)
            self._leg.hang_up()

    async def _follow(self, steps: Sequence[Instruction]) -> tuple[str | None, dict[str, str]]:
        """Do the steps; where to ask next, if anywhere, and what to say there."""
        for step in steps:
            if self._leg.ended.is_set():
                break
            match step:
                case Say() | Play():
                    await self._say(step)
                case Menu(prompt, _, answer_url, timeout):
                    key = await self._ask(prompt, timeout.total_seconds())
                    if self._leg.ended.is_set() and not key:
                        return None, {}  # who hung up has not stayed silent
                    return answer_url, {"Key": key} if key else {}
                case Transfer(to, after_url):
                    await self._transfer(to)
                    if after_url is not None:
                        return after_url, {"Transferred": "yes" if self.transferred else "no"}
                case HangUp():
                    return None, {}
                case Enqueue() | Dequeue() | Record():
                    raise NotSupported(type(step).__name__)
                case _:
                    assert_never(step)
        return None, {}

    async def _say(self, prompt: Say | Play) -> None:
        samples = await self._sounds.of(prompt)
        answered_already = self._hush_on_key and not self._keys.empty()
        if not self._leg.ended.is_set() and not answered_already:
            await self._leg.stream.play(encode(samples, self._codec))

    async def _ask(self, prompt: Say | Play, seconds: float) -> str:
        """Speak, and wait for a key, which cuts the words short; "" when none comes."""
        while not self._keys.empty():  # pressed while nothing was asked
            self._keys.get_nowait()
        self._hush_on_key = True
        try:
            await self._say(prompt)
        finally:
            self._hush_on_key = False
        waiting = asyncio.ensure_future(self._keys.get())
        over = asyncio.ensure_future(self._leg.ended.wait())
        try:
            await asyncio.wait(
                (waiting, over), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return waiting.result() if waiting.done() else ""
        finally:
            waiting.cancel()
            over.cancel()

    def _pressed(self, key: str) -> None:
        if not self._keys.full():
            self._keys.put_nowait(key)
        if self._hush_on_key:
            self._leg.stream.hush()

    async def _transfer(self, e164: str) -> None:
        options = self._agent.options
        number = options.dialled(e164)
        if options.transfer == "refer":
            uri = sip_uri(number, options.sip_domain)
            code = await self._leg.refer(uri, options.transfer_seconds)
            self.transferred = 200 <= code < 300
        else:
            await self._bridge(number)
        log.info("transfer.%s", "connected" if self.transferred else "failed")

    async def _bridge(self, number: str) -> None:
        """Call the centre and join the two calls until either hangs up."""
        second = self._agent.outgoing(number)
        ringing = asyncio.ensure_future(self._ring())
        gone = asyncio.ensure_future(self._leg.ended.wait())
        try:
            second.dial(self._agent.options.transfer_seconds)
            await asyncio.wait((second.answered, gone), return_when=asyncio.FIRST_COMPLETED)
            if not second.answered.done() or second.answered.result() is not None:
                return
            ringing.cancel()
            self.transferred = True
            self._leg.stream.join(second.stream)
            finished = asyncio.ensure_future(second.ended.wait())
            await asyncio.wait((gone, finished), return_when=asyncio.FIRST_COMPLETED)
            finished.cancel()
        finally:
            ringing.cancel()
            gone.cancel()
            second.hang_up()
            if not self._leg.ended.is_set():
                self._leg.stream.part()

    async def _ring(self) -> None:
        at = np.arange(RATE) / RATE
        tone = (np.sin(2 * np.pi * _RING_HZ * at) * 3000).astype(np.int16)
        silence = np.zeros(2 * RATE, dtype=np.int16)
        once = encode(np.concatenate((tone, silence)), self._codec)
        while not self._leg.ended.is_set():
            await self._leg.stream.play(once)


async def who_answered(leg: Leg) -> AnsweredBy:
    """Listen to the greeting. Where a machine answered, returns when its message is over, so
    that what we say is recorded."""
    sound = leg.stream.sound
    assert sound is not None
    detector = Detector()
    decided = asyncio.Event()

    def listen(payload: bytes) -> None:
        detector.feed(decode(payload, sound.codec))
        if detector.finished or detector.verdict in (AnsweredBy.HUMAN, AnsweredBy.UNKNOWN):
            decided.set()

    leg.stream.on_sound = listen
    over = asyncio.ensure_future(leg.ended.wait())
    done = asyncio.ensure_future(decided.wait())
    try:
        # a far end that sends no packets at all says nothing either way
        limit = detector.limits.total + detector.limits.longest_message
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(detector.limits.total):
                await asyncio.wait((over, done), return_when=asyncio.FIRST_COMPLETED)
        if detector.verdict is AnsweredBy.MACHINE and not done.done():
            await asyncio.wait((over, done), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leg.stream.on_sound = None
        over.cancel()
        done.cancel()
    return detector.verdict or AnsweredBy.UNKNOWN
