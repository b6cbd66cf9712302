"""HTTP to carriers, over pyreqwest: pooled, bounded in time and size, exact about what left.

No redirects, no proxies from the environment, nothing logged: addresses and bodies hold
telephone numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError
from pyreqwest.response import Response

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A page of a listing takes far less; whatever is longer is not the carrier's."""

# pyreqwest raises ConnectError and ConnectTimeoutError for whatever goes wrong before the
# answer's first byte, also long after the request has left; the exception's class proves
# nothing. The stage at which the HTTP engine failed is named in the chain of causes, and only
# this one comes before anything is written. Should its wording ever change, "not sent" becomes
# "maybe sent": slower, never twice. docs/decisions/0002-twilio-sdk-over-pyreqwest.md
_WHILE_CONNECTING = "client error (Connect)"
_LONGEST_PAUSE = timedelta(hours=1)


class NotSent(Exception):
    """No connection was made, so provably no part of the request left."""


class MaybeSent(Exception):
    """The request, or a part of it, may have left; no usable answer came."""


class ServerFault(MaybeSent):
    """The answer is neither an acceptance nor a refusal: 3xx, 408 or 5xx."""


class TooManyRequests(Exception):
    """429: not taken. ``retry_after`` is what the answer asked for, if it did."""

    def __init__(self, retry_after: timedelta | None) -> None:
        super().__init__("429")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. ``connect`` must be the shortest: when the total runs out while connecting,
    nobody can tell what left."""

    connect: float
    read: float
    total: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, read to its end."""

    status: int
    content_type: str
    body: bytes


Head = Callable[[str], str | None]
"""A header of the answer by its name in lower case."""


class HttpClient:
    """One carrier's connections. Use from one event loop."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._client: Client = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(False)
            .referer(False)
            .connect_timeout(timedelta(seconds=timeouts.connect))
            .read_timeout(timedelta(seconds=timeouts.read))
            .timeout(timedelta(seconds=timeouts.total))
            # Shorter than servers usually wait: a request on a connection that the far end is
            # just giving up ends in an outcome nobody knows.
            .pool_idle_timeout(timedelta(seconds=10))
            .build()
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, object] | None = None,
        auth: tuple[str, str] | None = None,
        judge: Callable[[int, Head], None] | None = None,
    ) -> HttpAnswer:
        """Send one request, with ``body`` or the fields of a ``form``, and read its answer. A
        field that is a list stands in the form once for each of its items. ``judge`` sees status
        and headers before the body is read, and may raise to leave it unread.

        Raises :class:`NotSent`, :class:`MaybeSent`, and what ``judge`` raises.
        """
        request = self._client.request(method, url)
        if form:  # before the headers: theirs is the content type that counts
            request = request.form(_fields(form))
        if headers:
            request = request.headers(dict(headers))
        if auth:
            request = request.basic_auth(*auth)
        if body is not None:
            request = request.body_bytes(body)
        try:
            async with request.build_streamed() as response:
                if judge is not None:
                    judge(response.status, response.get_header)
                return await _read(response)
        except PyreqwestError as error:
            # The library's own words quote the address, and with it a number.
            why = "timed out" if isinstance(error, TimeoutError) else "failed"
            if _failed_connecting(error):
                raise NotSent(f"no connection: {why}") from None
            raise MaybeSent(f"no usable answer: {why}") from None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()


def judge_status(status: int, header: Head) -> None:
    """What a status says by itself. Raises :class:`TooManyRequests` and :class:`ServerFault`."""
    if status == 429:
        raise TooManyRequests(retry_after(header("retry-after")))
    if not (200 <= status < 300 or 400 <= status < 500) or status == 408:
        raise ServerFault(f"HTTP {status}")


def retry_after(value: str | None) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds. A date would need a clock, and an adapter has none."""
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return min(timedelta(seconds=int(value[:9])), _LONGEST_PAUSE)


def _failed_connecting(error: PyreqwestError) -> bool:
    if not isinstance(error, DetailedPyreqwestError):
        return False
    return any(cause["message"] == _WHILE_CONNECTING for cause in error.details["causes"] or ())


def _fields(form: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, str(each))
        for name, value in form.items()
        for each in (value if isinstance(value, list | tuple) else (value,))
    ]


async def _read(response: Response) -> HttpAnswer:
    body = bytearray()
    while chunk := await response.body_reader.read_chunk():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise MaybeSent(f"{response.status}, more than {MAX_ANSWER_BYTES} bytes")
    content_type = (response.get_header("content-type") or "").lower()
    return HttpAnswer(response.status, content_type, bytes(body))
