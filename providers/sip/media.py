"""The media process: places calls for the workers, holds the conversations, keeps the journal.

One asyncio loop with the trunk's socket, the sound of all calls, and a small HTTP door for the
workers. A call that fails ends alone. When the whole process dies, the journal knows which calls
it had placed: at the next start they are ``lost``, and nothing is placed again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from providers.base import Cause, NotSupported, Outcome
from providers.instructions import Instruction
from providers.sip import instructions as wording
from providers.sip import reports
from providers.sip.agent import UserAgent
from providers.sip.client import MaybeSent, NotSent, Reply, client, exchange
from providers.sip.conversation import Conversation, Fetch, who_answered
from providers.sip.detection import AnsweredBy
from providers.sip.inbound import Inbound
from providers.sip.journal import NOT_PLACED, Entry, Journal
from providers.sip.leg import Leg
from providers.sip.options import SipOptions
from providers.sip.outcomes import BY_CAUSE, REFUSED_TO_US, Ending, outcome_of
from providers.sip.rtp import NoPortLeft
from providers.sip.sounds import CannotPlay, Sounds

log = logging.getLogger(__name__)

#: How long a worker waits for the trunk's first sign: well below its own time-out.
FIRST_SIGN_SECONDS = 12.0
REPORT_PAUSES = (0.0, 1.0, 5.0, 30.0)
_BUSY_SECONDS, _TRUNK_DOWN_SECONDS = 2, 30
#: What the service cannot be asked for: the call is ended, and says so.
_CANNOT_GO_ON = (CannotPlay, NotSupported, wording.BadInstructions, NotSent, MaybeSent)


@dataclass(frozen=True, slots=True)
class Order:
    """One call that a worker wants placed."""

    reference: str
    to: str
    instructions_url: str
    receipts_url: str | None
    ring_seconds: float


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the worker is told: an HTTP status and a small document."""

    status: int
    document: dict[str, object]
    retry_after: int | None = None


