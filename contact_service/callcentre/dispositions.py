"""What operators concluded, and what follows: call log, promise, referral, restriction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from contact_service.bootstrap import Service
from contact_service.dispatch.settle import settle
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import (
    CALL_RESULT_OF,
    DISPOSITION_JA,
    OUTCOME_OF_DISPOSITION,
    CallResult,
    DispositionKind,
)
from contact_service.store import audit
from contact_service.store.tables.calls import call, disposition, promise, referral
from contact_service.store.tables.contacts import attempt

#: Where people in hardship are led first; an office's own list comes with the desk.
SUPPORT_DESK = "ぷらっとホーム世田谷"

#: What a disposition restricts from then on: the person, or the number.
RESTRICTS_PERSON = {
    DispositionKind.HARDSHIP: RestrictionKind.HARDSHIP,
    DispositionKind.DECEASED: RestrictionKind.DECEASED,
}


class NotYours(Exception):
    """The attempt is not with this operator (any more)."""


@dataclass(frozen=True, slots=True)
class PromisedPayment:
    """納付約束: what will be paid, and by which day."""

    on: date
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """One finished call of an operator."""

    attempt_id: UUID
    kind: DispositionKind
    started_at: datetime
    talk_seconds: int
    wrap_seconds: int
    promise: PromisedPayment | None = None
    note: str | None = None


def record_disposition(service: Service, actor: Actor, said: Conversation, now: datetime) -> None:
    """Write what an operator concluded, once. Saying the same again changes nothing.

    Hardship makes a referral and stops further chasing at once. Raises :class:`NotYours`.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    outcome = OUTCOME_OF_DISPOSITION[said.kind]
    with service.engine.begin() as connection:
        row = connection.execute(
            select(attempt.c.state, attempt.c.lease_owner, attempt.c.target_id, attempt.c.phone_id)
            .where(attempt.c.id == said.attempt_id)
            .with_for_update()
        ).one_or_none()
        if row is None or row.lease_owner != actor.name:
            raise NotYours("この方はあなたの担当ではありません / this person is not with you")
        if row.state == "finished":
            _must_be_the_same(connection, said)
            return
        # "planned": the talk outlasted the hold, and nobody else has the person yet
        if row.state not in ("leased", "planned"):
            raise NotYours("この方への連絡は終わっています / this contact has been closed")
        connection.execute(
            update(attempt)
            .where(attempt.c.id == said.attempt_id)
            .values(
                state="finished",
                outcome=outcome,
                outcome_at=said.started_at,
                submitted_at=said.started_at,
            )
        )
        made = connection.execute(
            insert(disposition)
            .values(
                attempt_id=said.attempt_id,
                kind=said.kind,
                note=service.vault.seal("disposition.note", said.note) if said.note else None,
                recorded_at=now,
                recorded_by=actor.name,
            )
            .returning(disposition.c.id)
        ).scalar_one()
        if said.promise is not None:
            connection.execute(
                insert(promise).values(
                    disposition_id=made,
                    target_id=row.target_id,
                    promised_on=said.promise.on,
                    amount_yen=said.promise.amount_yen,
                )
            )
        if said.kind is DispositionKind.HARDSHIP:
            connection.execute(
                insert(referral).values(
                    disposition_id=made, target_id=row.target_id, desk=SUPPORT_DESK, referred_at=now
                )
            )
        if said.kind in RESTRICTS_PERSON:
            _restrict(connection, row.target_id, RESTRICTS_PERSON[said.kind], now)
        connection.execute(
            insert(call).values(
                origin="operator",
                direction="outbound",
                started_at=said.started_at,
                talk_seconds=said.talk_seconds,
                wrap_seconds=said.wrap_seconds,
                result=CALL_RESULT_OF.get(outcome, CallResult.OTHER),
                extension=actor.name[:12],
                phone_id=row.phone_id,
                attempt_id=said.attempt_id,
                deduplication_key=f"attempt:{said.attempt_id}",
            )
        )
        settle(connection, [said.attempt_id], finished=[said.attempt_id])
        audit.record(connection, now, actor, "disposition", str(said.attempt_id), kind=said.kind)


def _must_be_the_same(connection: Connection, said: Conversation) -> None:
    stored = connection.scalar(
        select(disposition.c.kind).where(disposition.c.attempt_id == said.attempt_id)
    )
    if stored != said.kind:
        ja = DISPOSITION_JA[DispositionKind(stored)] if stored else "なし"
        raise NotYours(
            f"すでに「{ja}」と記録されています。訂正は管理者に申し出てください / already "
            f"recorded as {stored}: ask a supervisor to correct it"
        )


def _restrict(
    connection: Connection, target_id: UUID, kind: RestrictionKind, now: datetime
) -> None:
    """Protect whoever the call was about, from today on: with a shared number we cannot tell
    which of them spoke."""
    connection.execute(
        text("""
        INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin)
        SELECT :kind, d.id, d.code, CAST(:now AS timestamptz)::date, 'operator'
        FROM debtor d WHERE d.id IN (
            SELECT c.debtor_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
            WHERE tc.target_id = :target_id)
        ON CONFLICT ON CONSTRAINT uq_restriction_said_once DO UPDATE SET lifted_at = NULL
        """),
        {"kind": kind, "now": now, "target_id": target_id},
    )
