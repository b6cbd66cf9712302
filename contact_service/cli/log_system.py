"""The way to the office's log system: syslog over UDP, TCP or TLS.

The standard library's ``SysLogHandler`` counts no octets, knows no TLS and drops what it cannot
send: an audit log's lines must arrive, or the command must fail.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

#: So long a log system that does not answer is waited for.
PATIENCE = 10.0
#: Where it listens when nothing else is said (RFC 5426, 6587, 5425).
USUAL_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}


class Transport(StrEnum):
    """How syslog gets there."""

    UDP = "udp"
    """One datagram a line (RFC 5426): nobody knows whether it arrived."""
    TCP = "tcp"
    TLS = "tls"
    """TCP, encrypted, the log system's certificate checked (RFC 5425)."""


def address(said: str, transport: Transport) -> tuple[str, int]:
    """Host and port of ``HOST``, ``HOST:PORT`` or ``[ADDRESS]:PORT``. Raises ``ValueError``."""
    host, bracket, rest = said.partition("]")
    if bracket:
        host, port = host.removeprefix("["), rest.removeprefix(":")
    else:
        host, _, port = said.partition(":")
    number = int(port) if port else USUAL_PORTS[transport]
    if not host or not 0 < number < 65536:
        raise ValueError(said)
    return host, number


@contextmanager
def way(
    host: str, port: int, transport: Transport, trusted: Path | None = None
) -> Iterator[Callable[[str], object]]:
    """Gives what sends one message. When the block ends, all were taken by the other side's system
    (UDP: handed to the network). Raises ``OSError``, of which ``ssl.SSLError`` is one."""
    if transport is Transport.UDP:
        with socket.socket(*_datagrams(host, port)) as out:
            out.connect((host, port))
            yield lambda message: out.send(message.encode())
        return
    with socket.create_connection((host, port), timeout=PATIENCE) as plain:
        if transport is Transport.TCP:
            yield lambda message: plain.sendall(_counted(message.encode()))
            plain.shutdown(socket.SHUT_WR)
            _wait_for_end(plain)
            return
        context = ssl.create_default_context(cafile=trusted)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname=host) as sealed:
            yield lambda message: sealed.sendall(_counted(message.encode()))
            # it may close without saying so, or not at all: it has been told that we end
            with suppress(TimeoutError, ssl.SSLError):
                sealed.unwrap()


def _datagrams(host: str, port: int) -> tuple[int, int]:
    family, kind, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    return family, kind


def _wait_for_end(connection: socket.socket) -> None:
    """Until the other side has closed too: a refusal in between is an error here, not a loss."""
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        pass  # it keeps connections open


def _counted(message: bytes) -> bytes:
    """A message on a stream, by octet counting (RFC 6587, 3.4.1; RFC 5425, 4.3)."""
    return b"%d %b" % (len(message), message)