class Media:
    """One trunk's calls. ``now`` is the service's clock."""

    def __init__(self, options: SipOptions, now: Callable[[], datetime]) -> None:
        self.options = options
        self.now = now
        self.journal = Journal(options.folder / "calls.sqlite")
        self.draining = False
        self._secret = options.secret.get_secret_value()
        self._client = client(
            options.connect_timeout_seconds, options.total_timeout_seconds, options.trusted
        )
        self.sounds = Sounds(options.folder / "speech", self._recording)
        self._inbound = Inbound(self, options.inbound_url) if options.inbound_url else None
        self.agent = UserAgent(options, self._inbound.on_call if self._inbound else None)
        self._calls: set[asyncio.Task[None]] = set()
        self._talks: dict[str, Conversation] = {}
        self._tokens, self._tokens_at = 1.0, time.monotonic()

    async def open(self) -> None:
        """Settle what a crash left, bind the socket. Raises ``OSError``."""
        lost = self.journal.end_interrupted(self.now())
        if lost:
            log.error("calls.lost count=%d", lost)
        await self.agent.open()
        if self._inbound is not None:
            self._inbound.open()

    async def place(self, order: Order) -> Reaction:
        """Place a call; answers as soon as the trunk has given a sign. Raises ``ValueError`` for
        an extension where there are none."""
        number = self.options.dialled(order.to)
        before = await asyncio.to_thread(self.journal.find_reference, order.reference)
        if before is not None:  # the answer was lost, not the call
            return Reaction(200, {"ref": before.ref})
        if refused := self._no_room():
            return refused
        ref = f"TR{uuid4().hex}"
        key = wording.number_key(self._secret, order.to)
        before = await asyncio.to_thread(self.journal.begin, ref, order.reference, key, self.now())
        if before is not None:
            return Reaction(200, {"ref": before.ref})
        try:
            leg = self.agent.outgoing(number)
        except NoPortLeft:
            await self._change(ref, NOT_PLACED, final=True)
            return Reaction(429, {"fault": "ports"}, _BUSY_SECONDS)
        leg.dial(order.ring_seconds)
        self.keep(self._carry(ref, order, leg), leg, ref)
        done, _ = await asyncio.wait((leg.taken,), timeout=FIRST_SIGN_SECONDS)
        if not done:
            return Reaction(504, {"fault": "trunk"})
        ending = leg.taken.result()
        return Reaction(201, {"ref": ref}) if ending is None else _refusal(ref, ending)

    def _no_room(self) -> Reaction | None:
        options = self.options
        if self.draining:
            return Reaction(429, {"fault": "late"}, _BUSY_SECONDS)
        if self.agent.fault is not None:
            return Reaction(429, {"fault": "trunk"}, _TRUNK_DOWN_SECONDS)
        if self.agent.calls >= options.calls_at_once:
            return Reaction(429, {"fault": "busy"}, _BUSY_SECONDS)
        now = time.monotonic()
        most = max(1.0, options.calls_per_second)
        gained = (now - self._tokens_at) * options.calls_per_second
        self._tokens, self._tokens_at = min(most, self._tokens + gained), now
        if self._tokens < 1:
            return Reaction(429, {"fault": "pace"}, 1)
        self._tokens -= 1
        return None

    def keep(self, work: Coroutine[Any, Any, None], leg: Leg, ref: str | None) -> None:
        """Run a call's life. Whatever goes wrong in it ends this call alone."""
        task = asyncio.create_task(work)
        self._calls.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._calls.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("call.crashed ref=%s", ref, exc_info=error)
                leg.hang_up()
                if ref is not None:
                    self.journal.change(ref, reports.SPEECHLESS, self.now(), final=True)

        task.add_done_callback(over)

    async def _carry(self, ref: str, order: Order, leg: Leg) -> None:
        """A placed call, to its end and the report of it."""
        ending = await leg.answered
        if ending is not None:
            await self._unanswered(ref, leg, ending)
        else:
            await self._answered(ref, order, leg)
        await self._report(ref, order)

    async def _unanswered(self, ref: str, leg: Leg, ending: Ending) -> None:
        if ending.code == 0:
            self.agent.silent()
            await self._change(ref, reports.NO_RESPONSE, final=True)
        elif _is_ours(leg, ending):
            await self._change(ref, NOT_PLACED, final=True, code=ending.code)
        elif ending.code == 487 and not leg.rang:
            await self._change(ref, reports.NO_PROGRESS, final=True, code=487)
        else:
            await self._change(ref, reports.ENDED, final=True, code=ending.code, cause=ending.cause)

    async def _answered(self, ref: str, order: Order, leg: Leg) -> None:
        started = time.monotonic()
        await self._change(ref, "answered")
        by: AnsweredBy | None = None
        status = reports.COMPLETED
        try:
            if self.options.machine_detection:
                by = await who_answered(leg)
                await self._change(ref, "answered", by=by)
            form = {"CallRef": ref, **({"AnsweredBy": by.value} if by else {})}
            await self.converse(self.conversation(leg, form), leg, order.instructions_url, ref)
        except _CANNOT_GO_ON as error:
            log.error("call.speechless ref=%s fault=%s", ref, type(error).__name__)
            status = reports.SPEECHLESS
        finally:
            leg.hang_up()
        await self._change(
            ref,
            status,
            final=True,
            code=200,
            cause=leg.cause,
            talk=time.monotonic() - started,
            by=by,
        )

    def conversation(self, leg: Leg, form: dict[str, str]) -> Conversation:
        """What is going to be said in an answered call; ``form`` goes with every question."""
        return Conversation(leg, self.agent, self.sounds, self._asking(form))

    async def converse(self, conversation: Conversation, leg: Leg, url: str, ref: str) -> None:
        """Hold the conversation of an answered call, within the limits of length and silence."""
        watch = asyncio.create_task(self._watch(leg, conversation))
        self._talks[ref] = conversation
        try:
            await conversation.run(url)
        finally:
            watch.cancel()
            self._talks.pop(ref, None)

    def instruct(self, ref: str, steps: Sequence[Instruction]) -> bool:
        """Go on with a call by other instructions, at once. ``False``: there is none any more."""
        conversation = self._talks.get(ref)
        return conversation is not None and conversation.instruct(steps)

    async def _watch(self, leg: Leg, conversation: Conversation) -> None:
        """End a call that lasts too long, or whose far end vanished without a word."""
        options = self.options
        started = time.monotonic()
        while not leg.ended.is_set():
            now = time.monotonic()
            silent = now - (leg.stream.heard_at or started)
            if silent > options.silence_ends_call_seconds:
                log.warning("call.silent")
                leg.hang_up()
            longest = options.longest_call_seconds
            if conversation.with_people:
                longest = options.longest_conversation_seconds
            if now - started > longest:
                log.warning("call.too_long")
                leg.hang_up()
            await asyncio.sleep(0.25)

    # the service

    def _asking(self, always: dict[str, str]) -> Fetch:
        async def fetch(url: str, form: dict[str, str]) -> Sequence[Instruction]:
            reply = await self.post(url, {**always, **form})
            if reply.status != 200:
                raise wording.BadInstructions(f"HTTP {reply.status}")
            return wording.parse(reply.body.decode("utf-8", errors="replace"))

        return fetch

    async def post(self, url: str, form: dict[str, str]) -> Reply:
        """A signed form to the service. The signature covers the public address, whatever way
        the packets take."""
        signature = wording.signature(self._secret, url, form)
        return await exchange(
            self._client, "POST", self._reached(url), form=form,
            headers={wording.SIGNATURE: signature},
        )  # fmt: skip

    async def _recording(self, url: str) -> bytes:
        reply = await exchange(self._client, "GET", self._reached(url), most_bytes=20_000_000)
        if reply.status != 200:
            raise CannotPlay(f"a recording: HTTP {reply.status}")
        return reply.body

    def _reached(self, url: str) -> str:
        if self.options.reach_at is None:
            return url
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.options.reach_at}{parts.path}{query}"

    async def _report(self, ref: str, order: Order) -> None:
        """Tell the service how a call ended; polling finds what cannot be told."""
        entry = await asyncio.to_thread(self.journal.find, ref)
        if order.receipts_url is None or entry is None or entry.status == NOT_PLACED:
            return
        form = reports.form_of(entry)
        for pause in REPORT_PAUSES:
            await asyncio.sleep(0 if self.draining else pause)
            with suppress(NotSent, MaybeSent):
                if (await self.post(order.receipts_url, form)).status < 300:
                    return
        log.warning("report.undelivered ref=%s", ref)

    async def _change(
        self,
        ref: str,
        status: str,
        *,
        final: bool = False,
        code: int | None = None,
        cause: int | None = None,
        by: AnsweredBy | None = None,
        talk: float | None = None,
    ) -> None:
        await asyncio.to_thread(
            self.journal.change,
            ref,
            status,
            self.now(),
            final=final,
            code=code,
            cause=cause,
            answered_by=by.value if by is not None else None,
            talk_seconds=round(talk) if talk is not None else None,
        )

    # questions

    def listed(self, to: str, since: datetime, after: str, most: int) -> Sequence[Entry]:
        """Calls to a number from the journal."""
        key = wording.number_key(self._secret, to)
        return self.journal.to_number(key, since, after, most)

    async def close(self, patience: float = 0.0) -> None:
        """Take no more calls, let those under way end for ``patience`` seconds, end the rest."""
        self.draining = True
        if self._calls and patience:
            await asyncio.wait(tuple(self._calls), timeout=patience)
        for leg in self.agent.legs:
            leg.hang_up()
        if self._calls:
            await asyncio.wait(tuple(self._calls), timeout=3.0)
        if self._inbound is not None:
            self._inbound.close()
        await self.agent.close()
        await self._client.close()
        self.journal.close()


