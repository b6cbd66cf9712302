"""One conversation as a supervisor reads it: what was said, checked, agreed, and corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.correcting import NOT_THEIRS, MayNot
from contact_service.callcentre.own import own_kinds, recorded_for_own_office
from contact_service.callcentre.results import CALL_KEY, CODES, CONVERSATIONS, Way, title_told
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import DispositionKind, IdentityProof, QualityMark
from contact_service.planning.definitions import definitions_of
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a result was before it was corrected."""

    was: DispositionKind
    detail: Mapping[str, Any]
    """Its sub-reason, promise and referral, as they were stored."""
    became: DispositionKind
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """All of it. Yen, seconds."""

    disposition_id: int
    conversation_id: UUID
    at: datetime
    way: Way
    operator: str
    result: DispositionKind
    sub_reason: str | None
    note: str | None
    campaign: str | None
    codes: Sequence[str]
    talk_seconds: int | None
    wrap_seconds: int | None
    proofs: Sequence[IdentityProof]
    promised_on: date | None
    promised_yen: int | None
    support_desk: str | None
    next_at: datetime | None
    """When they are to be called back, or called again."""
    corrections: Sequence[Corrected]
    mark: QualityMark | None
    remark: str | None
    reviewed_by: str | None


def read(service: Service, actor: Actor, disposition_id: int, now: datetime) -> Read:
    """One conversation; that it was read is recorded. Raises :class:`MayNot`."""
    require(actor, Role.SUPERVISOR)
    opened = service.vault.open
    with service.engine.begin() as connection:
        row = connection.execute(_ONE, {"id": disposition_id} | own_kinds(actor)).one_or_none()
        if row is None:
            raise MayNot(NOT_THEIRS)
        audit.record(connection, now, actor, "result.read", f"disposition:{disposition_id}")
        run = {row.run_id} if row.run_id else set()
        titles = definitions_of(connection, run)
        return Read(
            disposition_id=row.disposition_id,
            conversation_id=row.attempt_id or row.inbound_call_id,
            at=row.at,
            way=Way(row.way),
            operator=row.operator,
            result=DispositionKind(row.result),
            sub_reason=row.sub_reason,
            note=opened("disposition.note", row.note) if row.note else None,
            campaign=title_told(actor, row, titles),
            codes=row.codes,
            talk_seconds=row.talk_seconds,
            wrap_seconds=row.wrap_seconds,
            proofs=[IdentityProof(proof) for proof in row.proofs],
            promised_on=row.promised_on,
            promised_yen=row.amount_yen,
            support_desk=row.desk,
            next_at=row.next_at,
            corrections=_corrections(connection, service, disposition_id),
            mark=QualityMark(row.mark) if row.mark else None,
            remark=opened("quality_review.remark", row.remark) if row.remark else None,
            reviewed_by=row.reviewed_by,
        )


_ONE = text(f"""
SELECT v.*, {CODES} AS codes, d.note, c.talk_seconds, c.wrap_seconds, p.promised_on, p.amount_yen,
    r.desk, q.mark, q.remark, q.reviewed_by,
    ARRAY(SELECT DISTINCT i.proof FROM identity_check i
        WHERE i.conversation_id = coalesce(v.attempt_id, v.inbound_call_id)) AS proofs,
    coalesce((SELECT min(n.due_at) FROM attempt n JOIN attempt a ON a.id = v.attempt_id
        WHERE n.target_id = a.target_id AND n.step = a.step AND n.try_number > a.try_number
        AND n.state = 'planned'),
        (SELECT n.due_at FROM inbound_call n WHERE n.provider = 'desk'
        AND n.provider_ref = CAST(v.inbound_call_id AS text) AND n.state = 'call_back')) AS next_at
FROM ({CONVERSATIONS}) v JOIN disposition d ON d.id = v.disposition_id
LEFT JOIN call c ON c.deduplication_key = {CALL_KEY}
LEFT JOIN promise p ON p.disposition_id = d.id
LEFT JOIN referral r ON r.disposition_id = d.id
LEFT JOIN quality_review q ON q.disposition_id = d.id
WHERE v.disposition_id = :id AND {recorded_for_own_office("v")}
""")


def _corrections(
    connection: Connection, service: Service, disposition_id: int
) -> Sequence[Corrected]:
    rows = connection.execute(
        text("""
        SELECT was, became, corrected_at, corrected_by, why FROM result_correction
        WHERE disposition_id = :id ORDER BY id
        """),
        {"id": disposition_id},
    )
    return [
        Corrected(
            was=DispositionKind(row.was["kind"]),
            detail=row.was,
            became=DispositionKind(row.became),
            at=row.corrected_at,
            by=row.corrected_by,
            why=service.vault.open("result_correction.why", row.why),
        )
        for row in rows
    ]
