"""Signed reports to a webhook, so many connections at once, as a process of its own.

Requests are made before the clock starts: what is measured is the other side. Each connection
sends the next report when the last one is answered.

    python -m benchmarks.load HOST PORT CONNECTIONS SECONDS < attempts (id, sid)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
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


class _Connection(asyncio.Protocol):
    def __init__(self, requests: list[bytes], taken: list[float], statuses: list[bytes]) -> None:
        self._requests, self._taken, self._statuses = requests, taken, statuses
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        # an answer without a body comes in one piece
        self._taken.append(time.perf_counter() - self._sent)
        self._statuses.append(data[9:12])
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _next(self) -> None:
        if not self._requests:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._requests.pop())


async def _run(host: str, port: int, connections: int) -> None:
    requests = [
        report(host, port, *line.split(), "delivered")  # type: ignore[call-arg]
        for line in sys.stdin.read().splitlines()
    ]
    sent, taken, statuses = len(requests), list[float](), list[bytes]()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Connection(requests, taken, statuses), host, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.over for _, protocol in opened))
    seconds = time.perf_counter() - began
    taken.sort()
    answered = sum(status == b"204" for status in statuses)
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
    uvloop.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
