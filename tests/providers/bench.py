"""An adapter on the bench: what its test module supplies, and how a suite talks to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Protocol, TypeVar, assert_never

import pytest

from providers.base import (
    Accepted,
    Call,
    Capabilities,
    Channel,
    Contact,
    Message,
    Outcome,
    Provider,
    Refused,
    Result,
    Throttled,
    Unknown,
    WebhookRequest,
)
from tests.providers.wire import (
    Behaviour,
    Wire,
    wire,
)

T = TypeVar("T")
TO = "+819012345678"
SINCE = datetime(2026, 10, 26, 1, 0, tzinfo=UTC)
SECRET_TEXT = "世田谷区納税課です。お伝えしたいことがあります。"


class Bench(Protocol):
    """An adapter with its carrier's side of the conversation."""

    capabilities: Capabilities
    secrets: Sequence[str]

    def provider(self, origin: str) -> Provider:
        """The adapter against ``origin``, with time-outs well under a second."""
        ...

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        """How the carrier takes a contact."""
        ...

    def ref(self, channel: Channel, number: int) -> str:
        """A distinct identifier of the carrier's form."""
        ...

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        """The carrier's account of one contact."""
        ...

    def knows_none(self) -> Behaviour:
        """The carrier's answer to a look-up of what it does not know."""
        ...

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        """A listing for :data:`TO`, page by page: identifiers and instants of creation."""
        ...

    def healthy(self) -> Behaviour: ...

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        """A signed report."""
        ...

    def asks(self, provider_ref: str, key: str) -> WebhookRequest:
        """A signed request for a call's instructions, after ``key`` if one was pressed."""
        ...

    def under_way(self, channel: Channel) -> str: ...

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]: ...


def contact(channel: Channel) -> Contact:
    """A contact with everything that must stay out of logs and results."""
    if channel is Channel.SMS:
        return Message("attempt-1", TO, SECRET_TEXT, "https://ward.example/r?a=1")
    return Call("attempt-1", TO, "https://ward.example/voice?a=1", "https://ward.example/r?a=1")


def meaning(result: Result) -> str:
    """One word a result; a fifth kind of result would not pass the type checker here."""
    match result:
        case Accepted():
            return "accepted"
        case Refused():
            return "refused"
        case Throttled():
            return "throttled"
        case Unknown():
            return "unknown"
        case _:
            assert_never(result)


class Base:
    """One provider against one scripted carrier."""

    bench: ClassVar[Bench]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "channel" in metafunc.fixturenames:
            channels = sorted(self.bench.capabilities.channels)
            metafunc.parametrize("channel", channels, ids=[str(one) for one in channels])

    def ask(self, act: Callable[[Provider], Awaitable[T]], *plan: Behaviour) -> tuple[T, Wire]:
        async def conversation() -> tuple[T, Wire]:
            async with wire() as carrier:
                carrier.then(*plan)
                provider = self.bench.provider(carrier.origin)
                try:
                    return await asyncio.wait_for(act(provider), 10), carrier
                finally:
                    await provider.close()

        return asyncio.run(conversation())

    def submit(self, channel: Channel, *plan: Behaviour) -> tuple[Result, Wire]:
        return self.ask(lambda provider: provider.submit(contact(channel)), *plan)
