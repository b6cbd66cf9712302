"""What a person decides about attempts that nothing else can settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.dispatch.settle import lock
from contact_service.domain.actors import Actor, Role, require
from contact_service.logs import mask_numbers
from contact_service.planning.definitions import of_own_kinds, own_kinds
from contact_service.planning.runs import CannotDo
from contact_service.store import audit

DECIDERS = (Role.STAFF, Role.SUPERVISOR, Role.APPROVER)
MOST = 50


@dataclass(frozen=True, slots=True)
class Undecided:
    """An attempt that waits for a person."""

    attempt_id: UUID
    campaign: str
    step: str
    provider: str
    leased_at: datetime
    reason: str | None


def undecided(connection: Connection, actor: Actor) -> list[Undecided]:
    """All attempts of the actor's office that wait for a person, the oldest first. Raises
    :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *DECIDERS)
    rows = connection.execute(
        text(f"""
        SELECT a.id, v.key, a.step, a.provider, a.leased_at, a.reason
        FROM attempt a JOIN run r ON r.id = a.run_id
        JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE a.state = 'unknown' AND a.needs_person AND {of_own_kinds()}
        ORDER BY a.leased_at, a.id
        """),
        own_kinds(actor),
    )
    return [Undecided(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The same, as the console shows it: with what is known, and no whole number."""

    attempt_id: UUID
    title: str
    step: str
    channel: Channel
    provider: str
    number: str
    """The last two digits."""
    leased_at: datetime
    reason: str | None
    detail: str | None
    reports: list[dict[str, str]]
    """What the carrier reported: ``at``, ``status``, the latest first."""


def waiting(
    service: Service,
    actor: Actor,
    after: tuple[datetime, UUID] | None = None,
    most: int = MOST,
) -> tuple[Sequence[Waiting], tuple[datetime, UUID] | None]:
    """Attempts that wait for a person, the oldest first, and where the next page begins.
    Raises :class:`~contact_service.domain.actors.NotAllowed`."""
    require(actor, *DECIDERS)
    at, last = after or (None, None)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT a.id, v.definition ->> 'title' AS title, a.step, a.channel, a.provider,
                p.number, a.leased_at, a.reason, a.detail,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.occurred_at, 'status',
                    e.status) ORDER BY e.occurred_at DESC), '[]') FROM event e
                    WHERE e.attempt_id = a.id) AS reports
            FROM attempt a JOIN run r ON r.id = a.run_id
            JOIN campaign_version v ON v.id = r.campaign_version_id
            JOIN phone p ON p.id = a.phone_id
            WHERE a.state = 'unknown' AND a.needs_person AND {of_own_kinds()}
            AND (CAST(:at AS timestamptz) IS NULL OR (a.leased_at, a.id) > (:at, :last))
            ORDER BY a.leased_at, a.id LIMIT :most
            """),
            {"at": at, "last": last, "most": most + 1} | own_kinds(actor),
        ).all()
    found = [
        Waiting(
            row.id, row.title, row.step, Channel(row.channel), row.provider,
            service.vault.open("phone.number", row.number)[-2:], row.leased_at, row.reason,
            row.detail, row.reports,
        )
        for row in rows[:most]
    ]  # fmt: skip
    more = (found[-1].leased_at, found[-1].attempt_id) if len(rows) > most else None
    return found, more


def decide(
    engine: Engine,
    actor: Actor,
    attempt_id: UUID,
    *,
    taken: bool,
    now: datetime,
    reason: str = "",
) -> None:
    """Write a person's decision about one attempt, see :func:`decide_all`.

    Raises ``CannotDo`` when nobody has to decide about it.
    """
    if not decide_all(engine, actor, [attempt_id], taken=taken, now=now, reason=reason):
        raise CannotDo(
            f"{attempt_id}: 判断を待っている発信ではありません / nobody has to decide about "
            "this attempt"
        )


def decide_all(
    engine: Engine,
    actor: Actor,
    attempt_ids: Sequence[UUID],
    *,
    taken: bool,
    now: datetime,
    reason: str = "",
) -> int:
    """Write a person's decision: the carrier took these contacts (they end as ``unknown`` and are
    never sent again), or provably did not (they are due again). Who and why is recorded of each.

    Returns how many it was; those that nobody has to decide about any more are left as they are.
    """
    require(actor, *DECIDERS)
    with engine.begin() as connection:
        lock(connection, attempt_ids)
        decided = connection.scalars(
            text(_TAKEN if taken else _NOT_TAKEN),
            {"ids": list(attempt_ids)} | ({"now": now} if taken else {}) | own_kinds(actor),
        ).all()
        said = {"reason": mask_numbers(reason.strip())} if reason.strip() else {}
        for attempt_id in decided:
            audit.record(
                connection, now, actor, "attempt.decide", str(attempt_id), taken=taken, **said
            )
    return len(decided)


#: Of a run of the decider's office.
_OWN = f"""run_id IN (SELECT r.id FROM run r
        JOIN campaign_version v ON v.id = r.campaign_version_id WHERE {of_own_kinds()})"""
_TAKEN = f"""
    UPDATE attempt SET state = 'finished', outcome = 'unknown', outcome_at = :now,
        reason = 'decided', needs_person = false
    WHERE id = ANY(:ids) AND state = 'unknown' AND needs_person AND {_OWN} RETURNING id
"""
_NOT_TAKEN = f"""
    UPDATE attempt SET state = 'planned', provider = NULL, lease_until = NULL,
        submitted_at = NULL, reason = 'decided', needs_person = false
    WHERE id = ANY(:ids) AND state = 'unknown' AND needs_person AND {_OWN} RETURNING id
"""
