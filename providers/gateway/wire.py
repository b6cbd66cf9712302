"""Requests as a declaration writes them, and answers as plain values."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from providers.gateway.declaration import Authentication, Declaration, Exchange
from providers.gateway.template import fill, placeholders
from providers.http import Head, HttpAnswer, HttpClient, MaybeSent, ServerFault, judge_status


class Unsendable(Exception):
    """The text or number cannot be written in the carrier's encoding or form."""


class Unreadable(Exception):
    """An answer that is not what the declaration describes."""


@dataclass(frozen=True, slots=True)
class Account:
    """A declaration with what the deployment gives it."""

    declaration: Declaration
    origin: str
    secrets: Mapping[str, str]
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Account({self.declaration.gateway!r})"


async def ask(
    client: HttpClient, account: Account, exchange: Exchange, values: Mapping[str, Any]
) -> HttpAnswer:
    """Send a request and return its answer: 2xx, or 4xx but 408 and 429.

    Raises :class:`Unsendable` before anything leaves, :class:`~providers.template.Missing`, and
    what :mod:`providers.http` raises.
    """
    declaration = account.declaration
    known = {f"value.{name}": value for name, value in account.values.items()} | dict(values)
    path = _path(exchange.path, known)
    fields = fill(exchange.fields, known)
    headers = {name: str(fill(text, known)) for name, text in declaration.headers.items()}
    query: list[tuple[str, str]] = []
    body: bytes | None = None
    try:
        match exchange.format:
            case "query":
                query = _pairs(fields)
            case "form":
                body = urlencode(
                    _pairs(fields), encoding=declaration.encoding, errors="strict"
                ).encode("ascii")
                headers["Content-Type"] = (
                    f"application/x-www-form-urlencoded; charset={_charset(declaration)}"
                )
            case "json":
                text = json.dumps(fields, ensure_ascii=False)
                body = text.encode(declaration.encoding) if exchange.method != "GET" else None
                headers["Content-Type"] = f"application/json; charset={_charset(declaration)}"
    except UnicodeEncodeError:
        raise Unsendable(f"not in {declaration.encoding}") from None
    auth = _authenticate(declaration.authentication, account, known, headers, query, body)
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise Unsendable("a header that HTTP cannot hold")
    url = account.origin + path
    if query:
        url += "?" + urlencode(query, encoding=declaration.encoding, errors="replace")
    return await client.send(
        exchange.method, url, headers=headers, body=body, auth=auth, judge=_judge(declaration)
    )


def _judge(declaration: Declaration) -> Any:
    def judge(status: int, header: Head) -> None:
        judge_status(status, header)
        kind = (header("content-type") or "").lower()
        if 200 <= status < 300 and not _readable(declaration, kind):
            raise MaybeSent(f"{status}, not {declaration.answers}")

    return judge


def _readable(declaration: Declaration, content_type: str) -> bool:
    if declaration.answers == "json":
        return "json" in content_type
    return "form-urlencoded" in content_type or "text/plain" in content_type


def _path(path: str, values: Mapping[str, Any]) -> str:
    for name in placeholders(path):
        value = fill("{" + name + "}", values)
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        path = path.replace("{" + name + "}", quote(text, safe=","))
    return path


def _pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in fields.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        pairs.append((name, text))
    return pairs


def _charset(declaration: Declaration) -> str:
    return "Shift_JIS" if declaration.encoding == "cp932" else "utf-8"


def _authenticate(
    how: Authentication,
    account: Account,
    values: Mapping[str, Any],
    headers: dict[str, str],
    query: list[tuple[str, str]],
    body: bytes | None,
) -> tuple[str, str] | None:
    secret = account.secrets.get(how.secret or "", "")
    match how.kind:
        case "bearer":
            headers["Authorization"] = f"Bearer {secret}"
        case "basic":
            return str(fill(how.user or "", values)), secret
        case "hmac":
            headers[how.header or ""] = how.prefix + sign(secret, body or b"", how.encoding)
        case "key" if how.header:
            headers[how.header] = secret
        case "key":
            query.append((how.parameter or "", secret))
    return None


def sign(secret: str, body: bytes, encoding: str) -> str:
    """HMAC-SHA256 over ``body``."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def decode(content: bytes, kind: str, encoding: str) -> Any:
    """JSON or a form as plain values. Raises :class:`Unreadable`."""
    try:
        text = content.decode(encoding)
        if kind == "form":
            return dict(parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="strict"))
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def read(answer: HttpAnswer, declaration: Declaration) -> Any:
    """What an answer says. Raises :class:`Unreadable`."""
    return decode(answer.body, declaration.answers, declaration.encoding)


def dig(value: Any, path: str | None) -> Any:
    """What stands at ``path``, or ``None``."""
    for name in path.split(".") if path else ():
        match value:
            case dict():
                value = value.get(name)
            case list() if name.isdigit() and int(name) < len(value):
                value = value[int(name)]
            case _:
                return None
    return value


def word(value: Any) -> str | None:
    """A scalar as text, as JSON writes it; ``None`` for anything else and for nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | str):
        return str(value)
    return None


__all__ = [
    "Account",
    "ServerFault",
    "Unreadable",
    "Unsendable",
    "ask",
    "decode",
    "dig",
    "read",
    "sign",
    "word",
]
