"""The contract between the service and a carrier.

An adapter turns a :class:`Contact` into a request of its carrier and the carrier's
reports into :class:`Receipt` objects. It keeps no state of its own and reads no clock:
whoever calls it decides when, how often and for whom.

Every instant is a timezone-aware ``datetime``; every telephone number is E.164
(``+819012345678``); every price is in yen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeAlias

from providers.capabilities import Capabilities as Capabilities
from providers.instructions import CallRequest as CallRequest
from providers.instructions import Dequeue as Dequeue
from providers.instructions import Enqueue as Enqueue
from providers.instructions import HangUp as HangUp
from providers.instructions import Instruction as Instruction
from providers.instructions import Menu as Menu
from providers.instructions import Play as Play
from providers.instructions import Record as Record
from providers.instructions import Say as Say
from providers.instructions import Transfer as Transfer
from providers.parts import parts
from providers.vocabulary import OUTCOME_RANK as OUTCOME_RANK
from providers.vocabulary import Cause as Cause
from providers.vocabulary import Channel as Channel
from providers.vocabulary import LineType as LineType
from providers.vocabulary import Outcome as Outcome
from providers.words import LONGEST_REF, LONGEST_STATUS, plain

#: Years of instants that are believed: others are a carrier's fault, or nobody's clock.
_YEARS = range(2000, 2200)
_COUNTS = range(1 << 31)


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS. ``reference`` is the caller's own identifier of the attempt."""

    reference: str
    to: str
    body: str
    receipts_url: str | None = None
    """Where the carrier may report to; ``None`` when no webhook can reach us."""
    send_at: datetime | None = None
    """When the carrier is to send it, where it can schedule (``schedule_ahead``); ``None``: at
    once. A carrier that cannot refuses: sent at once it would reach somebody at the wrong hour."""


@dataclass(frozen=True, slots=True)
class Call:
    """One auto-call. The carrier fetches what to say from ``instructions_url``."""

    reference: str
    to: str
    instructions_url: str
    receipts_url: str | None = None
    ring_timeout: timedelta = timedelta(seconds=30)
    recording_url: str | None = None
    """The whole call as one recording, for carriers that play a recording and nothing else."""
    detection_url: str | None = None
    """Where the carrier reports who answered, while the call goes on; ``None``: not asked."""


Contact: TypeAlias = Message | Call


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took the contact and will report under ``provider_ref``."""

    provider_ref: str
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier provably did not take the contact and never will as it stands."""

    cause: Cause
    outcome: Outcome
    code: str = ""
    detail: str = ""


#: A message with a time of its own, for a carrier that would send it at once.
CANNOT_SCHEDULE = Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail="it does not schedule")


#: A text that no encoding can write: it holds half a surrogate pair.
NOT_A_TEXT = Refused(Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED, detail="not a text")


