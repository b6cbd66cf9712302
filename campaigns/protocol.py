"""The protocol of a trial: what is fixed before launch, in a canonical form that is hashed.

Canonical: JSON with sorted keys, no spaces, UTF-8, as :func:`canonical` writes it; the hash is
SHA-256 of those bytes. Anybody with the JSON can verify it with ``sha256sum``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from campaigns.definition import Definition

VERSION = 1
"""Of the form below; a protocol says by which it was written."""


def protocol(definition: Definition) -> dict[str, Any]:
    """Everything that decides what the trial will say. What is left to a default is written out,
    so that a later default changes nothing."""
    trial = definition.trial.model_dump(mode="json")
    trial["comparisons"] = [
        {"arm": arm, "against": against} for arm, against in comparisons(definition)
    ]
    return {
        "protocol": VERSION,
        "campaign": definition.campaign,
        "arms": [
            {"name": arm.name, "weight": arm.weight, "holdout": arm.holdout}
            for arm in definition.arms
        ],
        "allocation": definition.allocation.model_dump(mode="json"),
        "trial": trial,
        "steps": [
            {"name": step.name, "channel": step.channel.value,
             "arms": sorted(definition.arms_of(step)), "after_days": step.start.after_days}
            for step in definition.steps
        ],
    }  # fmt: skip


def comparisons(definition: Definition) -> list[tuple[str, str]]:
    """(arm, against): as the definition says, else every arm with the first holdout."""
    stated = [(pair.arm, pair.against) for pair in definition.trial.comparisons]
    holdout = next((arm.name for arm in definition.arms if arm.holdout), None)
    if stated or holdout is None:
        return stated
    return [(arm.name, holdout) for arm in definition.arms if arm.name != holdout]


def canonical(found: Mapping[str, Any]) -> bytes:
    """The one way to write a protocol. Raises ``ValueError`` for a number that is none."""
    return json.dumps(
        found, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(found: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return sha256(canonical(found)).hexdigest()


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that is not as registered: where, and both values."""

    path: str
    registered: Any
    found: Any

    @property
    def ja(self) -> str:
        """In Japanese."""
        return f"{self.path}: 登録では {_said(self.registered)}、実際は {_said(self.found)}"

    @property
    def en(self) -> str:
        """In English."""
        return f"{self.path}: registered {_said(self.registered)}, found {_said(self.found)}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"path": self.path, "registered": self.registered, "found": self.found,
                "ja": self.ja, "en": self.en}  # fmt: skip


def departures(registered: Mapping[str, Any], found: Mapping[str, Any]) -> list[Departure]:
    """What of ``found`` is not as registered, in the order of its place; empty: nothing."""
    return sorted(_departures("", registered, found), key=lambda one: one.path)


def _departures(path: str, registered: Any, found: Any) -> Iterator[Departure]:
    if isinstance(registered, Mapping) and isinstance(found, Mapping):
        for key in {*registered, *found}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _departures(inner, registered.get(key), found.get(key))
    elif registered != found:
        yield Departure(path, registered, found)


def _said(value: Any) -> str:
    return "—" if value is None else json.dumps(value, ensure_ascii=False)
