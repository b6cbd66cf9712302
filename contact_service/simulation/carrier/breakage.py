"""The API as it behaves on a bad day: faults around every request, as the plan says."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contact_service.simulation.carrier.api import refused
from contact_service.simulation.carrier.errors import Refusal
from contact_service.simulation.carrier.records import API_VERSION
from contact_service.simulation.faults import Faults
from contact_service.simulation.server import break_connection


class Breakage:
    """Stands before the API and spoils what the faults' plan wants spoilt."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"/{API_VERSION}/"):
            await self._app(scope, receive, send)
            return
        self._faults.request_arrives()
        if self._faults.begun and self._faults.plan.latency_ms:
            await asyncio.sleep(self._faults.plan.latency_ms / 1000)
        if code := self._refusal():
            await refused(Refusal(code))(scope, receive, send)
            return
        if self._faults.strikes("reset_before"):
            await _break(scope, receive, reset=True)
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        if scope["method"] == "POST" and answer[0]["status"] == 201:
            if self._faults.strikes("error_500_after_accepting"):
                await refused(Refusal(20500))(scope, receive, send)
                return
            if self._faults.strikes("reset_after_accepting"):
                await _break(scope, receive, reset=True)
                return
            if self._faults.strikes("hang_after_accepting"):
                await _hang(scope, receive, self._faults.plan.hang_seconds)
                return
        for message in answer:
            await send(message)

    def _refusal(self) -> int | None:
        if self._faults.begun and self._faults.plan.refuse_401:
            self._faults.injected["refuse_401"] += 1
            return 20003
        if self._faults.strikes("rate_429"):
            return 20429
        if self._faults.strikes("error_500_before"):
            return 20500
        return None


async def _hang(scope: Scope, receive: Receive, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await _gone(receive)
    except TimeoutError:
        await _break(scope, receive, reset=False)


async def _break(scope: Scope, receive: Receive, *, reset: bool) -> None:
    break_connection(scope, reset=reset)
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Until the customer's connection is closed, from whichever side."""
    while (await receive())["type"] != "http.disconnect":
        pass
