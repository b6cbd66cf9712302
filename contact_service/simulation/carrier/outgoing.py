"""Signed requests from the carrier to its customer."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import RequestError
from pyreqwest.http import Url

#: The carrier gives a customer's server this long, as Twilio does.
PATIENCE = timedelta(seconds=15)
CONCURRENT = 32


class NoAnswer(Exception):
    """No usable HTTP answer came."""


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """``X-Twilio-Signature``: base64 of HMAC-SHA1 over the address, query included, followed
    by the form's fields sorted by name (Twilio, "Validating requests")."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


@dataclass(frozen=True, slots=True)
class Reply:
    """A customer's answer."""

    status: int
    body: str


class Outgoing:
    """Posts signed forms; few at once, so that a burst does not bury the customer."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._client = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(False)
            .timeout(PATIENCE)
            .max_connections(CONCURRENT)
            .user_agent("TwilioProxy/1.1 (simulated)")
            .build()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._client.close()

    async def send(self, method: str, url: str, form: Mapping[str, str]) -> Reply:
        """One signed request. Raises :class:`NoAnswer` when the network fails or times out,
        or the address is none."""
        if not is_address(url):
            raise NoAnswer("not an address")
        headers = {"Accept": "*/*"}
        if method == "GET":
            url = _with_query(url, form)
            headers["X-Twilio-Signature"] = sign(self._token, url, {})
            request = self._client.get(url).headers(headers)
        else:
            headers["X-Twilio-Signature"] = sign(self._token, url, form)
            request = self._client.post(url).headers(headers).form(dict(form))
        try:
            answer = await request.build().send()
            return Reply(answer.status, await answer.text())
        except RequestError as fault:
            raise NoAnswer(type(fault).__name__) from fault


def is_address(url: str) -> bool:
    """Whether ``url`` is an absolute http(s) address."""
    if not Url.is_valid(url):
        return False
    parsed = Url(url)
    return parsed.scheme in ("http", "https") and bool(parsed.host_str)


def _with_query(url: str, form: Mapping[str, str]) -> str:
    if not form:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(form)}"