def _is_ours(leg: Leg, ending: Ending) -> bool:
    """Whether the trunk itself turned the call away before anything rang: it was not placed."""
    told = ending.cause is not None and ending.cause in BY_CAUSE
    return ending.code in REFUSED_TO_US and not leg.rang and not told and leg.refused_at_once


def _refusal(ref: str, ending: Ending) -> Reaction:
    """A call that ended before any sign of life: what the worker is to make of it."""
    if ending.code == 0:
        return Reaction(504, {"fault": "trunk"})
    told = ending.cause is not None and ending.cause in BY_CAUSE
    cause = None if told else REFUSED_TO_US.get(ending.code)
    if cause is Cause.TRY_LATER:
        return Reaction(429, {"fault": "trunk"}, max(1, ending.retry_after or 10))
    if cause is not None:
        fault = "codecs" if ending.code == 488 else "credentials"
        return Reaction(403, {"fault": fault, "code": ending.code})
    if outcome_of(ending) is Outcome.INVALID_NUMBER:
        document: dict[str, object] = {
            "cause": Cause.NEVER_THIS_NUMBER.value,
            "outcome": Outcome.INVALID_NUMBER.value,
            "code": ending.code,
            "fault": "number",
        }
        return Reaction(422, document)
    return Reaction(201, {"ref": ref})
