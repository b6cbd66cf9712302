"""Everything that is known to have happened to one person, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.people.opening import NotOpened, opened_until
from contact_service.people.search import SEARCHERS, TOLD_TO_THEM, message_of_theirs, office_of

_TIMELINE = text(
    (Path(__file__).parent / "timeline.sql")
    .read_text(encoding="utf-8")
    .replace("{message_of_theirs}", message_of_theirs("m"))
    .replace("{told_to_them}", TOLD_TO_THEM)
)
MOST = 200


class EntryKind(StrEnum):
    """What an entry is about."""

    DUE = "due"  # a claim's due date
    DEMAND = "demand"  # 督促
    PAYMENT = "payment"
    CONTACT = "contact"
    PLANNED = "planned"  # a contact that is still to come
    SKIPPED = "skipped"  # a contact that was not made
    KEY = "key"  # a key pressed in an auto-call
    MESSAGE = "message"  # what was written from their number
    CALL = "call"  # of the centre's record
    INCOMING = "incoming"
    CONVERSATION = "conversation"  # with the promise, if one was made
    REFERRAL = "referral"
    SUPPORT_TEXT = "support_text"
    RESTRICTED = "restricted"
    LIFTED = "lifted"
    LOOKED_AT = "looked_at"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. What the fields mean depends on ``kind``: see ``timeline.sql``."""

    at: datetime
    day_only: bool
    kind: EntryKind
    what: str | None
    result: str | None
    reason: str | None
    yen: int | None
    seconds: int | None
    day: date | None
    by: str | None
    text: str | None
    """What somebody wrote: a message, an operator's note."""
    context: str | None
    ref: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. Claims that fall due on one day share an instant: a page may end among
    them."""

    at: datetime
    seen: int
    """How many of that instant have been shown."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it, the newest first; ``more`` is where the next one begins."""

    entries: Sequence[Entry]
    more: Place | None


_PLACES = {EntryKind.MESSAGE: "inbound_message.body", EntryKind.CONVERSATION: "disposition.note"}


def timeline(
    service: Service, actor: Actor, debtor_id: int, begin: Place | None = None, most: int = MOST
) -> Timeline:
    """What happened from ``begin`` backwards, for somebody who has opened the person.

    Raises :class:`NotOpened`, :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *SEARCHERS, contractors=False)
    with service.engine.connect() as connection:
        if opened_until(connection, actor, debtor_id, service.clock.now()) is None:
            raise NotOpened
        rows = connection.execute(
            _TIMELINE,
            {
                "id": debtor_id,
                "before": begin.at if begin else None,
                "seen": begin.seen if begin else 0,
                "most": most + 1,
            }
            | office_of(actor),
        ).all()
    entries = [
        Entry(
            row.at, row.day_only, EntryKind(row.kind), row.what, row.result, row.reason, row.yen,
            row.seconds, row.day, row.author,
            service.vault.open(_PLACES[EntryKind(row.kind)], row.sealed) if row.sealed else None,
            row.context, row.ref,
        )
        for row in rows[:most]
    ]  # fmt: skip
    return Timeline(entries, _end(entries, begin) if len(rows) > most else None)


def _end(entries: Sequence[Entry], begin: Place | None) -> Place:
    """Where a page that shows ``entries`` ends."""
    at = entries[-1].at
    seen = sum(entry.at == at for entry in entries)
    return Place(at, seen + (begin.seen if begin and begin.at == at else 0))
