"""The audit log: who did what to which record. Append-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from contact_service.domain.actors import Actor, Role, require
from contact_service.store.tables.admin import audit_log


def record(
    connection: Connection,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str,
    **details: Any,
) -> None:
    """Write one line in the caller's transaction: what is undone is not said to be done.

    ``subject`` and ``details`` hold identifiers and counts, never a name or a number.
    """
    connection.execute(
        insert(audit_log).values(
            at=at,
            actor=actor.name,
            role=actor.role,
            office=actor.office,
            action=action,
            subject=subject,
            details=details,
        )
    )


def entries(
    connection: Connection, actor: Actor, most: int, before: int | None = None
) -> Sequence[Row[Any]]:
    """What was done, newest first: ``most`` lines, older than the line ``before``."""
    require(actor, Role.AUDITOR)
    asked = select(audit_log).order_by(audit_log.c.id.desc()).limit(most)
    if before is not None:
        asked = asked.where(audit_log.c.id < before)
    return connection.execute(asked).all()
