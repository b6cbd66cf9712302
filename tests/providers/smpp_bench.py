"""A message centre on the bench."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from providers.base import Channel, Outcome, Provider
from providers.registry import create
from providers.smpp.adapter import capabilities
from providers.smpp.options import SmppOptions
from tests.providers import smsc as centre
from tests.providers.bench import PATIENCE
from tests.providers.smsc import Behaviour, Smsc

PASSWORD = "pw-42-xy"
OPTIONS: dict[str, object] = {
    "host": "127.0.0.1",
    "system_id": "ward",
    "password": PASSWORD,
    "sender": "0354321111",
    "query": True,
    "throttle_pause": 0.05,
    "price_yen": 9,
}
STATES = {"ENROUTE": 1, "DELIVRD": 2, "99": 99}


def options(origin: str, patience: float = PATIENCE, **more: object) -> dict[str, object]:
    _, _, port = origin.rpartition(":")
    return {
        **OPTIONS,
        "port": int(port),
        "connect_timeout": patience,
        "response_timeout": patience,
        "total_timeout": min(30.0, 3 * patience),
        **more,
    }


class SmppBench:
    """See :class:`tests.providers.bench.Bench`."""

    capabilities = capabilities(SmppOptions.model_validate(OPTIONS))
    secrets = (PASSWORD,)
    may_have_been_taken: Mapping[str, Behaviour] = {
        "system error": centre.respond(0x08),
        "hang after accepting": centre.hang,
        "reset before the answer": centre.reset,
        "closed before the answer": centre.close,
        "reset mid-answer": centre.half,
        "an answer without an identifier": centre.respond(0),
        "an empty identifier": centre.respond(0, b"\0"),
        "an answer to something else": centre.for_another,
        "not SMPP": centre.garbage,
        "huge": centre.huge,
        "the carrier unbinds instead": centre.unbind,
    }
    no_usable_answer: Mapping[str, Behaviour] = {
        "hang": centre.hang,
        "reset": centre.reset,
        "query failed": centre.respond(0x67),
        "system error": centre.respond(0x08),
        "an answer without a state": centre.respond(0),
        "half a body": centre.respond(0, b"4"),
        "not SMPP": centre.garbage,
        "huge": centre.huge,
        "refused": centre.nack,
    }

    def serve(self) -> AbstractAsyncContextManager[Smsc]:
        @asynccontextmanager
        async def kept() -> Any:
            async with centre.smsc() as self.centre:
                yield self.centre

        return kept()

    async def cut(self) -> None:
        import asyncio

        self.centre.cut()
        await asyncio.sleep(0.02)

    def refusing(self) -> str:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{taken.getsockname()[1]}"

    def provider(self, origin: str, patience: float = PATIENCE) -> Provider:
        return create("smpp", "bench", options(origin, patience))

    def ref(self, channel: Channel, number: int) -> str:
        return f"{4_000_000 + number}"

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return centre.accept(provider_ref)

    def accepts_all(self, channel: Channel, refs: Sequence[str]) -> Sequence[Behaviour]:
        return [centre.accept(ref) for ref in refs]

    def their_fault(self) -> Behaviour:
        return centre.respond(0x08)

    def throttles(self) -> Behaviour:
        return centre.respond(0x58)

    def rejects_us(self) -> Sequence[Behaviour]:
        return [centre.refuse_bind(0x0E), centre.refuse_bind(0x0F), centre.respond(0x0A)]

    def refuses_for_reasons_unheard_of(self) -> Sequence[Behaviour]:
        return [centre.respond(0x45), centre.respond(0x0421)]

    def talks_about_people(self) -> Sequence[Behaviour]:
        return [centre.respond(0x0B), centre.respond(0x08), centre.reset]

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return centre.state(provider_ref, STATES[status], b"261026100000036+")

    def knows_none(self) -> Behaviour:
        return centre.respond(0x0C)

    def healthy(self) -> Sequence[Behaviour]:
        return []

    def ill(self) -> Sequence[Behaviour]:
        return [centre.refuse_bind(0x0E), centre.refuse_bind(0x08)]

    def brings(self, channel: Channel, pairs: Sequence[tuple[str, str]]) -> Behaviour:
        bodies = [centre.delivery(centre.receipt_text(ref, status)) for ref, status in pairs]
        return centre.bound_then(*bodies)

    def unheard_of(self) -> str:
        return "99"

    def under_way(self, channel: Channel) -> str:
        return "ENROUTE"

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]:
        return "DELIVRD", Outcome.DELIVERED
