"""What came of an incoming call, or of a call back: the same results, without an attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from contact_service.bootstrap import Service
from contact_service.callcentre.call_backs import next_try
from contact_service.callcentre.calls import InboundCall, log_calls
from contact_service.callcentre.dispositions import (
    Conversation,
    Incomplete,
    NotYours,
    check,
    write,
)
from contact_service.callcentre.house_rules import HouseRules, house_rules
from contact_service.callcentre.restricting import (
    RESTRICTS_NUMBER,
    RESTRICTS_PERSON,
    restrict_number,
    restrict_people,
)
from contact_service.callcentre.taking import people_of
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.identity import derived_id
from contact_service.domain.states import (
    CALL_RESULT_OF,
    OUTCOME_OF_DISPOSITION,
    CallResult,
)
from contact_service.store import audit


def record_inbound(service: Service, actor: Actor, said: Conversation, now: datetime) -> None:
    """Write what came of an incoming call, once; ``said.attempt_id`` names the call. Saying it
    again changes nothing. Raises :class:`NotYours` and :class:`Incomplete`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    rules = house_rules(service.settings.desk_file)
    check(said, rules, now)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT id, provider, provider_ref, state, came_at, taken_at, taken_by, phone_id,
                number, due_at, asked, reserved_for, try_number
            FROM inbound_call WHERE id = :id FOR UPDATE
            """),
            {"id": said.attempt_id},
        ).one_or_none()
        if row is None or row.taken_by != actor.name:
            raise NotYours("この電話はあなたの担当ではありません / this call is not with you")
        if row.state == "closed":
            return
        if said.call_back is not None and row.number is None:
            raise Incomplete(
                "番号が通知されていないので、かけ直せません / the number is withheld: nobody can "
                "call back"
            )
        concerned = whom_it_concerned(connection, row.id)
        target_id = target_of(connection, concerned, actor)
        number = service.vault.open("inbound_call.number", row.number) if row.number else None
        write(
            connection, service, actor, said, target_id, now, number=number,
            inbound_call_id=row.id,
        )  # fmt: skip
        if said.kind in RESTRICTS_PERSON:
            restrict_people(connection, concerned, RESTRICTS_PERSON[said.kind], now)
        if said.kind in RESTRICTS_NUMBER and row.phone_id is not None:
            restricts = RESTRICTS_NUMBER[said.kind]
            restrict_number(connection, row.phone_id, restricts, now, concluded=True)
        _log(connection, service, actor, row, said)
        _call_back(connection, actor, row, said, rules, now)
        connection.execute(
            text("""
            UPDATE inbound_call SET state = 'closed', number = NULL, debtor_id =
                coalesce(debtor_id, CAST(:one AS bigint)) WHERE id = :id
            """),
            {"id": row.id, "one": concerned[0] if len(concerned) == 1 else None},
        )
        audit.record(connection, now, actor, "disposition", str(row.id), kind=said.kind)


def whom_it_concerned(connection: Connection, inbound_id: UUID) -> Sequence[int]:
    """Who was identified last; else whom the operator found, or everybody who has the number."""
    identified = connection.scalars(
        text("""
        SELECT debtor_id FROM identity_check WHERE conversation_id = :id
        ORDER BY checked_at DESC LIMIT 1
        """),
        {"id": inbound_id},
    ).all()
    return identified or people_of(connection, inbound_id)


def target_of(connection: Connection, people: Sequence[int], recorder: Actor) -> UUID | None:
    """What the newest running campaign about claims of the recorder's office says of these people,
    if there is one: what is agreed with one office is not about what another wants."""
    found: UUID | None = connection.scalar(
        text("""
        SELECT t.id FROM target t JOIN run r ON r.id = t.run_id AND r.state = 'running'
        WHERE EXISTS (SELECT 1 FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
            WHERE tc.target_id = t.id AND c.debtor_id = ANY(:people) AND c.kind = ANY(:kinds))
        ORDER BY r.starts_at DESC, t.id LIMIT 1
        """),
        {"people": list(people), "kinds": recorder.own_kinds},
    )
    return found


def _log(
    connection: Connection, service: Service, actor: Actor, row: Row[Any], said: Conversation
) -> None:
    if row.due_at is None:
        wait = max(0, int((row.taken_at - row.came_at).total_seconds()))
        call = InboundCall(
            key=f"{row.provider}:{row.provider_ref}",
            started_at=row.came_at,
            phone=None,
            wait_seconds=wait,
            talk_seconds=said.talk_seconds,
            wrap_seconds=said.wrap_seconds,
            result=CallResult.TALKED,
            extension=actor.name[:12],
        )
        log_calls(connection, service, [call])
        # the carrier may have told of the call's end before: what the desk measured says more
        connection.execute(
            text("""
            UPDATE call SET wait_seconds = :wait, talk_seconds = :talk, wrap_seconds = :wrap,
                result = 'talked', extension = :extension, phone_id = :phone
            WHERE deduplication_key = 'inbound:' || :key
            """),
            {
                "wait": wait,
                "talk": said.talk_seconds,
                "wrap": said.wrap_seconds,
                "extension": actor.name[:12],
                "phone": row.phone_id,
                "key": call.key[:70],
            },
        )
        return
    outcome = OUTCOME_OF_DISPOSITION[said.kind]
    connection.execute(
        text("""
        INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result,
            extension, phone_id, deduplication_key)
        VALUES ('operator', 'outbound', :started, :talk, :wrap, :result, :extension, :phone, :key)
        """),
        {
            "started": said.started_at,
            "talk": said.talk_seconds,
            "wrap": said.wrap_seconds,
            "result": CALL_RESULT_OF.get(outcome, CallResult.OTHER).value,
            "extension": actor.name[:12],
            "phone": row.phone_id,
            "key": f"call_back:{row.id}",
        },
    )


def plan_from_desk(
    connection: Connection,
    inbound_id: UUID,
    at: datetime,
    *,
    number: bytes,
    try_number: int = 1,
    asked: bool = True,
    reserved_for: str | None = None,
) -> None:
    """Have whoever called be called back at ``at``; ``number`` is theirs, sealed."""
    connection.execute(
        text("""
        INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, phone_id, number,
            due_at, asked, reserved_for, try_number, debtor_id)
        SELECT :new, 'desk', CAST(:id AS text), 'call_back', came_at, phone_id, :number, :due,
            :asked, :reserved, :try, debtor_id
        FROM inbound_call WHERE id = :id
        """),
        {
            "new": derived_id("inbound", "desk", inbound_id),
            "id": inbound_id,
            "number": number,
            "due": at,
            "asked": asked,
            "reserved": reserved_for,
            "try": try_number,
        },
    )


def _call_back(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    said: Conversation,
    rules: HouseRules,
    now: datetime,
) -> None:
    """What they asked for; or, where a call back was not answered, its next try by the office's
    rule."""
    if said.call_back is not None:
        mine = actor.name if said.call_back.only_me else None
        plan_from_desk(connection, row.id, said.call_back.at, number=row.number, reserved_for=mine)
    elif row.due_at is not None:
        at = next_try(rules, said.kind, row.try_number, rules.incoming.hours, now)
        if at is not None:
            plan_from_desk(
                connection, row.id, at, number=row.number, try_number=row.try_number + 1,
                asked=row.asked, reserved_for=row.reserved_for,
            )  # fmt: skip
