"""The contract between the service and a carrier.

An adapter turns a :class:`Contact` into a request of its carrier and the carrier's
reports into :class:`Receipt` objects. It keeps no state of its own and reads no clock:
whoever calls it decides when, how often and for whom.

Every instant is a timezone-aware ``datetime``; every telephone number is E.164
(``+819012345678``); every price is in yen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias


class Channel(StrEnum):
    """How a person is reached."""

    SMS = "sms"
    AUTO_CALL = "auto_call"
    OPERATOR = "operator"


class Outcome(StrEnum):
    """What became of a contact: the closed vocabulary that all carriers are mapped to."""

    DELIVERED = "delivered"  # an SMS reached the handset; no proof that anybody read it
    UNDELIVERED = "undelivered"  # an SMS did not arrive, for a reason that may pass
    CONFIRMED = "confirmed"  # the person confirmed who they are and heard the message
    TRANSFERRED = "transferred"  # confirmed, then connected to the telephone centre
    ANSWERED = "answered"  # somebody picked up and confirmed nothing
    MACHINE = "machine"  # an answering machine
    WRONG_PERSON = "wrong_person"  # "I am not that person"
    OPTED_OUT = "opted_out"  # "do not contact this number"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"  # switched off, out of range, or the far end unavailable
    INVALID_NUMBER = "invalid_number"  # no such number, or it cannot take this channel
    REJECTED = "rejected"  # the far end refused the call
    BLOCKED = "blocked"  # a carrier refused the content or the sender
    CANCELED = "canceled"  # taken back before it went out
    NETWORK = "network"  # congestion or a fault between the carriers
    UNKNOWN = "unknown"  # nobody can tell yet
    OTHER = "other"  # reported, but not in this vocabulary: see the raw report


#: How much an outcome says about a contact. Reports come twice, late and in any order:
#: the one that says most wins, so the result does not depend on their order.
OUTCOME_RANK: Mapping[Outcome, int] = {
    Outcome.UNKNOWN: 0,
    Outcome.OTHER: 10,
    Outcome.CANCELED: 15,
    Outcome.NETWORK: 20,
    Outcome.UNREACHABLE: 25,
    Outcome.NO_ANSWER: 26,
    Outcome.BUSY: 27,
    Outcome.UNDELIVERED: 30,
    Outcome.REJECTED: 35,
    Outcome.BLOCKED: 36,
    Outcome.INVALID_NUMBER: 40,
    Outcome.ANSWERED: 50,
    Outcome.MACHINE: 55,
    Outcome.DELIVERED: 60,
    Outcome.CONFIRMED: 70,
    Outcome.TRANSFERRED: 80,
    Outcome.WRONG_PERSON: 90,
    Outcome.OPTED_OUT: 100,
}


class Cause(StrEnum):
    """Why a carrier did not take a contact, and therefore what to do about it."""

    TRY_LATER = "try_later"  # provably not taken; due again after a pause
    NEVER_THIS_NUMBER = "never_this_number"
    NEVER_THIS_CONTENT = "never_this_content"
    OUR_CREDENTIALS = "our_credentials"  # provably not taken; pause the provider, tell staff
    THEIR_FAULT = "their_fault"  # the carrier failed; whether it took the contact is unknown
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS. ``reference`` is the caller's own identifier of the attempt."""

    reference: str
    to: str
    body: str
    receipts_url: str | None = None
    """Where the carrier may report to; ``None`` when no webhook can reach us."""


@dataclass(frozen=True, slots=True)
class Call:
    """One auto-call. The carrier fetches what to say from ``instructions_url``."""

    reference: str
    to: str
    instructions_url: str
    receipts_url: str | None = None
    ring_timeout: timedelta = timedelta(seconds=30)


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


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A carrier asks what to do next in a call."""

    provider_ref: str
    key: str
    """The key that was pressed; empty when none was."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak ``text``."""

    text: str
    language: str = "ja-JP"


@dataclass(frozen=True, slots=True)
class Play:
    """Play the recording that the carrier fetches from ``url``."""

    url: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Speak or play, then wait for one key; the key is posted to ``answer_url``."""

    prompt: Say | Play
    keys: frozenset[str]
    answer_url: str
    timeout: timedelta = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller to ``to``; ``after_url`` is fetched when that call has ended."""

    to: str
    after_url: str | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Instruction: TypeAlias = Say | Play | Menu | Transfer | HangUp


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a carrier can do. Declared, never guessed."""

    channels: frozenset[Channel]
    webhook_receipts: bool
    polling: bool
    listing_complete_after: timedelta | None
    """How long after a request has ended the carrier's listing surely shows what it took.
    With it, absence from the listing proves "not taken"; ``None``: a person must decide."""
    max_parts: int = 1


class ForgedReceipt(Exception):
    """The signature does not fit: the report is not the carrier's."""


class ProviderUnavailable(Exception):
    """A question to the carrier (look-up, listing) got no usable answer; ask again later."""


class Provider(Protocol):
    """One carrier account. Safe to use from one event loop; ``close`` when done."""

    name: str
    capabilities: Capabilities

    async def submit(self, contact: Contact) -> Result:
        """Hand one contact over. Never raises for anything the carrier or the network does."""
        ...

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """The carrier's present account of a contact; ``None`` if it knows none.

        Raises :class:`ProviderUnavailable`.
        """
        ...

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        """What the carrier took for ``to`` from ``since`` on, complete over all its pages.

        Raises :class:`ProviderUnavailable`.
        """
        ...

    def parse_receipt(self, request: WebhookRequest, reference: str | None) -> Receipt:
        """Verify and read one report. ``reference`` is ours, taken from the signed address.

        Raises :class:`ForgedReceipt`.
        """
        ...

    def verify(self, request: WebhookRequest) -> None:
        """Check a request's signature only. Raises :class:`ForgedReceipt`."""
        ...

    def read_call(self, request: WebhookRequest) -> CallRequest:
        """Verify and read a request for instructions. Raises :class:`ForgedReceipt`."""
        ...

    def render(self, instructions: Sequence[Instruction]) -> tuple[str, str]:
        """Call instructions in the carrier's language: ``(content_type, body)``."""
        ...

    def parts(self, body: str) -> int:
        """How many parts this carrier will bill for a text."""
        ...

    async def health(self) -> str | None:
        """``None`` when reachable and accepted, else what is wrong, in words."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
