"""A registrar and nothing else: reads REGISTER and OPTIONS by itself, knows RFC 2617 by hashlib."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@dataclass
class Registrar(asyncio.DatagramProtocol):
    """``granted``: seconds it keeps an address; ``least``: that it keeps it for."""

    user: str
    password: str
    granted: int = 60
    least: int = 0
    silent: bool = False
    challenged: int = 0
    taken: list[dict[str, str]] = field(default_factory=list)
    """Headers of every REGISTER that proved who it came from."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str | int, ...]) -> None:
        first, *rest = data.decode().split("\r\n\r\n")[0].split("\r\n")
        method, uri, _ = first.split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)
        }
        if not self.silent:
            status, more = self._answer(method, uri, headers)
            copied = [f"{name}: {headers[name]}" for name in ("via", "from", "call-id", "cseq")]
            answer = [f"SIP/2.0 {status} x", *copied, f"to: {headers['to']};tag=r", *more]
            assert self._transport is not None
            self._transport.sendto(
                "\r\n".join([*answer, "Content-Length: 0", "", ""]).encode(), source
            )
        self.changed.set()

    def _answer(self, method: str, uri: str, headers: dict[str, str]) -> tuple[int, list[str]]:
        if method != "REGISTER":
            return 200, []
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', headers.get("authorization", "")))
        if not self._proven(method, uri, given):
            self.challenged += 1
            return 401, [f'WWW-Authenticate: Digest realm="office", nonce="{NONCE}", qop="auth"']
        if int(headers["expires"]) < self.least:
            return 423, [f"Min-Expires: {self.least}"]
        self.taken.append(headers)
        contact = headers["contact"]
        return 200, [
            f"Contact: <sip:another@192.0.2.1>;expires=3, {contact};expires={self.granted}"
        ]

    def _proven(self, method: str, uri: str, given: dict[str, str]) -> bool:
        if given.get("username") != self.user or given.get("uri") != uri:
            return False
        secret = _md5(f"{self.user}:office:{self.password}")
        parts = (secret, NONCE, given["nc"], given["cnonce"], "auth", _md5(f"{method}:{uri}"))
        return given["response"] == _md5(":".join(parts))

    async def until(self, taken: int, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while len(self.taken) < taken:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def listening(registrar: Registrar, port: int) -> AsyncIterator[Registrar]:
    """The registrar on a port of loopback."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: registrar, local_addr=("127.0.0.1", port)
    )
    try:
        yield registrar
    finally:
        transport.close()
