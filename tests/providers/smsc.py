"""A message centre's end of SMPP 3.4, with faults on demand; written from the specification."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

BIND, SUBMIT, DELIVER, QUERY, UNBIND, ENQUIRE = 0x09, 0x04, 0x05, 0x03, 0x06, 0x15
RESPONSE = 0x8000_0000


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    command: int
    sequence: int
    body: bytes


@dataclass(frozen=True)
class Submitted:
    """A ``submit_sm`` taken apart."""

    source: str
    to: str
    ton: int
    esm_class: int
    registered: int
    coding: int
    message: bytes
    payload: bytes

    @classmethod
    def of(cls, body: bytes) -> Submitted:
        place = 0

        def text() -> str:
            nonlocal place
            end = body.index(0, place)
            said, place = body[place:end].decode("ascii"), end + 1
            return said

        def octet() -> int:
            nonlocal place
            place += 1
            return body[place - 1]

        text()
        octet(), octet()
        source = text()
        ton, _ = octet(), octet()
        to = text()
        esm_class = octet()
        octet(), octet()
        text(), text()
        registered = octet()
        octet()
        coding = octet()
        octet()
        length = octet()
        message = body[place : place + length]
        rest, payload = body[place + length :], b""
        while rest:
            tag, size = struct.unpack(">HH", rest[:4])
            if tag == 0x0424:
                payload = rest[4 : 4 + size]
            rest = rest[4 + size :]
        return cls(source, to, ton, esm_class, registered, coding, message, payload)


Behaviour = Callable[["Smsc", asyncio.StreamWriter, Request], Awaitable[None]]


@dataclass
class Smsc:
    """A listening centre: what it saw, and what it does next."""

    port: int = 0
    seen: list[Request] = field(default_factory=list)
    connections: int = 0
    enquired: int = 0
    acknowledged: list[int] = field(default_factory=list)
    plan: deque[Behaviour] = field(default_factory=deque)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    answers_enquiries: bool = True

    @property
    def origin(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def submitted(self) -> list[Submitted]:
        return [Submitted.of(one.body) for one in self.seen if one.command == SUBMIT]

    def then(self, *behaviours: Behaviour) -> Smsc:
        self.plan.extend(behaviours)
        return self

    def cut(self) -> None:
        """Break every connection."""
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size, command, status, sequence = struct.unpack(
                    ">LLLL", await reader.readexactly(16)
                )
                body = await reader.readexactly(size - 16)
                await self.take(writer, Request(command, sequence, body), status)

    async def take(self, writer: asyncio.StreamWriter, request: Request, status: int) -> None:
        match request.command:
            case 0x09:
                at_bind = bool(self.plan) and getattr(self.plan[0], "at_bind", False)
                behaviour = self.plan.popleft() if at_bind else bound
                await behaviour(self, writer, request)
            case 0x15:
                self.enquired += 1
                if self.answers_enquiries:
                    writer.write(pdu(ENQUIRE | RESPONSE, 0, request.sequence))
            case 0x06:
                writer.write(pdu(UNBIND | RESPONSE, 0, request.sequence))
            case 0x80000005:
                self.acknowledged.append(status)
            case command if command & RESPONSE:
                pass
            case _:
                self.seen.append(request)
                await self.plan.popleft()(self, writer, request)


@asynccontextmanager
async def smsc(tls: ssl.SSLContext | None = None) -> AsyncIterator[Smsc]:
    """A centre that listens on loopback while the block runs."""
    result, tasks = Smsc(), set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(result.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    result.port = server.sockets[0].getsockname()[1]
    try:
        yield result
    finally:
        result.stopped.set()
        server.close()
        for task in tasks:
            task.cancel()
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(error, Exception) and not isinstance(error, ConnectionError):
                raise error


async def bound(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
    writer.write(pdu(BIND | RESPONSE, 0, request.sequence, b"SMSC\0"))


def refuse_bind(status: int) -> Behaviour:
    async def behave(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
        writer.write(pdu(BIND | RESPONSE, status, request.sequence))

    behave.at_bind = True  # type: ignore[attr-defined]
    return behave


def bound_then(*deliveries: bytes) -> Behaviour:
    """Accept the bind and bring these ``deliver_sm`` bodies at once."""

    async def behave(centre: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
        answer = pdu(BIND | RESPONSE, 0, request.sequence, b"SMSC\0")
        # in one piece with the answer, as centres with a queue do
        writer.write(
            answer + b"".join(pdu(DELIVER, 0, 900 + n, body) for n, body in enumerate(deliveries))
        )

    behave.at_bind = True  # type: ignore[attr-defined]
    return behave


def accept(ref: str) -> Behaviour:
    return respond(0, ref.encode() + b"\0")


def respond(status: int, body: bytes = b"") -> Behaviour:
    """An answer to whatever was asked."""

    async def behave(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
        writer.write(pdu(request.command | RESPONSE, status, request.sequence, body))

    return behave


def state(ref: str, number: int, at: bytes) -> Behaviour:
    return respond(0, ref.encode() + b"\0" + at + b"\0" + bytes((number, 0)))


async def hang(centre: Smsc, _: asyncio.StreamWriter, __: Request) -> None:
    """The request is read, and nothing more happens."""


hang.silent = True  # type: ignore[attr-defined]


async def reset(_: Smsc, writer: asyncio.StreamWriter, __: Request) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close(_: Smsc, writer: asyncio.StreamWriter, __: Request) -> None:
    writer.close()


async def unbind(_: Smsc, writer: asyncio.StreamWriter, __: Request) -> None:
    writer.write(pdu(UNBIND, 0, 77))


async def nack(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
    writer.write(pdu(RESPONSE, 0x03, request.sequence))


async def half(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
    """Half an answer, then a reset."""
    writer.write(pdu(request.command | RESPONSE, 0, request.sequence, b"4000001\0")[:18])
    await writer.drain()
    writer.transport.abort()


async def garbage(_: Smsc, writer: asyncio.StreamWriter, __: Request) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def huge(_: Smsc, writer: asyncio.StreamWriter, __: Request) -> None:
    writer.write(struct.pack(">LLLL", 0x7FFF_FFFF, SUBMIT | RESPONSE, 0, 1))


async def for_another(_: Smsc, writer: asyncio.StreamWriter, request: Request) -> None:
    """An answer to what was never asked, then the end."""
    writer.write(pdu(request.command | RESPONSE, 0, request.sequence + 1000, b"1\0"))
    await writer.drain()
    writer.close()


def delivery(
    message: bytes,
    *,
    esm_class: int = 0x04,
    coding: int = 0,
    source: str = "819012345678",
    tlvs: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """The body of a ``deliver_sm``."""
    extra = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tlvs)
    return (
        b"\0\x01\x01" + source.encode() + b"\0\x00\x01" + b"0354321111\0"
        + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(message))) + message + extra
    )  # fmt: skip


def receipt_text(ref: str, status: str) -> bytes:
    return (
        f"id:{ref} sub:001 dlvrd:001 submit date:2610261000 done date:2610261001 "
        f"stat:{status} err:000 text:hello"
    ).encode()
