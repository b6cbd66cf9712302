"""How often a caller may ask: counted over all processes, each caller by itself."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Role
from contact_service.identity import accounts, sessions
from contact_service.settings import Settings
from contact_service.web.app import MOST_BODY_BYTES
from contact_service.web.limits import Limits
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.web.test_doors import Door, door, sms
from tests.web.test_doors import door_settings as plain_settings

RATE = 10
__all__ = ["door", "floor", "plain_settings"]


def scope(path: str, address: str = "10.0.0.1", **headers: str) -> dict[str, Any]:
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "client": (address, 1), "headers": lines}


@pytest.fixture
def limited(settings: Settings) -> Settings:
    return settings.model_copy(update={"requests_per_second": RATE, "webhooks_per_second": RATE})


def test_many_at_once_use_up_no_more_than_they_are(limited: Settings) -> None:
    rate = 1000  # grants come 50 at a time
    generous = limited.model_copy(update={"webhooks_per_second": rate})

    async def ask() -> None:
        limits = Limits(generous)
        report = scope("/webhooks/main/receipts", "10.0.0.3")
        try:
            assert all(await asyncio.gather(*(limits.admits(report) for _ in range(rate))))
        finally:
            await limits.close()

    asyncio.run(ask())


def test_processes_count_together_and_callers_apart(limited: Settings) -> None:
    async def ask() -> None:
        first, second = Limits(limited), Limits(limited)
        try:
            for who in ("one", "another"):
                for limits in (first, second):
                    limits.let_in(scope("", authorization=f"Bearer {who}"), f"token:{who}")
            began = time.monotonic()
            one = scope("/api/people/search", authorization="Bearer one")
            taken = sum([await limits.admits(one) for limits in (first, second) * 20])
            # two seconds' worth in all, and what came back meanwhile
            assert 2 * RATE <= taken <= RATE * (2 + time.monotonic() - began)
            other = scope("/api/people/search", authorization="Bearer another")
            assert await first.admits(other) and await second.admits(other)
            cookie = scope("/people", cookie="session=abc")
            assert await first.admits(cookie)
            # what is made up, or added to what is known, is one caller: its address, or its owner
            began = time.monotonic()
            told = 0
            for number in range(90):
                made_up = scope("/people", "10.0.0.9", cookie=f"session={number}")
                told += await first.admits(made_up)
                added = scope("/people", "10.0.0.8", cookie=f"session=abc; x={number}")
                first.let_in(added, "session:1")
                told += await first.admits(added)
            assert 4 * RATE <= told <= 2 * RATE * (2 + time.monotonic() - began)
            # a made-up header opens no other bucket for webhooks: they go by address
            reports = [
                scope("/webhooks/main/receipts", authorization=str(number)) for number in range(90)
            ]
            told = sum([await first.admits(report) for report in reports])
            assert 2 * RATE <= told <= RATE * (2 + time.monotonic() - began)
            assert await first.admits(scope("/webhooks/main/receipts", "10.0.0.2"))
            assert all([await first.admits(scope("/healthz")) for _ in range(50)])
        finally:
            await first.close()
            await second.close()

    asyncio.run(ask())
    client = redis_client(limited.broker_url)
    kept = b" ".join(client.scan_iter("requests:*"))
    assert kept and not any(word in kept for word in (b"one", b"Bearer", b"10.0.0.1"))


def test_without_redis_everybody_is_admitted(limited: Settings) -> None:
    async def ask() -> list[bool]:
        limits = Limits(limited.model_copy(update={"redis_url": "redis://127.0.0.1:9"}))
        asked = [await limits.admits(scope("/webhooks/main/receipts")) for _ in range(200)]
        await limits.close()
        return asked

    assert all(asyncio.run(ask()))


@pytest.fixture
def door_settings(plain_settings: Settings, limited: Settings) -> Settings:
    # four at once: two who are let in, and the first two of those who are not, count by address
    return plain_settings.model_copy(update={"requests_per_second": 2, "webhooks_per_second": 1})


def _session(floor: Floor) -> str:
    accounts.add(floor.service, ADMINISTRATOR, "mori", "森", Role.STAFF)
    found = accounts.find(floor.service, "mori")
    assert found
    with floor.service.engine.begin() as connection:
        return sessions.open_session(connection, found.id, "", "")


def test_a_flood_is_turned_away_and_told_to_wait(floor: Floor, door: Door) -> None:
    cookie = {"session": _session(floor)}

    def page() -> int:
        address = f"{door.stack.web_url}/account/password"
        return requests.get(address, cookies=cookie, timeout=20).status_code

    assert (door.api("/api/calls", [])[0], page()) == (200, 200)
    asked = [door.api("/api/calls", [], token=f"contact_{n}") for n in range(30)]
    assert {status for status, _ in asked} == {401, 429}
    assert all("too many requests" in answer for status, answer in asked if status == 429)
    # somebody else is not kept waiting
    assert (door.api("/api/calls", [])[0], page()) == (200, 200)
    path = "/webhooks/simulated/receipts"
    forged = {door.report(path, sms(), signature="x")[0] for _ in range(60)}
    assert forged == {403, 429}


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", ["/sign-in", "/webhooks/simulated/receipts"])
def test_a_body_that_is_too_large_is_refused_before_it_ends(
    floor: Floor, door: Door, path: str, announced: bool
) -> None:
    """Announced or not: what comes piece by piece is counted while it comes."""
    where = urlsplit(door.stack.web_url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as line:
        length = "Content-Length: 99999999" if announced else "Transfer-Encoding: chunked"
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\n{length}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode()
        )
        piece = b"a=" + b"b" * 65_534
        with suppress(ConnectionError):  # it may hang up on who goes on
            for _ in range(2 * MOST_BODY_BYTES // len(piece)):
                line.sendall(piece if announced else b"%x\r\n%b\r\n" % (len(piece), piece))
        answer = line.recv(65_536)  # although we have more to say
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
