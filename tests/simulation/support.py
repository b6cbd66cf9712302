"""A carrier on a free port, a customer's web server, and a clock to move."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from pyreqwest.client import Client as HttpClient
from pyreqwest.client import ClientBuilder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from contact_service.clock import TOKYO, FixedClock
from contact_service.simulation.app import application
from contact_service.simulation.carrier.assembly import Account, Carrier
from contact_service.simulation.carrier.subscribers import (
    AnsweredCall,
    MessageFate,
    NobodyThere,
    Pickup,
    Reaction,
    Switchboard,
)
from contact_service.simulation.draws import Draws
from contact_service.simulation.server import server_for
from contact_service.simulation.timeline import Timeline

ACCOUNT = Account("AC" + "5" * 32, "a secret of the tests")
START = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)  # a Monday
MOBILE, LANDLINE, OURS = "+819012345678", "+81354320001", "+81354321111"


@dataclass
class People:
    """Subscribers who do what the test says, and remember what reached them."""

    fate: MessageFate = field(default_factory=lambda: MessageFate(5.0))
    reaction: Reaction = field(default_factory=lambda: Reaction(Pickup.PERSON, 6.0, ("1",)))
    unsubscribed: set[str] = field(default_factory=set)
    delivered: list[tuple[str, datetime]] = field(default_factory=list)
    calls: list[AnsweredCall] = field(default_factory=list)

    def accepts_messages(self, number: str) -> bool:
        return number not in self.unsubscribed

    def message_fate(self, number: str, count: int) -> MessageFate:
        return self.fate

    def message_delivered(self, number: str, count: int, at: datetime) -> None:
        self.delivered.append((number, at))

    def pick_up(self, number: str, count: int, at: datetime) -> Reaction:
        return self.reaction

    def call_ended(self, call: AnsweredCall, count: int) -> None:
        self.calls.append(call)


@dataclass
class Customer:
    """The service's side: serves TwiML, takes reports, keeps every request."""

    url: str = ""
    twiml: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Full address, form and signature of each, in order of arrival."""
    statuses: list[int] = field(default_factory=list)
    """Answers to give before the usual 200."""

    async def answer(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        signature = request.headers.get("x-twilio-signature", "")
        self.requests.append((str(request.url), form, signature))
        if self.statuses:
            return Response(status_code=self.statuses.pop(0))
        key = request.url.path + (f"?{form['Digits']}" if "Digits" in form else "")
        return Response(self.twiml.get(key, ""), media_type="text/xml")

    def forms(self, path: str) -> list[dict[str, str]]:
        """What was posted to one path."""
        return [form for url, form, _ in self.requests if url.startswith(self.url + path)]


@dataclass
class World:
    """Everything a test of the carrier needs."""

    carrier: Carrier
    clock: FixedClock
    people: People
    customer: Customer
    url: str
    http: HttpClient

    async def pass_time(self, **duration: float) -> None:
        """Move the clock on, then wait until all of it has happened."""
        self.clock.at += timedelta(**duration)
        assert await self.carrier.timeline.settle(10)

    async def sdk(self, call: Callable[[Client], object]) -> object:
        """Use the official SDK, which blocks, from beside the loop."""
        client = Client(ACCOUNT.sid, ACCOUNT.token, http_client=Elsewhere(self.url))
        return await asyncio.to_thread(call, client)

    async def api(
        self, method: str, path: str, form: dict[str, str] | None = None, token: str = ACCOUNT.token
    ) -> tuple[int, dict[str, object], dict[str, str]]:
        """One plain request below the account: status, JSON and headers."""
        credentials = base64.b64encode(f"{ACCOUNT.sid}:{token}".encode()).decode()
        request = self.http.request(
            method, f"{self.url}/2010-04-01/Accounts/{ACCOUNT.sid}{path}"
        ).header("Authorization", f"Basic {credentials}")
        answer = await (request.form(form) if form is not None else request).build().send()
        return answer.status, await answer.json(), dict(answer.headers)

    async def control(self, path: str, plan: dict[str, object] | None = None) -> dict[str, object]:
        """The simulation's own door."""
        url = f"{self.url}/simulation{path}"
        request = self.http.get(url) if plan is None else self.http.post(url).body_json(plan)
        answer = await request.build().send()
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


class Elsewhere(TwilioHttpClient):
    """The SDK's own transport; only the base address is another."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=30)
        self._base = base

    def request(self, method, url, *args, **kwargs):  # type: ignore[no-untyped-def]
        return super().request(
            method, url.replace("https://api.twilio.com", self._base), *args, **kwargs
        )


@asynccontextmanager
async def serving(server: uvicorn.Server) -> AsyncIterator[str]:
    """A server in this loop on a port of its own; its address."""
    # asyncio sends without delay only on sockets whose protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    # Server.serve looks only every 0.1 s whether it should end; its two halves do not wait.
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.shutdown(sockets=[listener])


@asynccontextmanager
async def world(folder: Path, switchboard: Switchboard | None = None) -> AsyncIterator[World]:
    """A carrier, its customer and its people, running."""
    clock, people, customer = FixedClock(START), People(), Customer()
    timeline = Timeline(clock)
    carrier = Carrier(
        ACCOUNT, timeline, folder, Draws("test"), people, switchboard or NobodyThere()
    )
    web = Starlette(routes=[Route("/{path:path}", customer.answer, methods=["GET", "POST"])])
    async with (
        serving(server_for(application(carrier), "127.0.0.1", 0)) as url,
        serving(server_for(web, "127.0.0.1", 0)) as customer.url,
        ClientBuilder().no_proxy().timeout(timedelta(seconds=30)).build() as http,
    ):
        yield World(carrier, clock, people, customer, url, http)
