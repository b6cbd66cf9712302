"""The media process's HTTP door for workers, and running the whole process."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import uvicorn

from providers.sip import instructions as wording
from providers.sip import reports
from providers.sip.journal import Entry
from providers.sip.media import Media, Order, Reaction
from providers.sip.options import SipOptions

log = logging.getLogger(__name__)

_MOST_BYTES = 64 * 1024
_PAGE = 200
#: How long a stop waits for residents to finish what they are hearing.
PATIENCE_SECONDS = 25.0

Message: TypeAlias = MutableMapping[str, Any]


class Door:
    """An ASGI application: place a call, find one, list, and how the trunk is."""

    def __init__(self, media: Media) -> None:
        self._media = media
        token = wording.control_token(media.options.secret.get_secret_value())
        self._token = f"Bearer {token}".encode()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(given, self._token):
            reaction = await self._react(scope["method"], scope["path"], receive)
        else:
            reaction = Reaction(401, {"fault": "credentials"})
        headers = [(b"content-type", b"application/json")]
        if reaction.retry_after is not None:
            headers.append((b"retry-after", str(reaction.retry_after).encode()))
        body = json.dumps(reaction.document).encode()
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": reaction.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _react(
        self, method: str, path: str, receive: Callable[[], Awaitable[Message]]
    ) -> Reaction:
        media = self._media
        if (method, path) == ("GET", "/health"):
            return Reaction(200, {"trunk": media.agent.fault, "calls": media.agent.calls})
        if method != "POST":
            return Reaction(404, {})
        try:
            asked = await _document(receive)
            match path:
                case "/calls":
                    return await media.place(_order(asked))
                case "/calls/instruct":
                    steps = wording.loaded(asked["instructions"])
                    return Reaction(200, {"known": media.instruct(str(asked["ref"]), steps)})
                case "/calls/find":
                    return await asyncio.to_thread(self._find, asked)
                case "/calls/list":
                    return await asyncio.to_thread(self._list, asked)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return Reaction(400, {"fault": type(error).__name__})
        return Reaction(404, {})

    def _find(self, asked: dict[str, Any]) -> Reaction:
        entry = self._media.journal.find(str(asked["ref"]))
        if entry is None:
            return Reaction(200, {"known": False})
        return Reaction(200, {"known": True, "call": _told(entry)})

    def _list(self, asked: dict[str, Any]) -> Reaction:
        since = datetime.fromisoformat(str(asked["since"]))
        if since.tzinfo is None:
            raise ValueError("an instant without a zone")
        found = self._media.listed(str(asked["to"]), since, str(asked.get("after", "")), _PAGE)
        after = found[-1].ref if len(found) == _PAGE else ""
        return Reaction(200, {"calls": [_told(entry) for entry in found], "after": after})


def _told(entry: Entry) -> dict[str, str]:
    return {**reports.form_of(entry), "CreatedAt": entry.created_at.isoformat()}


def _order(asked: dict[str, Any]) -> Order:
    url = asked.get("receipts_url")
    return Order(
        reference=str(asked["reference"]),
        to=wording.number(asked["to"]),
        instructions_url=str(asked["instructions_url"]),
        receipts_url=str(url) if url is not None else None,
        ring_seconds=min(max(float(asked["ring_seconds"]), 1.0), 300.0),
    )


async def _document(receive: Callable[[], Awaitable[Message]]) -> dict[str, Any]:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST_BYTES:
            raise ValueError("too large")
        if not message.get("more_body"):
            break
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def serve(options: SipOptions, now: Callable[[], datetime], ready: Callable[[], None]) -> None:
    """Run the media process until SIGTERM or SIGINT. Raises ``OSError`` when a port is taken."""
    asyncio.run(_serve(options, now, ready))


async def _serve(
    options: SipOptions, now: Callable[[], datetime], ready: Callable[[], None]
) -> None:
    media = Media(options, now)
    await media.open()
    address = urlsplit(options.media_url)
    config = uvicorn.Config(
        Door(media),
        host=address.hostname or "127.0.0.1",
        port=address.port or (443 if address.scheme == "https" else 80),
        ssl_certfile=options.certificate,  # with its key
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started and not running.done():
        await asyncio.sleep(0.02)
    if server.started:
        ready()
    try:
        await running
    finally:
        await media.close(PATIENCE_SECONDS)
