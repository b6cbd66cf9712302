"""A carrier that accepts everything at once, as a process of its own.

It speaks as much of Twilio's API as a message needs. It must be much faster than any client, or
it would hide a fast one: one parser in C, one write a request, no framework.

    python -m benchmarks.stub PORT LATENCY_MS
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import httptools
import uvloop

_BODY = (
    b'{"account_sid": "AC00000000000000000000000000000000", "api_version": "2010-04-01", '
    b'"body": null, "date_created": "Mon, 26 Oct 2026 01:00:00 +0000", "date_sent": null, '
    b'"date_updated": "Mon, 26 Oct 2026 01:00:00 +0000", "direction": "outbound-api", '
    b'"error_code": null, "error_message": null, "from": "+81354321111", '
    b'"messaging_service_sid": null, "num_media": "0", "num_segments": "2", "price": null, '
    b'"price_unit": "JPY", "sid": "%s", "status": "queued", "subresource_uris": {}, '
    b'"to": "+819000000000", "uri": "/2010-04-01/Messages.json"}'
)
_LENGTH = len(_BODY % (b"0" * 34))
_ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % _LENGTH + _BODY
)
#: What a GET is told: how many were accepted.
_COUNT = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d"
_PREFIX = b"SM" + os.urandom(8).hex().encode()
_accepted = 0


class _Connection(asyncio.Protocol):
    """One client's connection; requests may be pipelined."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        global _accepted
        if self._parser.get_method() == b"GET":
            self._transport.write(_COUNT % (len(str(_accepted)), _accepted))
            return
        _accepted += 1
        answer = _ANSWER % (_PREFIX + b"%016x" % _accepted)
        if self._latency:
            self._loop.call_later(self._latency, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def _serve(port: int, latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency), "127.0.0.1", port, backlog=4096)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
