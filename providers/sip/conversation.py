"""What is said and done in an answered call: the service's instructions, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias, assert_never

import numpy as np

from providers.audio.g711 import RATE, Samples, decode, encode
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
from providers.sip.client import MaybeSent, NotSent
from providers.sip.detection import AnsweredBy, Detector
from providers.sip.dialog import sip_uri
from providers.sip.instructions import BadInstructions
from providers.sip.leg import Leg
from providers.sip.sounds import CannotPlay, Sounds

log = logging.getLogger(__name__)

#: Asks the service what to do next: its address and the fields of a form.
Fetch: TypeAlias = Callable[[str, dict[str, str]], Awaitable[Sequence[Instruction]]]
#: The last words are still in the far end's buffer when they have left ours.
LAST_WORDS_SECONDS = 0.3
#: More steps than this is a menu that leads in a circle.
MOST_STEPS = 100
#: Keys that wait to be asked for: nobody presses more in earnest.
MOST_KEYS = 32
#: Who waits asks the service again no sooner than this, and keeps waiting in silence while it does
#: not answer: a web process that starts anew loses nobody.
WAIT_SECONDS = 1.0
MOST_UNANSWERED = 60
_NO_ANSWER = (NotSent, MaybeSent, BadInstructions)
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
        self._instructed: asyncio.Queue[Sequence[Instruction]] = asyncio.Queue()
        self._over = False
        self._hung_up = False
        self.transferred = False
        self.queued = False
        """The caller waited for an operator, however that ended."""
        leg.stream.on_key = self._pressed
        sound = leg.stream.sound
        assert sound is not None
        self._codec = sound.codec

    async def run(self, url: str) -> None:
        """Ask for instructions and follow them until the call is over, then hang up.

        Raises :class:`providers.sip.sounds.CannotPlay` when something cannot be said, and what
        ``fetch`` raises; whoever catches it ends the call.
        """
        steps: Sequence[Instruction] | None = await self._until_instructed(self._walk(url, {}))
        while steps is not None:
            steps = await self._until_instructed(self._walk_by(steps))
        self._over = True
        if not self._leg.ended.is_set():
            await asyncio.sleep(LAST_WORDS_SECONDS)
            self._leg.hang_up()

    @property
    def with_people(self) -> bool:
        """Whether the caller speaks with, or waits for, somebody."""
        return self.queued or self.transferred

    def instruct(self, steps: Sequence[Instruction]) -> bool:
        """Leave what is being said or waited for, and go on by ``steps``. ``False``: it is over."""
        if self._over or self._leg.ended.is_set():
            return False
        self.queued = True  # taken while they were still being greeted
        self._instructed.put_nowait(steps)
        return True

    async def _until_instructed(
        self, work: Coroutine[Any, Any, None]
    ) -> Sequence[Instruction] | None:
        """Do ``work`` to its end, or until there are other instructions, which are returned."""
        walking = asyncio.create_task(work)
        told = asyncio.create_task(self._instructed.get())
        try:
            await asyncio.wait((walking, told), return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                walking.result()
                return None
        finally:
            told.cancel()
            walking.cancel()
            await asyncio.gather(walking, return_exceptions=True)
        self._leg.stream.hush()
        return told.result()

    async def _walk(self, url: str | None, pressed: dict[str, str]) -> None:
        for _ in range(MOST_STEPS):
            if url is None or self._leg.ended.is_set():
                break
            url, pressed = await self._follow(await self._fetch(url, pressed))

    async def _walk_by(self, steps: Sequence[Instruction]) -> None:
        await self._walk(*await self._follow(steps))

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
                case Transfer(to, after_url, whisper_url):
                    await self._transfer(to, whisper_url)
                    if after_url is not None:
                        return after_url, {"Transferred": "yes" if self.transferred else "no"}
                case Enqueue(_, wait_url, after_url):
                    await self._wait(wait_url)
                    if after_url is None:
                        return None, {}
                    # also of a caller who hung up: who waits no longer is nobody's to take
                    return await self._follow(await self._fetch(after_url, {}))
                case HangUp():
                    self._hung_up = True
                    return None, {}
                case Dequeue() | Record():
                    raise NotSupported(type(step).__name__)
                case _:
                    assert_never(step)
        return None, {}

    async def _wait(self, wait_url: str | None) -> None:
        """Wait for an operator, who comes by :meth:`instruct`; until the caller has hung up, or
        the service wants no more waiting."""
        self.queued = True
        if wait_url is None:
            await self._leg.ended.wait()
            return
        url: str | None = wait_url
        pressed: dict[str, str] = {}
        unanswered = 0
        self._hung_up = False
        while not (self._hung_up or self._leg.ended.is_set()):
            began = time.monotonic()
            try:
                steps = await self._fetch(url or wait_url, pressed)
                unanswered = 0
                url, pressed = await self._follow(steps)
            except _NO_ANSWER:
                unanswered += 1
                if unanswered >= MOST_UNANSWERED:
                    raise
                url, pressed = wait_url, {}
            if not self._hung_up:
                await self._pause(began + WAIT_SECONDS - time.monotonic())

    async def _pause(self, seconds: float) -> None:
        """Silence, which the caller's going ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._leg.ended.wait()

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

    async def _transfer(self, to: str, whisper_url: str | None) -> None:
        options = self._agent.options
        try:
            number = options.dialled(to)
        except ValueError:
            raise BadInstructions("an extension on a line that has none") from None
        self.transferred = False
        if options.transfer == "refer":
            uri = sip_uri(number, options.sip_domain)
            code = await self._leg.refer(uri, options.transfer_seconds)
            self.transferred = 200 <= code < 300
        else:
            await self._bridge(number, whisper_url)
        log.info("transfer.%s", "connected" if self.transferred else "failed")

    async def _bridge(self, number: str, whisper_url: str | None) -> None:
        """Call the centre and join the two calls until either hangs up. Whoever picks up hears
        first what is for them alone, while the caller still hears it ring."""
        second = self._agent.outgoing(number)
        words = asyncio.create_task(self._words_for(whisper_url))  # ready when somebody picks up
        ringing = asyncio.ensure_future(self._ring())
        gone = asyncio.ensure_future(self._leg.ended.wait())
        try:
            second.dial(self._agent.options.transfer_seconds)
            await asyncio.wait((second.answered, gone), return_when=asyncio.FIRST_COMPLETED)
            if not second.answered.done() or second.answered.result() is not None:
                return
            sound = second.stream.sound
            assert sound is not None
            for samples in await words:
                await second.stream.play(encode(samples, sound.codec))
            if gone.done() or second.ended.is_set():
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
            words.cancel()
            second.hang_up()
            if not self._leg.ended.is_set():
                self._leg.stream.part()

    async def _words_for(self, whisper_url: str | None) -> list[Samples]:
        if whisper_url is None:
            return []
        try:
            steps = await self._fetch(whisper_url, {})
            return [await self._sounds.of(step) for step in steps if isinstance(step, Say | Play)]
        except (CannotPlay, *_NO_ANSWER) as error:  # the two can speak without it
            log.warning("whisper.left_out fault=%s", type(error).__name__)
            return []

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
