"""A carrier that answers as told and remembers what it took; for the protocol's tests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from campaigns.vocabulary import Channel, Outcome
from providers.base import (
    Accepted,
    Call,
    CallRequest,
    Capabilities,
    Contact,
    Instruction,
    Listed,
    Message,
    ProviderUnavailable,
    Receipt,
    Result,
    WebhookRequest,
)


class ScriptedCarrier:
    """``answer`` decides what comes back; ``takes`` whether the contact is taken all the same."""

    name = "scripted"

    def __init__(self, complete_after: timedelta | None = timedelta(0)) -> None:
        self.capabilities = Capabilities(
            frozenset({Channel.SMS, Channel.AUTO_CALL}), True, True, complete_after
        )
        self.taken: list[tuple[str, Contact]] = []
        self.answer: Callable[[Contact, str], Result] = lambda contact, ref: Accepted(ref)
        self.takes: Callable[[Contact], bool] = lambda contact: True
        self.reachable = True
        self.parts_each = 1
        self.yen_each: Decimal | None = None
        #: By how much the carrier's clock is ahead of ours when it takes something.
        self.ahead_of_lease = timedelta(minutes=5)
        #: When the carrier took what it lists, where that must not depend on who asks.
        self.created_at: datetime | None = None
        self.clock: Callable[[], datetime] | None = None

    def taken_by_reference(self) -> Counter[str]:
        """How often each attempt was taken."""
        return Counter(contact.reference for _, contact in self.taken)

    async def submit(self, contact: Contact) -> Result:
        await asyncio.sleep(0)
        ref = f"R{len(self.taken)}-{contact.reference}"
        result = self.answer(contact, ref)
        if self.takes(contact):
            self.taken.append((ref, contact))
        return result

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        for ref, _ in self.taken:
            if ref == provider_ref:
                return delivered(ref, channel)
        return None

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        if not self.reachable:
            raise ProviderUnavailable("away")
        return [
            Listed(
                ref,
                contact.to,
                contact.body if isinstance(contact, Message) else None,
                self.created_at or since + timedelta(days=1) + self.ahead_of_lease,
                delivered(ref, channel),
            )
            for ref, contact in self.taken
            if contact.to == to and isinstance(contact, Call) == (channel is Channel.AUTO_CALL)
        ]

    def parse_receipts(self, request: WebhookRequest, reference: str | None) -> Receipt:
        raise NotImplementedError

    def verify(self, request: WebhookRequest) -> None:
        raise NotImplementedError

    def read_call(self, request: WebhookRequest) -> CallRequest:
        raise NotImplementedError

    def render(self, instructions: Sequence[Instruction]) -> tuple[str, str]:
        raise NotImplementedError

    def parts(self, body: str) -> int:
        return self.parts_each

    def price(self, contact: Contact) -> Decimal | None:
        return self.yen_each

    async def health(self) -> str | None:
        return None

    async def close(self) -> None:
        return None


def delivered(ref: str, channel: Channel = Channel.SMS) -> Receipt:
    """A final, good report."""
    outcome = Outcome.DELIVERED if channel is Channel.SMS else Outcome.ANSWERED
    return Receipt(channel, ref, outcome.value, outcome, final=True)


def report(ref: str, outcome: Outcome | None, *, final: bool, status: str | None = None) -> Receipt:
    """Any report of an SMS."""
    word = status or (outcome.value if outcome else "queued")
    return Receipt(Channel.SMS, ref, word, outcome, final=final)
