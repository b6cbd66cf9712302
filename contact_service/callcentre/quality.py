"""Quality: a random sample of each operator's conversations of a day, and what is thought of them.

The sample is drawn by a seed that is kept with it: the order is that of SHA-256 over seed and
conversation, so the same seed draws the same again and nobody can pick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.callcentre.correcting import NOT_THEIRS, MayNot
from contact_service.callcentre.house_rules import UNANSWERED
from contact_service.callcentre.own import own_kinds, recorded_for_own_office
from contact_service.callcentre.results import CONVERSATIONS, day_begins, is_own
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import DispositionKind, QualityMark
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class Sampled:
    """One conversation of a sample."""

    disposition_id: int
    at: datetime
    operator: str
    result: DispositionKind
    seed: str | None
    mark: QualityMark | None
    reviewed_by: str | None
    remark: str | None


def draw(
    service: Service, actor: Actor, day: date, per_operator: int, seed: str, now: datetime
) -> int:
    """Sample up to ``per_operator`` conversations of each operator of ``day`` (Tokyo); how many
    are new. One's own are for somebody else to judge."""
    require(actor, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        drawn = connection.execute(
            text(f"""
            INSERT INTO quality_review (disposition_id, seed, drawn_at, drawn_by)
            SELECT id, :seed, :now, :me FROM (
                SELECT d.id, row_number() OVER (PARTITION BY d.recorded_by ORDER BY
                    sha256(convert_to(:seed || ':' || d.id, 'UTF8')), d.id) AS place
                FROM disposition d JOIN ({CONVERSATIONS}) v ON v.disposition_id = d.id
                WHERE d.recorded_at >= :begins AND d.recorded_at < :ends
                AND {recorded_for_own_office("v")}
                AND d.kind <> ALL(:unanswered) AND d.recorded_by <> :me) ordered
            WHERE place <= :most
            ON CONFLICT (disposition_id) DO NOTHING
            """),
            {
                "seed": seed,
                "now": now,
                "me": actor.name,
                "begins": day_begins(day),
                "ends": day_begins(day + timedelta(days=1)),
                "unanswered": list(UNANSWERED),
                "most": per_operator,
            }
            | own_kinds(actor),
        ).rowcount
        audit.record(
            connection, now, actor, "quality.drawn", day.isoformat(), seed=seed,
            per_operator=per_operator, drawn=drawn,
        )  # fmt: skip
    return drawn


def sample(service: Service, actor: Actor, day: date) -> Sequence[Sampled]:
    """What has been sampled of a day, by operator."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT q.disposition_id, d.recorded_at, d.recorded_by, d.kind, q.seed, q.mark,
                q.reviewed_by, q.remark
            FROM quality_review q JOIN disposition d ON d.id = q.disposition_id
            JOIN ({CONVERSATIONS}) v ON v.disposition_id = d.id
            WHERE d.recorded_at >= :begins AND d.recorded_at < :ends
            AND {recorded_for_own_office("v")}
            ORDER BY d.recorded_by, d.recorded_at, d.id
            """),
            {"begins": day_begins(day), "ends": day_begins(day + timedelta(days=1))}
            | own_kinds(actor),
        ).all()
    return [
        Sampled(
            disposition_id=row.disposition_id,
            at=row.recorded_at,
            operator=row.recorded_by,
            result=DispositionKind(row.kind),
            seed=row.seed,
            mark=QualityMark(row.mark) if row.mark else None,
            reviewed_by=row.reviewed_by,
            remark=_opened(service, row.remark),
        )
        for row in rows
    ]


def review(
    service: Service,
    actor: Actor,
    disposition_id: int,
    mark: QualityMark,
    remark: str,
    now: datetime,
) -> None:
    """Say what is thought of a conversation, sampled or chosen by hand; said again, the latest
    holds. Raises :class:`MayNot` for one's own."""
    require(actor, Role.SUPERVISOR)
    remark = remark.strip()
    with service.engine.begin() as connection:
        by = connection.scalar(
            text("SELECT recorded_by FROM disposition WHERE id = :id"), {"id": disposition_id}
        )
        if by is None or not is_own(connection, actor, disposition_id):
            raise MayNot(NOT_THEIRS)
        if by == actor.name:
            raise MayNot(
                "自分の会話は、ほかの管理者が点検します / your own conversation is judged by "
                "another supervisor"
            )
        connection.execute(
            text("""
            INSERT INTO quality_review (disposition_id, drawn_at, drawn_by, mark, remark,
                reviewed_at, reviewed_by)
            VALUES (:id, :now, :me, :mark, :remark, :now, :me)
            ON CONFLICT (disposition_id) DO UPDATE SET mark = excluded.mark,
                remark = excluded.remark, reviewed_at = excluded.reviewed_at,
                reviewed_by = excluded.reviewed_by
            """),
            {
                "id": disposition_id,
                "now": now,
                "me": actor.name,
                "mark": mark.value,
                "remark": service.vault.seal("quality_review.remark", remark) if remark else None,
            },
        )
        audit.record(
            connection, now, actor, "quality.reviewed", f"disposition:{disposition_id}", mark=mark
        )


def _opened(service: Service, sealed: bytes | None) -> str | None:
    return service.vault.open("quality_review.remark", sealed) if sealed else None