@dataclass(frozen=True, slots=True)
class Throttled:
    """Provably not taken, nothing wrong with it: no connection, or too many requests."""

    retry_after: timedelta
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no usable answer came. The contact may have been taken."""

    detail: str = ""
    cause: Cause = Cause.UNKNOWN


Result: TypeAlias = Accepted | Refused | Throttled | Unknown


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a carrier reported of one contact."""

    channel: Channel
    provider_ref: str
    status: str
    """The carrier's own word."""
    outcome: Outcome | None
    """What it means, or ``None`` while the contact is still under way."""
    final: bool
    """Nothing more will happen to the contact itself (late key presses may still arrive)."""
    occurred_at: datetime | None = None
    """When it happened by the carrier's account; ``None`` when it did not say."""
    reference: str | None = None
    """Our own identifier, where the carrier hands it back."""
    talk_seconds: int | None = None
    parts: int | None = None
    raw: Mapping[str, str] = field(default_factory=dict)
    """The report as it came, without the telephone numbers and the message text."""

    def __post_init__(self) -> None:
        # One report that the database refuses would stop all that come with it and after it.
        kept: dict[str, object] = {
            "provider_ref": plain(self.provider_ref, LONGEST_REF),
            "status": plain(self.status, LONGEST_STATUS),
            "raw": {plain(name, 60): plain(value, 200) for name, value in self.raw.items()},
        }
        if self.occurred_at is not None and self.occurred_at.year not in _YEARS:
            kept["occurred_at"] = None
        for name in ("talk_seconds", "parts"):
            count = getattr(self, name)
            if count is not None and count not in _COUNTS:
                kept[name] = None
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @property
    def deduplication_key(self) -> str:
        """Two reports with the same key say the same thing."""
        # The outcome too: one status may come first without its cause, by polling, and then
        # with it, by webhook.
        return f"{self.provider_ref}:{self.status}:{self.outcome or ''}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One contact that the carrier says it has, as its listing shows it."""

    provider_ref: str
    to: str
    body: str | None
    """The text of a message; ``None`` for a call."""
    created_at: datetime
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A report as it reached our door, before anything about it is believed."""

    url: str
    """The public address it was sent to, query included: signatures cover it."""
    headers: Mapping[str, str]
    """Names in lower case."""
    form: Mapping[str, str]
    """The fields of a form, read as UTF-8; empty for any other body."""
    body: bytes = b""
    """The body as it came: signatures of some carriers cover it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier wants to hear when its report has been stored."""

    status: int = 204
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What somebody wrote to us."""

    provider_ref: str
    sender: str
    """The number it came from, E.164."""
    to: str
    """Our number or short code that it was sent to."""
    body: str
    opted_out: bool = False
    """The carrier itself took it for an opt-out, and blocks the number on its side."""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndedCall:
    """An incoming call that is over."""

    provider_ref: str
    caller: str | None
    """E.164; ``None``: withheld, or no number."""
    began_at: datetime
    seconds: int
    """From its first moment to its last."""
    transferred: bool | None
    """Whether it was connected to somebody; ``None``: not said."""


@dataclass(frozen=True, slots=True)
class Detected:
    """Who answered a call, as the carrier heard it."""

    provider_ref: str
    answered_by: str
    """The carrier's own word."""
    machine: bool
    """A machine or a fax for certain; "unknown" is not."""
    message_now: bool
    """The tone is over: a message left now is recorded."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What came over the carrier's connection and waits to be acknowledged."""

    handle: int
    receipts: Sequence[Receipt] = ()
    message: InboundMessage | None = None


class ForgedReceipt(Exception):
    """The signature does not fit: the report is not the carrier's."""


class ProviderUnavailable(Exception):
    """A question to the carrier (look-up, listing) got no usable answer; ask again later."""


class NotSupported(Exception):
    """The carrier cannot do this; its capabilities say so. Asking all the same is our fault."""


