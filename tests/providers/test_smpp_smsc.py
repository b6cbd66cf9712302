"""Against a message centre that none of us wrote: the server of ``smpp34``, in Rust."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import Any

import smpp34

from providers.base import Accepted, Message, Outcome, Throttled
from providers.registry import create
from tests.providers.bench import TO
from tests.providers.smpp_bench import options

SOON = timedelta(seconds=10)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Centre:
    """Takes what it is told to take, and reports on it."""

    def __init__(self, port: int) -> None:
        self.server = smpp34.Server(host="127.0.0.1", port=port, system_id="SMSC")
        self.sessions: dict[str, Any] = {}
        self.events: list[Any] = []
        self.throttle = 0
        self.reports: list[asyncio.Task[Any]] = []

    async def run(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                if self.throttle:
                    self.throttle -= 1
                    event.reject(smpp34.ESME_RTHROTTLED)
                    continue
                self.events.append(event)
                ref = f"r{len(self.events)}"
                event.accept(ref)
                if event.registered_delivery & 1:
                    self.reports.append(asyncio.create_task(self.report(event, ref)))

    async def report(self, event: Any, ref: str) -> Any:
        return await self.sessions[event.session_id].deliver_sm(
            source_addr=event.destination_addr,
            destination_addr=event.source_addr,
            esm_class=0x04,
            short_message=f"id:{ref} sub:001 dlvrd:001 submit date:2610261000 "
            f"done date:2610261001 stat:DELIVRD err:000 text:".encode(),
        )


def test_long_messages_receipts_throttling_and_coming_back() -> None:
    async def conversation() -> None:
        port = free_port()
        centre = Centre(port)
        await centre.server.start()
        running = asyncio.create_task(centre.run())
        provider = create("smpp", "t", options(f"127.0.0.1:{port}", longest_backoff=0.01))
        try:
            assert await provider.health() is None
            # a long message in UCS-2, its parts joined by a header
            body = "区役所からのお知らせです。" * 12 + "𠮷"
            taken = await provider.submit(Message("a", TO, body))
            assert taken == Accepted("r3", 3)
            texts = [event.short_message for event in centre.events]
            assert all(event.esm_class & 0x40 and event.data_coding == 8 for event in centre.events)
            assert b"".join(text[6:] for text in texts).decode("utf-16-be") == body
            assert centre.events[0].destination_addr == TO[1:]
            # its receipt: acknowledged only when we say so
            (found,) = await provider.collect(10, SOON)
            (receipt,) = found.receipts
            assert (receipt.provider_ref, receipt.outcome) == ("r3", Outcome.DELIVERED)
            (reporting,) = centre.reports
            await asyncio.sleep(0.05)
            assert not reporting.done(), "acknowledged before it was on disk"
            await provider.acknowledge([found.handle])
            assert (await asyncio.wait_for(reporting, 10)).is_success
            # many at once, in the GSM alphabet; some told to come later
            centre.throttle = 3
            results = await asyncio.gather(
                *(provider.submit(Message(str(n), TO, f"note {n}")) for n in range(40))
            )
            assert sum(isinstance(one, Throttled) for one in results) == 3
            assert sum(isinstance(one, Accepted) for one in results) == 37
            # the centre ends the session, and we come back
            collected = 0
            while collected < 37:
                some = await provider.collect(100, SOON)
                await provider.acknowledge([one.handle for one in some])
                collected += len(some)
            (session,) = list(centre.sessions.values())
            await asyncio.wait_for(session.unbind(), 10)
            for _ in range(200):
                result = await provider.submit(Message("b", TO, "back"))
                if isinstance(result, Accepted):
                    break
                await asyncio.sleep(0.02)
            assert isinstance(result, Accepted)
            assert len(centre.sessions) == 2
        finally:
            running.cancel()
            await provider.close()
            await centre.server.stop()

    asyncio.run(asyncio.wait_for(conversation(), 60))
