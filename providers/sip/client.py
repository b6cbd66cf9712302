"""HTTP between workers, media process and web: bounded, exact about what may have left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Of all failures only this stage comes before anything is written
# (docs/decisions/0002-twilio-sdk-over-pyreqwest.md).
_WHILE_CONNECTING = "client error (Connect)"
#: One certificate of a file that may hold several.
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


class NotSent(Exception):
    """No connection was made, so provably no part of the request left."""


class MaybeSent(Exception):
    """The request, or a part of it, may have left; no usable answer came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    content_type: str
    body: bytes
    retry_after: str | None = None

    def json(self) -> Any:
        """The body. Raises ``ValueError`` when it is not JSON by its type and content."""
        if "json" not in self.content_type:
            raise ValueError("not JSON")
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def client(connect_seconds: float, total_seconds: float, trusted: Iterable[Path] = ()) -> Client:
    """A client without proxies and redirects, with time-outs, that believes the authorities in
    the files ``trusted``, too. Raises ``OSError`` when one of those cannot be read."""
    builder = (
        ClientBuilder()
        .no_proxy()
        .follow_redirects(False)
        .referer(False)
        .connect_timeout(timedelta(seconds=connect_seconds))
        .timeout(timedelta(seconds=total_seconds))
        .pool_idle_timeout(timedelta(seconds=10))
    )
    for path in trusted:
        for authority in _CERTIFICATE.findall(path.read_bytes()):
            builder = builder.add_root_certificate_pem(authority)
    return builder.build()


async def exchange(
    using: Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    document: object = None,
    most_bytes: int = MAX_ANSWER_BYTES,
) -> Reply:
    """One request with a form or a JSON document. Raises :class:`NotSent`, :class:`MaybeSent`."""
    request = using.request(method, url)
    sent = dict(headers or {})
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        request = request.body_bytes(urlencode(form).encode("ascii"))
    elif document is not None:
        sent["Content-Type"] = "application/json"
        request = request.body_bytes(json.dumps(document).encode())
    if sent:
        request = request.headers(sent)
    try:
        async with request.build_streamed() as response:
            body = bytearray()
            while chunk := await response.body_reader.read_chunk():
                body += chunk
                if len(body) > most_bytes:
                    raise MaybeSent(f"{response.status}, more than {most_bytes} bytes")
            return Reply(
                response.status,
                response.get_header("content-type") or "",
                bytes(body),
                response.get_header("retry-after"),
            )
    except PyreqwestError as error:
        why = "timed out" if isinstance(error, TimeoutError) else "failed"
        if isinstance(error, DetailedPyreqwestError) and any(
            cause["message"] == _WHILE_CONNECTING for cause in error.details["causes"] or ()
        ):
            raise NotSent(f"no connection: {why}") from None
        raise MaybeSent(f"no usable answer: {why}") from None