class Provider(Protocol):
    """One carrier account. Safe to use from one event loop; ``close`` when done.

    An adapter inherits this class and overrides what its carrier can do; what it declares in
    ``capabilities`` it must override.
    """

    name: str
    capabilities: Capabilities
    receipt_answer: Answer = Answer()
    """What the carrier wants to hear when its reports have been stored."""

    async def submit(self, contact: Contact) -> Result:
        """Hand one contact over. Never raises for anything the carrier or the network does."""
        ...

    async def submit_batch(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        """Hand several over, in one request where the carrier takes ``batch_size`` of them; a
        result each, in the same order. Never raises, like :meth:`submit`."""
        return await asyncio.gather(*(self.submit(contact) for contact in contacts))

    async def cancel(self, channel: Channel, provider_ref: str) -> Receipt:
        """Take back what has not gone out yet; the carrier's account of it afterwards, which may
        say that it was too late. Raises :class:`ProviderUnavailable`."""
        raise NotSupported("cancel")

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """The carrier's present account of a contact; ``None`` if it knows none.

        Raises :class:`ProviderUnavailable`.
        """
        raise NotSupported("look_up")

    async def look_up_batch(
        self, channel: Channel, provider_refs: Sequence[str]
    ) -> Sequence[Receipt]:
        """The same for several, in questions of ``look_up_batch_size``; what is not known, or
        cannot be asked for now, is missing."""

        async def one(ref: str) -> Receipt | None:
            try:
                return await self.look_up(channel, ref)
            except ProviderUnavailable:
                return None

        found = await asyncio.gather(*(one(ref) for ref in provider_refs))
        return [receipt for receipt in found if receipt is not None]

    async def look_up_reference(self, channel: Channel, reference: str) -> Listed | None:
        """What the carrier took under *our* identifier; ``None`` proves that it took nothing,
        from ``listing_complete_after`` on. Raises :class:`ProviderUnavailable`."""
        raise NotSupported("look_up_reference")

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        """What the carrier took for ``to`` from ``since`` on, complete over all its pages.

        Raises :class:`ProviderUnavailable`.
        """
        raise NotSupported("list_sent")

    def parse_receipts(self, request: WebhookRequest, reference: str | None) -> Sequence[Receipt]:
        """Verify and read the reports in one request, in their order. ``reference`` is ours,
        taken from the signed address where it names one.

        Raises :class:`ForgedReceipt`; then nothing of the request counts.
        """
        raise NotSupported("parse_receipts")

    def verify(self, request: WebhookRequest) -> None:
        """Check a request's signature only. Raises :class:`ForgedReceipt`."""
        raise NotSupported("verify")

    async def collect(self, most: int, wait: timedelta) -> Sequence[Collected]:
        """What came over the connection: up to ``most``, at once when there is anything, else
        after ``wait`` at most. It comes again until it is acknowledged."""
        raise NotSupported("collect")

    async def acknowledge(self, handles: Sequence[int]) -> None:
        """Tell the carrier that these are safe with us: they are on disk."""
        raise NotSupported("acknowledge")

    def read_message(self, request: WebhookRequest) -> InboundMessage:
        """Verify and read what somebody wrote. Raises :class:`ForgedReceipt`."""
        raise NotSupported("read_message")

    def reply(self, text: str | None) -> Answer:
        """The answer to such a request: ``text`` back to the writer, or nothing."""
        raise NotSupported("reply")

    def read_call(self, request: WebhookRequest) -> CallRequest:
        """Verify and read a request for instructions. Raises :class:`ForgedReceipt`."""
        raise NotSupported("read_call")

    def read_ended(self, request: WebhookRequest) -> EndedCall:
        """Verify and read the report that an incoming call is over. Raises
        :class:`ForgedReceipt`."""
        raise NotSupported("read_ended")

    def read_detection(self, request: WebhookRequest) -> Detected:
        """Verify and read who answered a call. Raises :class:`ForgedReceipt`."""
        raise NotSupported("read_detection")

    def render(self, instructions: Sequence[Instruction]) -> tuple[str, str]:
        """Call instructions in the carrier's language: ``(content_type, body)``."""
        raise NotSupported("render")

    async def instruct(self, provider_ref: str, instructions: Sequence[Instruction]) -> None:
        """Go on with a call that is under way by other instructions, at once.

        Raises :class:`ProviderUnavailable`, also when the call is over.
        """
        raise NotSupported("instruct")

    async def line_type(self, number: str) -> LineType:
        """What kind of line a number is; each question is charged. Raises
        :class:`ProviderUnavailable`."""
        raise NotSupported("line_type")

    def parts(self, body: str) -> int:
        """How many parts this carrier will bill for a text."""
        return parts(self.capabilities.part_rule, body)

    def price(self, contact: Contact) -> Decimal | None:
        """What the contact will cost in yen, tax not included: a message by its parts, a call by
        its first minute. ``None``: the deployment names no price."""
        return None

    async def health(self) -> str | None:
        """``None`` when reachable and accepted, else what is wrong, in words."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
