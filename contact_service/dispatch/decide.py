"""What a person decides about attempts that nothing else can settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from contact_service.domain.actors import Actor, Role, require
from contact_service.planning.runs import CannotDo
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class Undecided:
    """An attempt that waits for a person."""

    attempt_id: UUID
    campaign: str
    step: str
    provider: str
    leased_at: datetime
    reason: str | None


def undecided(connection: Connection) -> list[Undecided]:
    """All attempts that wait for a person, the oldest first."""
    rows = connection.execute(
        text("""
        SELECT a.id, v.key, a.step, a.provider, a.leased_at, a.reason
        FROM attempt a JOIN run r ON r.id = a.run_id
        JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE a.state = 'unknown' AND a.needs_person ORDER BY a.leased_at, a.id
        """)
    )
    return [Undecided(*row) for row in rows]


def decide(engine: Engine, actor: Actor, attempt_id: UUID, *, taken: bool, now: datetime) -> None:
    """Write a person's decision: the carrier took the contact (it ends as ``unknown`` and is
    never sent again), or provably did not (it is due again).

    Raises ``CannotDo`` when nobody has to decide about it.
    """
    require(actor, Role.STAFF, Role.SUPERVISOR, Role.APPROVER)
    if taken:
        statement = """
            UPDATE attempt SET state = 'finished', outcome = 'unknown', outcome_at = :now,
                reason = 'decided', needs_person = false
            WHERE id = :id AND state = 'unknown' AND needs_person"""
    else:
        statement = """
            UPDATE attempt SET state = 'planned', provider = NULL, lease_until = NULL,
                submitted_at = NULL, reason = 'decided', needs_person = false
            WHERE id = :id AND state = 'unknown' AND needs_person"""
    with engine.begin() as connection:
        if not connection.execute(text(statement), {"id": attempt_id, "now": now}).rowcount:
            raise CannotDo(
                f"{attempt_id}: 判断を待っている発信ではありません / nobody has to decide about "
                "this attempt"
            )
        audit.record(connection, now, actor, "attempt.decide", str(attempt_id), taken=taken)
