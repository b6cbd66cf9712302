"""The audit log: who did what to which record, from where. Append-only.

Every line carries a MAC of itself, by a key that the database does not have: a line that somebody
writes, or changes, in the database alone is found (``store.audit_chain``).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, insert, select

from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.store.engine import audit_key
from contact_service.store.tables.admin import audit_log

#: What a line's MAC covers, in this order.
COVERED = ("ref", "at", "actor", "role", "office", "origin", "action", "subject", "details")
#: Details that people write in their own words; what else stands there are words of closed lists,
#: identifiers and counts, and so are these.
OWN_WORDS = frozenset({"note", "reason", "why"})
NOT_OWN = frozenset({("person.open", "reason"), ("session.refused", "why")})


class NotRecorded(Exception):
    """The database has let a line vanish: what it tells of must not happen either."""


def record(
    connection: Connection,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str,
    **details: Any,
) -> None:
    """Write one line in the caller's transaction: what is undone is not said to be done.

    ``subject`` and ``details`` hold identifiers and counts, never a name or a number. Where
    something is changed, ``before`` and ``after`` say how it was and is. Raises
    :class:`NotRecorded` when the database did not keep the line.
    """
    line = {
        "ref": uuid4(),
        "at": at,
        "actor": actor.name,
        "role": actor.role.value,
        "office": actor.office,
        "origin": actor.origin,
        "action": action,
        "subject": subject,
        "details": details,
    }
    written = insert(audit_log).values(mac=mac(audit_key(connection), line), **line)
    # a trigger or a rule that somebody has put there can let it vanish without a word
    if len(connection.execute(written.returning(audit_log.c.id)).all()) != 1:
        raise NotRecorded("a line of the audit log was not written")


def canonical(line: Any) -> bytes:
    """The one way to write a line down, from what was said or from what the database has."""
    plain = [_plain(line[name]) for name in COVERED]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def mac(key: bytes, line: Any) -> bytes:
    """The proof that a line was written by somebody who has the key."""
    return hmac.digest(key, canonical(line), "sha256")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines somebody looks for; what is left out does not matter."""

    actor: str = ""
    action: str = ""
    """As a whole, or its beginning up to a dot: ``restriction.`` is all that begins so."""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as somebody may read it."""

    id: int
    at: datetime
    actor: str
    role: str
    office: str
    origin: str
    action: str
    subject: str
    details: Mapping[str, Any]


def told(actor: Actor, line: Any) -> Mapping[str, Any]:
    """The details of a ``line``, for ``actor``: that something was done is every office's to see;
    what its people wrote of it in their own words (``None`` instead) is theirs. So does the service
    itself speak to all."""
    details: Mapping[str, Any] = line.details
    if actor.office in (EVERY_OFFICE, line.office) or line.role == Role.SYSTEM:
        return details
    return {
        name: None if name in OWN_WORDS and (line.action, name) not in NOT_OWN else value
        for name, value in details.items()
    }


def entries(
    connection: Connection,
    actor: Actor,
    most: int,
    before: int | None = None,
    wanted: Filter | None = None,
) -> Sequence[Line]:
    """What was done, newest first: ``most`` lines, older than the line ``before``, that fit
    ``wanted``. Of other offices' lines without what was written freely (:func:`told`)."""
    require(actor, Role.AUDITOR)
    asked = select(audit_log).order_by(audit_log.c.id.desc()).limit(most)
    if before is not None:
        asked = asked.where(audit_log.c.id < before)
    if wanted is not None:
        asked = asked.where(*_fitting(wanted))
    return [
        Line(
            row.id, row.at, row.actor, row.role, row.office, row.origin, row.action, row.subject,
            told(actor, row),
        )
        for row in connection.execute(asked)
    ]  # fmt: skip


def _fitting(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    lines = audit_log.c
    if wanted.actor:
        yield lines.actor == wanted.actor
    if wanted.action.endswith("."):
        yield lines.action.startswith(wanted.action, autoescape=True)
    elif wanted.action:
        yield lines.action == wanted.action
    if wanted.subject:
        yield lines.subject == wanted.subject
    if wanted.since is not None:
        yield lines.at >= wanted.since
    if wanted.until is not None:
        yield lines.at < wanted.until


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the database does not tell 1.0 from 1
    return value if value is None or isinstance(value, bool | int | float) else str(value)
