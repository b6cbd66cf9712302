"""An adapter on the bench: what its test module supplies, and how a suite talks to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeVar, assert_never

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
from tests.providers.faults import MAY_HAVE_BEEN_TAKEN, NO_USABLE_ANSWER
from tests.providers.wire import (
    Behaviour,
    Seen,
    Wire,
    answer,
    hang,
    refusing_origin,
    reset_unanswered,
    trickle,
    wire,
)

T = TypeVar("T")
#: How long an adapter waits on the bench: long, unless the carrier will not answer anyway.
PATIENCE = 9.0
SILENT = (hang, trickle)
TO = "+819012345678"
SINCE = datetime(2026, 10, 26, 1, 0, tzinfo=UTC)
SECRET_TEXT = "世田谷区納税課です。お伝えしたいことがあります。"


class Bench(Protocol):
    """An adapter with its carrier's side of the conversation."""

    capabilities: Capabilities
    secrets: Sequence[str]
    may_have_been_taken: Mapping[str, Any]
    """Faults after which the carrier may have the contact."""
    no_usable_answer: Mapping[str, Any]
    """Faults after which a question is to be asked again."""

    def serve(self) -> AbstractAsyncContextManager[Any]:
        """A carrier that listens on loopback while the block runs."""
        ...

    def refusing(self) -> str:
        """An address where nobody listens."""
        ...

    def accepts_all(self, channel: Channel, refs: Sequence[str]) -> Sequence[Any]:
        """How the carrier takes contacts ``attempt-0``, ``attempt-1`` … handed over at once."""
        ...

    def their_fault(self) -> Any:
        """The carrier says that it has failed."""
        ...

    def throttles(self) -> Any:
        """Too many requests."""
        ...

    def rejects_us(self) -> Sequence[Any]:
        """The account is not accepted."""
        ...

    def refuses_for_reasons_unheard_of(self) -> Sequence[Any]: ...

    def talks_about_people(self) -> Sequence[Any]:
        """Answers that quote the number and the text."""
        ...

    def ill(self) -> Sequence[Any]:
        """Answers to the question for health that mean no good."""
        ...

    def forgeries(
        self, honest: WebhookRequest, another: WebhookRequest
    ) -> Sequence[WebhookRequest]:
        """What somebody could make of two honest reports."""
        ...

    def provider(self, origin: str, patience: float = PATIENCE) -> Provider:
        """The adapter against ``origin``; ``patience``: seconds that it waits for an answer."""
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

    def scheduled(self) -> str:
        """The status of a message that the carrier sends later."""
        ...

    def accepts_as(self, provider_ref: str, status: str) -> Behaviour:
        """How the carrier takes a message, with its status."""
        ...

    def send_at(self, seen: Seen) -> datetime | None:
        """The instant at which a request asks for a message to be sent."""
        ...

    def canceled(self, channel: Channel) -> str:
        """The status of what was taken back."""
        ...

    def healthy(self) -> Sequence[Any]: ...

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        """A signed report."""
        ...

    def asks(self, provider_ref: str, key: str) -> WebhookRequest:
        """A signed request for a call's instructions, after ``key`` if one was pressed."""
        ...

    def unheard_of(self) -> str:
        """A status that the carrier has not documented."""
        ...

    def under_way(self, channel: Channel) -> str: ...

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]: ...


def contact(channel: Channel, number: int = 1) -> Contact:
    """A contact with everything that must stay out of logs and results."""
    reference = f"attempt-{number}"
    if channel is Channel.SMS:
        return Message(reference, TO, SECRET_TEXT, "https://ward.example/r?a=1")
    return Call(
        reference,
        TO,
        "https://ward.example/voice?a=1",
        "https://ward.example/r?a=1",
        recording_url="https://ward.example/recordings/a.wav",
    )


class HttpBench:
    """What carriers over HTTP have in common."""

    may_have_been_taken: Mapping[str, Behaviour] = MAY_HAVE_BEEN_TAKEN
    no_usable_answer: Mapping[str, Behaviour] = NO_USABLE_ANSWER

    def serve(self) -> AbstractAsyncContextManager[Wire]:
        return wire()

    def unheard_of(self) -> str:
        return "teleported"

    def scheduled(self) -> str:
        raise NotImplementedError

    def accepts_as(self, provider_ref: str, status: str) -> Behaviour:
        raise NotImplementedError

    def send_at(self, seen: Seen) -> datetime | None:
        raise NotImplementedError

    def canceled(self, channel: Channel) -> str:
        raise NotImplementedError

    def refusing(self) -> str:
        return refusing_origin()

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        raise NotImplementedError

    def accepts_all(self, channel: Channel, refs: Sequence[str]) -> Sequence[Behaviour]:
        return [self.accepts(channel, ref) for ref in refs]

    def their_fault(self) -> Behaviour:
        return answer(500, {})

    def throttles(self) -> Behaviour:
        return answer(429, {})

    def rejects_us(self) -> Sequence[Behaviour]:
        return [answer(status, {"message": "no"}) for status in (401, 403)]

    def refuses_for_reasons_unheard_of(self) -> Sequence[Behaviour]:
        return [answer(400, {"code": 99999, "message": TO}), answer(422, b"\xff")]

    def talks_about_people(self) -> Sequence[Behaviour]:
        return [
            answer(400, {"code": 1, "message": f"no {TO} {SECRET_TEXT}"}),
            answer(401, {"message": f"no {TO}"}),
            answer(500, {"message": f"no {TO}"}),
            answer(201, {"to": TO}),
            reset_unanswered,
        ]

    def ill(self) -> Sequence[Behaviour]:
        return [answer(401, {}), answer(500, {}), answer(200, ["x"])]

    def forgeries(
        self, honest: WebhookRequest, another: WebhookRequest
    ) -> Sequence[WebhookRequest]:
        """Forgeries of a signature that covers address and form."""
        return [
            replace(honest, form=another.form),
            replace(honest, form={**honest.form, "Extra": "1"}),
            replace(honest, url=honest.url + "&b=2"),
            replace(honest, url=honest.url.replace("ward.example", "ward.invalid")),
            *(
                replace(
                    honest, form={key: value for key, value in honest.form.items() if key != name}
                )
                for name in honest.form
            ),
        ]


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
        if "fault" in metafunc.fixturenames:
            metafunc.parametrize("fault", list(self.bench.may_have_been_taken))
        if "silence" in metafunc.fixturenames:
            metafunc.parametrize("silence", list(self.bench.no_usable_answer))
        if "channel" in metafunc.fixturenames:
            channels = sorted(self.bench.capabilities.channels)
            metafunc.parametrize("channel", channels, ids=[str(one) for one in channels])

    def ask(self, act: Callable[[Provider], Awaitable[T]], *plan: Behaviour) -> tuple[T, Wire]:
        async def conversation() -> tuple[T, Wire]:
            async with self.bench.serve() as carrier:
                carrier.then(*plan)
                silent = any(one in SILENT or getattr(one, "silent", False) for one in plan)
                provider = self.bench.provider(carrier.origin, 0.3 if silent else PATIENCE)
                try:
                    return await asyncio.wait_for(act(provider), 30), carrier
                finally:
                    await provider.close()

        return asyncio.run(conversation())

    def submit(self, channel: Channel, *plan: Behaviour) -> tuple[Result, Wire]:
        return self.ask(lambda provider: provider.submit(contact(channel)), *plan)
