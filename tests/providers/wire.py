"""A carrier's end of the wire: raw HTTP/1.1 over sockets, with faults on demand."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> list[tuple[str, str]]:
        return sorted(parse_qsl(self.body, keep_blank_values=True, strict_parsing=True))


Behaviour = Callable[["Wire", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Wire:
    """A listening carrier: what it saw, and what it does next."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    plan: deque[Behaviour] = field(default_factory=deque)
    always: Behaviour | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def then(self, *behaviours: Behaviour) -> Wire:
        self.plan.extend(behaviours)
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.seen.append(await _request(reader))
                behaviour = self.plan.popleft() if self.plan else self.always
                assert behaviour is not None, "a request that the test did not plan for"
                await behaviour(self, writer)
                await writer.drain()
                if writer.transport.is_closing():
                    return


async def _request(reader: asyncio.StreamReader) -> Seen:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
    method, target, _ = start.split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
        if name
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Seen(
        method,
        parts.path,
        parse_qs(parts.query, strict_parsing=bool(parts.query)),
        headers,
        body.decode("utf-8", errors="surrogateescape"),
    )


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """A carrier that listens on loopback while the block runs."""
    result = Wire()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(result._serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    result.port = server.sockets[0].getsockname()[1]
    try:
        yield result
    finally:
        result.stopped.set()
        server.close()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, AssertionError):
                raise error


def refusing_origin() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def answer(
    status: int,
    body: object,
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Behaviour:
    """A whole answer; the connection stays open. What is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {
        "Content-Type": content_type,
        "Content-Length": str(len(content)),
        **(headers or {}),
    }

    async def behave(_: Wire, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, fields) + content)

    return behave


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def reset_mid_answer(status: int) -> Behaviour:
    """Half an answer, then a reset."""

    async def behave(_: Wire, writer: asyncio.StreamWriter) -> None:
        fields = {"Content-Type": "application/json", "Content-Length": "4000"}
        writer.write(head(status, fields) + b'{"sid": "')
        await writer.drain()
        _reset(writer)

    return behave


async def reset_unanswered(_: Wire, writer: asyncio.StreamWriter) -> None:
    """The request is read whole, then the connection is reset."""
    _reset(writer)


async def close_unanswered(_: Wire, writer: asyncio.StreamWriter) -> None:
    """The request is read whole, then the connection is closed in good order."""
    writer.close()


async def hang(carrier: Wire, _: asyncio.StreamWriter) -> None:
    """The request is read whole, and nothing more happens."""
    await carrier.stopped.wait()


def then_close(behaviour: Behaviour) -> Behaviour:
    """Answer, and close the connection without having said so."""

    async def behave(carrier: Wire, writer: asyncio.StreamWriter) -> None:
        await behaviour(carrier, writer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return behave


def endless(status: int) -> Behaviour:
    """An answer without an end."""

    async def behave(_: Wire, writer: asyncio.StreamWriter) -> None:
        fields = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        writer.write(head(status, fields))
        block = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        while not writer.transport.is_closing():
            writer.write(block)
            await writer.drain()

    return behave


async def trickle(carrier: Wire, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on, a little at a time, until the other side leaves."""
    fields = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    writer.write(head(201, fields))
    while not (writer.transport.is_closing() or carrier.stopped.is_set()):
        writer.write(b"1\r\n \r\n")
        with suppress(TimeoutError):
            await asyncio.wait_for(carrier.stopped.wait(), 0.05)
