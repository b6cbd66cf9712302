"""A write that names an ``Idempotency-Key`` is done once (draft-ietf-httpapi-idempotency-key).

The key is written down before the work begins and the answer after it. The same request again
within a day gets the first answer again. If the process died in between, nobody knows what
came of it: then it is not done again on a guess, but said so (409), and the caller looks.
A request that was refused leaves its key free.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Coroutine
from typing import IO, Any

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Row, text
from starlette.types import Message

from contact_service.bootstrap import Service
from contact_service.identity.tokens import Token
from contact_service.web.carrier import service_of

KEPT_HOURS = 24
#: Bytes: a larger body waits on the disk.
MOST_IN_MEMORY, BLOCK = 1_000_000, 65_536
LONGEST_KEY = 255
PLACE = "idempotency_key.body"
REPLAYED = "Idempotency-Replayed"


async def once(
    request: Request, token: Token, handle: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """Answer a write, or give its first answer again."""
    key = request.headers["idempotency-key"].strip()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise HTTPException(
            400,
            f"Idempotency-Keyは1～{LONGEST_KEY}文字にしてください / an Idempotency-Key has 1 to "
            f"{LONGEST_KEY} characters",
        )
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    with tempfile.SpooledTemporaryFile(MOST_IN_MEMORY) as body:
        fingerprint = await _kept(request, body, said)
        request = Request(request.scope, _Replay(request, body))
        return await _once(request, token, key, fingerprint, handle)


async def _once(
    request: Request,
    token: Token,
    key: str,
    fingerprint: bytes,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    service = service_of(request)
    known = await run_in_threadpool(_begin, service, token.id, key, fingerprint)
    if known is not None:
        return _again(service, known, fingerprint)
    done = False
    try:
        response = await handle(request)
        done = response.status_code < 300
    finally:
        if not done:
            await run_in_threadpool(_forget, service, token.id, key)
    if done:
        await run_in_threadpool(_keep, service, token.id, key, response)
    return response


async def _kept(request: Request, body: IO[bytes], said: bytes) -> bytes:
    """Keep a body, beside memory when it is large; the fingerprint of the whole request."""
    digest = hashlib.sha256(said)
    async for block in request.stream():
        digest.update(block)
        await run_in_threadpool(body.write, block)
    body.seek(0)
    return digest.digest()


class _Replay:
    """A body that was kept, told once more block by block."""

    def __init__(self, request: Request, body: IO[bytes]) -> None:
        self._after, self._body, self._told = request.receive, body, False

    async def __call__(self) -> Message:
        if self._told:
            return await self._after()  # whether the caller is still there
        block = await run_in_threadpool(self._body.read, BLOCK)
        self._told = not block
        return {"type": "http.request", "body": block, "more_body": bool(block)}


def _begin(service: Service, token_id: int, key: str, fingerprint: bytes) -> Row[Any] | None:
    """Write the key down; ``None`` when it is new, else what is known of it."""
    named = {"token": token_id, "key": key}
    with service.engine.begin() as connection:
        new = connection.scalar(
            text("""
            INSERT INTO idempotency_key AS k (token_id, key, fingerprint, begun_at)
            VALUES (:token, :key, :fingerprint, clock_timestamp())
            ON CONFLICT (token_id, key) DO UPDATE SET fingerprint = :fingerprint,
                begun_at = clock_timestamp(), status = NULL, media_type = NULL, body = NULL
            WHERE k.begun_at < clock_timestamp() - make_interval(hours => :hours)
            RETURNING 1
            """),
            named | {"fingerprint": fingerprint, "hours": KEPT_HOURS},
        )
        if new:
            return None
        found = connection.execute(
            text("""
            SELECT fingerprint, status, media_type, body FROM idempotency_key
            WHERE token_id = :token AND key = :key
            """),
            named,
        ).one_or_none()
    # gone meanwhile: the other request was refused, and the key is free again
    return found or _begin(service, token_id, key, fingerprint)


def _again(service: Service, known: Row[Any], fingerprint: bytes) -> Response:
    if bytes(known.fingerprint) != fingerprint:
        raise HTTPException(
            422,
            "このIdempotency-Keyは別の内容で使われています / this Idempotency-Key belongs to "
            "another request",
        )
    if known.status is None:
        raise HTTPException(
            409,
            "同じ要求を処理中か、結果が分からないままです。結果を確かめてから、新しいキーで"
            "送ってください / the same request is under way, or nobody knows what came of it: "
            "look before sending it with a new key",
            {"Retry-After": "5"},
        )
    body = service.vault.open(PLACE, bytes(known.body))
    return Response(
        body or None, known.status, headers={REPLAYED: "true"}, media_type=known.media_type
    )


def _keep(service: Service, token_id: int, key: str, response: Response) -> None:
    body = bytes(response.body).decode()
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE idempotency_key SET status = :status, media_type = :type, body = :body
            WHERE token_id = :token AND key = :key
            """),
            {
                "token": token_id,
                "key": key,
                "status": response.status_code,
                "type": response.headers.get("content-type"),
                "body": service.vault.seal(PLACE, body),
            },
        )


def _forget(service: Service, token_id: int, key: str) -> None:
    with service.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM idempotency_key WHERE token_id = :token AND key = :key"),
            {"token": token_id, "key": key},
        )
