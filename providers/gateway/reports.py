"""Reports of a gateway: whether they are the carrier's, and what they say."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from providers.base import ForgedReceipt, Receipt, WebhookRequest
from providers.gateway import meaning
from providers.gateway.declaration import Receipts, Verification
from providers.gateway.template import fill
from providers.gateway.wire import Account, Unreadable, decode, dig, sign


def verify(request: WebhookRequest, how: Verification, account: Account) -> None:
    """Raises :class:`ForgedReceipt` unless the request shows what only the carrier knows."""
    secret = account.secrets[how.secret]
    given: str | None
    match how.kind:
        case "hmac":
            given = request.headers.get((how.header or "").lower())
            expected = how.prefix + sign(secret, request.body, how.encoding)
        case "bearer":
            given = request.headers.get("authorization")
            expected = f"Bearer {secret}"
        case "basic":
            given = request.headers.get("authorization")
            user = fill(how.user or "", _values(account.values))
            expected = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
        case "key":
            query = parse_qs(urlsplit(request.url).query)
            given = query[how.parameter or ""][0] if how.parameter in query else None
            expected = secret
    if given is None:
        raise ForgedReceipt("no signature")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ForgedReceipt("the signature does not fit")


def read(request: WebhookRequest, account: Account, reference: str | None) -> Sequence[Receipt]:
    """All reports in one request. Raises :class:`ForgedReceipt`; then none of them counts."""
    declared = account.declaration.receipts
    if declared is None:
        raise ForgedReceipt("this carrier does not report")
    verify(request, declared.verify, account)
    if declared.verify.kind == "hmac":
        # The signature covers the body, not the address: somebody could play an honest report
        # to another attempt's address. What the report names itself is believed, nothing else.
        reference = None
    report = declared.report or account.declaration.report
    try:
        return [
            meaning.receipt(account.declaration, report, item, reference=reference)
            for item in _items(request, declared, account)
        ]
    except Unreadable as error:
        raise ForgedReceipt(f"signed, but no report: {error}") from None


def _items(request: WebhookRequest, declared: Receipts, account: Account) -> list[Any]:
    said = decode(request.body, declared.format, account.declaration.encoding)
    if declared.items is None:
        return said if isinstance(said, list) else [said]
    items = dig(said, declared.items)
    if not isinstance(items, list):
        raise Unreadable("no list of reports")
    return items


def _values(values: Mapping[str, str]) -> dict[str, str]:
    return {f"value.{name}": value for name, value in values.items()}
