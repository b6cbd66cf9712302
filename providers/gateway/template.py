"""Texts with placeholders: each ``{name}`` replaced, nothing else interpreted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: What may stand in a request, besides ``value.NAME`` of the deployment.
PLACEHOLDERS: Mapping[str, str] = {
    "to": "the number, in the form that ``numbers`` says",
    "body": "the text of a message",
    "reference": "our own identifier",
    "receipts_url": "where to report to",
    "recording_url": "the recording that a call plays",
    "instructions_url": "where a call's instructions are",
    "ring_seconds": "how long to let it ring",
    "send_at": "when to send, as ISO 8601",
    "provider_ref": "the carrier's identifier",
    "provider_refs": "several of them, as a list; in a query joined by commas",
    "since": "from when on, as ISO 8601",
    "page": "the next page, as the carrier named it",
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_][a-z0-9_]*)?)\}")


class Missing(KeyError):
    """A placeholder without a value: the deployment does not give it."""


def placeholders(text: str) -> list[str]:
    """The names in ``text``."""
    return _PLACEHOLDER.findall(text)


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """``template`` with every placeholder replaced. A text that is one placeholder takes its
    value as it is, and ``None`` for nothing; fields without a value are left out.

    Raises :class:`Missing`.
    """
    match template:
        case str():
            return _text(template, values)
        case dict():
            filled = {name: fill(item, values) for name, item in template.items()}
            return {name: item for name, item in filled.items() if item is not None}
        case list():
            return [item for item in (fill(one, values) for one in template) if item is not None]
        case _:
            return template


def _text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    if whole:
        return _value(whole[1], values)
    return _PLACEHOLDER.sub(lambda match: str(_value(match[1], values) or ""), template)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise Missing(name)
    return values[name]
