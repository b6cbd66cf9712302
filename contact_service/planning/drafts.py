"""Definitions that are being written: kept between two looks, valid or not, until submitted. A
draft is its writer's office's (所管課); another office does not find it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, text

from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.domain.life import CannotDo
from contact_service.store import audit
from contact_service.store.tables.console import campaign_draft


@dataclass(frozen=True, slots=True)
class Draft:
    """A definition's text on its way."""

    id: int
    text: str
    title: str
    revision: int
    """Counts the changes: whoever saves names the one they saw."""
    created_by: str
    changed_at: datetime
    changed_by: str


def begin(connection: Connection, actor: Actor, source: str, title: str, now: datetime) -> int:
    """A new draft that starts as ``source``. Raises ``NotAllowed``."""
    require(actor, Role.STAFF)
    draft_id = connection.execute(
        insert(campaign_draft)
        .values(
            text=source, title=title, created_at=now, created_by=actor.name,
            changed_at=now, changed_by=actor.name, office=actor.office,
        )
        .returning(campaign_draft.c.id)
    ).scalar_one()  # fmt: skip
    audit.record(connection, now, actor, "draft.begin", str(draft_id))
    return int(draft_id)


def save(
    connection: Connection,
    actor: Actor,
    draft_id: int,
    revision: int,
    source: str,
    title: str,
    now: datetime,
) -> None:
    """Keep ``source``. Raises ``NotAllowed``, and ``CannotDo`` when somebody else has changed the
    draft since ``revision``."""
    require(actor, Role.STAFF)
    changed = connection.execute(
        text("""
        UPDATE campaign_draft SET text = :text, title = :title, revision = revision + 1,
            changed_at = :now, changed_by = :by
        WHERE id = :id AND revision = :revision AND CAST(:office AS text) IN (office, '*')
        """),
        {
            "id": draft_id, "revision": revision, "text": source, "title": title, "now": now,
            "by": actor.name, "office": actor.office,
        },
    )  # fmt: skip
    if not changed.rowcount:
        raise CannotDo(
            "ほかの画面か、ほかの人が先に変更しました。下の内容を控えてから、開き直してください / "
            "it was changed elsewhere meanwhile: keep a copy of what is below, then open it again"
        )


def discard(connection: Connection, actor: Actor, draft_id: int, now: datetime) -> None:
    """Throw a draft away, or take it off the list once it is submitted. Raises ``NotAllowed``."""
    require(actor, Role.STAFF)
    gone = connection.execute(
        text(
            "DELETE FROM campaign_draft WHERE id = :id AND CAST(:office AS text) IN (office, '*')"
        ),
        {"id": draft_id, "office": actor.office},
    )
    if gone.rowcount:
        audit.record(connection, now, actor, "draft.discard", str(draft_id))


def draft(connection: Connection, actor: Actor, draft_id: int) -> Draft | None:
    """One draft, if it is there and of the actor's office."""
    return next(iter(_drafts(connection, actor, draft_id)), None)


def drafts(connection: Connection, actor: Actor) -> list[Draft]:
    """The office's drafts, the last changed first."""
    return _drafts(connection, actor, None)


def own(connection: Connection, actor: Actor) -> int:
    """How many drafts somebody changed last."""
    found = connection.scalar(select(func.count()).where(campaign_draft.c.changed_by == actor.name))
    return int(found or 0)


def newest(connection: Connection, actor: Actor, before: int | None, most: int) -> list[Draft]:
    """The office's drafts that were begun last, before the draft ``before``: an order that no
    change disturbs."""
    wanted = _wanted(actor).order_by(campaign_draft.c.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(campaign_draft.c.id < before)
    return [Draft(*row) for row in connection.execute(wanted)]


def _wanted(actor: Actor) -> Select[Any]:
    wanted = select(
        campaign_draft.c.id, campaign_draft.c.text, campaign_draft.c.title,
        campaign_draft.c.revision, campaign_draft.c.created_by, campaign_draft.c.changed_at,
        campaign_draft.c.changed_by,
    )  # fmt: skip
    if actor.office != EVERY_OFFICE:
        wanted = wanted.where(campaign_draft.c.office == actor.office)
    return wanted


def _drafts(connection: Connection, actor: Actor, draft_id: int | None) -> list[Draft]:
    wanted = _wanted(actor)
    wanted = wanted.order_by(campaign_draft.c.changed_at.desc(), campaign_draft.c.id).limit(200)
    if draft_id is not None:
        wanted = wanted.where(campaign_draft.c.id == draft_id)
    return [Draft(*row) for row in connection.execute(wanted)]
