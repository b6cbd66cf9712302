"""The SDK's HTTP, over pyreqwest: pooled, bounded in time and size, exact about what left.

The SDK's own clients have no time-out unless told, the synchronous one follows the
environment's proxies, and both log addresses with telephone numbers in them. This one does not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError
from pyreqwest.response import Response
from twilio.http import AsyncHttpClient
from twilio.http.response import Response as SdkResponse

from providers.twilio.options import TwilioOptions

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A page of the listing takes far less; whatever is longer is not Twilio's."""

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


class Transport(AsyncHttpClient):  # type: ignore[misc]  # the SDK is not typed
    """One account's connections. Use from one event loop."""

    def __init__(self, options: TwilioOptions) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=True)
        self._origin = options.base_url
        self._client: Client = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(False)
            .referer(False)
            .connect_timeout(timedelta(seconds=options.connect_timeout_seconds))
            .read_timeout(timedelta(seconds=options.read_timeout_seconds))
            .timeout(timedelta(seconds=options.total_timeout_seconds))
            # Shorter than servers usually wait: a request on a connection that the far end is
            # just giving up ends in an outcome nobody knows.
            .pool_idle_timeout(timedelta(seconds=10))
            .build()
        )

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> SdkResponse:
        """Send one request; the signature is the SDK's.

        Only 2xx and 4xx answers are returned. Raises :class:`NotSent`, :class:`MaybeSent`,
        :class:`TooManyRequests`.
        """
        request = self._client.request(method, self._address(uri, params))
        if headers:
            request = request.headers(headers)
        if auth:
            request = request.basic_auth(*auth)
        if data:
            request = request.body_bytes(urlencode(data, doseq=True).encode("ascii"))
        try:
            async with request.build_streamed() as response:
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

    def _address(self, uri: str, params: Mapping[str, object] | None) -> str:
        if self._origin is not None:
            parts = urlsplit(uri)
            query = f"?{parts.query}" if parts.query else ""
            uri = f"{self._origin}{parts.path}{query}"
        if params:
            uri += ("&" if "?" in uri else "?") + urlencode(params, doseq=True)
        return uri


def _failed_connecting(error: PyreqwestError) -> bool:
    if not isinstance(error, DetailedPyreqwestError):
        return False
    return any(cause["message"] == _WHILE_CONNECTING for cause in error.details["causes"] or ())


async def _read(response: Response) -> SdkResponse:
    if response.status == 429:
        raise TooManyRequests(_retry_after(response.get_header("retry-after")))
    if not (200 <= response.status < 300 or 400 <= response.status < 500) or response.status == 408:
        raise ServerFault(f"HTTP {response.status}")
    succeeded = 200 <= response.status < 300
    if succeeded and "json" not in (response.get_header("content-type") or ""):
        raise MaybeSent(f"{response.status}, not JSON")
    body = bytearray()
    while chunk := await response.body_reader.read_chunk():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise MaybeSent(f"{response.status}, more than {MAX_ANSWER_BYTES} bytes")
    # A refusal counts by its status, an acceptance by its identifier, which is ASCII.
    return SdkResponse(response.status, body.decode("utf-8", errors="replace"))


def _retry_after(value: str | None) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds. A date would need a clock, and an adapter has none."""
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return min(timedelta(seconds=int(value[:9])), _LONGEST_PAUSE)
