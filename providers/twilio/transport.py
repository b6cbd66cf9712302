"""The SDK's HTTP, over :mod:`providers.http`.

The SDK's own clients have no time-out unless told, the synchronous one follows the
environment's proxies, and both log addresses with telephone numbers in them. This one does not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from twilio.http import AsyncHttpClient
from twilio.http.response import Response as SdkResponse

from providers.http import Head, HttpClient, MaybeSent, NotSent, Timeouts, judge_status
from providers.twilio.options import TwilioOptions

#: The SDK writes addresses and parameters of requests to it, numbers among them.
logging.getLogger("twilio").setLevel(logging.CRITICAL)


class Transport(AsyncHttpClient):  # type: ignore[misc]  # the SDK is not typed
    """One account's connections. Use from one event loop."""

    def __init__(self, options: TwilioOptions) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=True)
        self._origin = options.base_url
        self._client = HttpClient(
            Timeouts(
                options.connect_timeout_seconds,
                options.read_timeout_seconds,
                options.total_timeout_seconds,
            )
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

        Only 2xx and 4xx answers are returned. Raises :class:`~providers.http.NotSent`,
        :class:`~providers.http.MaybeSent`, :class:`~providers.http.TooManyRequests`.
        """
        answer = await self._client.send(
            method,
            self._address(uri, params),
            headers=headers,
            form=data,
            auth=auth,
            judge=_judge,
        )
        # A refusal counts by its status, an acceptance by its identifier, which is ASCII.
        return SdkResponse(answer.status, answer.body.decode("utf-8", errors="replace"))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def _address(self, uri: str, params: Mapping[str, object] | None) -> str:
        parts = urlsplit(uri)
        if self._origin is None:
            # The SDK goes wherever a listing says that its next page is, password in hand.
            if parts.scheme != "https" or not (parts.hostname or "").endswith(".twilio.com"):
                raise NotSent("not an address of Twilio's")
        else:
            query = f"?{parts.query}" if parts.query else ""
            uri = f"{self._origin}{parts.path}{query}"
        if params:
            uri += ("&" if "?" in uri else "?") + urlencode(params, doseq=True)
        return uri


def _judge(status: int, header: Head) -> None:
    judge_status(status, header)
    if 200 <= status < 300 and "json" not in (header("content-type") or ""):
        raise MaybeSent(f"{status}, not JSON")
