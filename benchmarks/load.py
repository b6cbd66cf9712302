"""Signed reports to a webhook, so many connections at once, as a process of its own.

Requests are made before the clock starts: what is measured is the other side. Without a rate, each
connection sends the next report when the last one is answered (a closed loop: how many it takes).
With one, reports come at random moments, so many a second, whoever is still waiting (an open loop:
how long each takes), and the time of each counts from the moment it came, not from when a
connection was free for it.

    python -m benchmarks.load HOST PORT CONNECTIONS [PER_SECOND] < attempts (id, sid)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections import deque
from typing import Any
from urllib.parse import urlencode

import uvloop

from benchmarks.office import ACCOUNT, CARRIER, TOKEN


def report(host: str, port: int, attempt: str, sid: str, status: str) -> bytes:
    """One request, signed as Twilio signs."""
    path = f"/webhooks/{CARRIER}/receipts/{attempt}"
    form = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": "+81354321111",
        "MessageSid": sid, "MessageStatus": status, "SmsSid": sid, "SmsStatus": status,
        "To": "+819012345678",
    }  # fmt: skip
    said = f"http://{host}:{port}{path}" + "".join(k + form[k] for k in sorted(form))
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), said.encode(), hashlib.sha1))
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nX-Twilio-Signature: {signature.decode()}"
        "\r\nContent-Type: application/x-www-form-urlencoded\r\nUser-Agent: TwilioProxy/1.1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Queue:
    """Reports to send and how it went."""

    def __init__(self, requests: list[bytes], per_second: float | None) -> None:
        self.taken: list[float] = []
        self.statuses: list[bytes] = []
        self._requests = requests
        self._came: list[float] = []  # moments still to come, the next one last
        # whoever has rested longest goes next: a server closes what rests for seconds
        self._idle: deque[_Connection] = deque()
        if per_second:
            chance, at = random.Random(1), time.perf_counter()
            for _ in requests:
                at += chance.expovariate(per_second)
                self._came.append(at)
            self._came.reverse()

    def next_for(self, connection: _Connection) -> None:
        """Give a free connection its next report, now or when it comes."""
        if not self._requests:
            connection.close()
        elif not self._came:
            connection.send(self._requests.pop(), time.perf_counter())
        elif (came := self._came[-1]) <= time.perf_counter():
            self._came.pop()
            connection.send(self._requests.pop(), came)
        else:
            self._idle.append(connection)
            if len(self._idle) == 1:
                self._wait()

    def _wait(self) -> None:
        delay = max(0.0, self._came[-1] - time.perf_counter())
        asyncio.get_running_loop().call_later(delay, self._one_came)

    def _one_came(self) -> None:
        self.next_for(self._idle.popleft())
        if not self._came:
            while self._idle:
                self._idle.pop().close()
        elif self._idle:
            self._wait()


class _Connection(asyncio.Protocol):
    def __init__(self, queue: _Queue) -> None:
        self._queue = queue
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._queue.next_for(self)

    def data_received(self, data: bytes) -> None:
        # an answer without a body comes in one piece
        self._queue.taken.append(time.perf_counter() - self._began)
        self._queue.statuses.append(data[9:12])
        self._queue.next_for(self)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def send(self, request: bytes, began: float) -> None:
        """Send a report that came at ``began``."""
        self._began = began
        self._transport.write(request)

    def close(self) -> None:
        """There is nothing more to send."""
        self._transport.close()


async def _run(host: str, port: int, connections: int, per_second: float | None) -> None:
    requests = [
        report(host, port, *line.split(), "delivered")  # type: ignore[call-arg]
        for line in sys.stdin.read().splitlines()
    ]
    sent, loop = len(requests), asyncio.get_running_loop()
    began, queue = time.perf_counter(), _Queue(requests, per_second)
    opened = [
        await loop.create_connection(lambda: _Connection(queue), host, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.over for _, protocol in opened))
    seconds = time.perf_counter() - began
    taken = sorted(queue.taken)
    answered = sum(status == b"204" for status in queue.statuses)
    print(
        json.dumps(
            {
                "sent": sent,
                "answered": answered,
                "per_second": answered / seconds,
                "p50_ms": 1000 * taken[len(taken) // 2],
                "p99_ms": 1000 * taken[int(len(taken) * 0.99)],
            }
        )
    )


if __name__ == "__main__":
    rate = float(sys.argv[4]) if sys.argv[4:] else None
    uvloop.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), rate))
