"""A result that was recorded wrong is corrected by a supervisor, and what followed follows anew.

The old result stays beside the new one, with who corrected it, when and why. Its promise or
referral goes with it, a call back or further try that nobody has begun is planned anew, and the
call log says what it should: every count is taken from these rows. What the new result restricts
holds at once. What the old one restricted holds until *another* supervisor lifts it: that somebody
is called again is never one person's decision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from contact_service.bootstrap import Service
from contact_service.callcentre.dispositions import (
    AGREED,
    Conversation,
    Incomplete,
    check,
    goes_with,
    plan_call_back,
)
from contact_service.callcentre.house_rules import house_rules
from contact_service.callcentre.inbound_results import (
    plan_from_desk,
    target_of,
    whom_it_concerned,
)
from contact_service.callcentre.restricting import (
    RESTRICTS_NUMBER,
    RESTRICTS_PERSON,
    people_of_target,
    restrict_number,
    restrict_people,
)
from contact_service.callcentre.results import is_own
from contact_service.callcentre.standing import SAID_BY_NO_OTHER, results_and_kinds
from contact_service.dispatch.settle import settle
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import (
    CALL_RESULT_OF,
    OUTCOME_OF_DISPOSITION,
    CallResult,
    DispositionKind,
)
from contact_service.offices import kinds_of
from contact_service.store import audit


class MayNot(Exception):
    """This supervisor may not correct this, or decide on it; the text says why."""


NOT_THEIRS = (
    "その記録はないか、ほかの課の債権の会話です / there is no such result, or it is about another "
    "office's claims"
)
_RESULT = text("""
SELECT d.id, d.kind, d.sub_reason, d.recorded_at, d.recorded_by, d.office, d.attempt_id,
    d.inbound_call_id,
    coalesce(d.attempt_id, d.inbound_call_id) AS conversation_id,
    coalesce(a.phone_id, i.phone_id) AS phone_id, a.target_id, a.run_id, a.step, a.try_number,
    a.channel, i.due_at,
    (SELECT to_jsonb(p) - 'id' - 'disposition_id' FROM promise p WHERE p.disposition_id = d.id)
        AS promise,
    (SELECT to_jsonb(r) - 'id' - 'disposition_id' FROM referral r WHERE r.disposition_id = d.id)
        AS referral
FROM disposition d
LEFT JOIN attempt a ON a.id = d.attempt_id
LEFT JOIN inbound_call i ON i.id = d.inbound_call_id
WHERE d.id = :id FOR UPDATE OF d
""")


def correct(
    service: Service, actor: Actor, disposition_id: int, said: Conversation, why: str, now: datetime
) -> None:
    """Replace a result by ``said``, whose times are not used. Raises :class:`MayNot` and
    :class:`Incomplete`."""
    require(actor, Role.SUPERVISOR)
    why = why.strip()
    if not why:
        raise Incomplete("訂正の理由を書いてください / write why it is corrected")
    with service.engine.begin() as connection:
        row = connection.execute(_RESULT, {"id": disposition_id}).one_or_none()
        if row is None or not is_own(connection, actor, disposition_id):
            raise MayNot(NOT_THEIRS)
        if row.recorded_by == actor.name:
            raise MayNot(
                "自分の記録は、ほかの管理者が訂正します / your own result is corrected by another "
                "supervisor"
            )
        # the day of a promise counts from the conversation, a call back from now
        check(said, house_rules(service.settings.desk_file), row.recorded_at)
        if said.call_back is not None and said.call_back.at <= now:
            raise Incomplete("かけ直す日時が過ぎています / the time of the call back has passed")
        if said.kind in AGREED and not _identified(connection, row.conversation_id):
            raise Incomplete(
                "本人確認の記録がない会話は、約束や分納に訂正できません / without an identity "
                "check there is no agreement"
            )
        old = DispositionKind(row.kind)
        if row.attempt_id:
            concerned, about = people_of_target(connection, row.target_id), row.target_id
        else:
            concerned = whom_it_concerned(connection, row.inbound_call_id)
            about = target_of(connection, concerned, _recorder(service, row))
        _undo(connection, row)
        connection.execute(
            text("UPDATE disposition SET kind = :kind, sub_reason = :sub WHERE id = :id"),
            {"kind": said.kind.value, "sub": said.sub_reason, "id": row.id},
        )
        goes_with(connection, service, said, row.id, about, now)
        made = _made_by(connection, row, old, said.kind, concerned)
        if said.kind in RESTRICTS_PERSON:
            restrict_people(connection, concerned, RESTRICTS_PERSON[said.kind], now)
        if said.kind in RESTRICTS_NUMBER and row.phone_id is not None:
            restricts = RESTRICTS_NUMBER[said.kind]
            restrict_number(connection, row.phone_id, restricts, now, concluded=True)
        _redo(connection, service, row, said)
        _write_down(connection, service, actor, row, said.kind, why, made, now)
        audit.record(
            connection, now, actor, "result.corrected", str(row.conversation_id), was=old,
            became=said.kind,
        )  # fmt: skip


def _recorder(service: Service, row: Row[Any]) -> Actor:
    kinds = kinds_of(row.office, service.settings)
    return Actor(row.recorded_by, Role.OPERATOR, row.office, kinds=kinds)


def _identified(connection: Connection, conversation_id: UUID) -> bool:
    found = connection.scalar(
        text("SELECT 1 FROM identity_check WHERE conversation_id = :id LIMIT 1"),
        {"id": conversation_id},
    )
    return found is not None


def _undo(connection: Connection, row: Row[Any]) -> None:
    """Take back what the old result led to, as far as nobody has acted on it."""
    of = {"id": row.id}
    connection.execute(text("DELETE FROM promise WHERE disposition_id = :id"), of)
    connection.execute(text("DELETE FROM referral WHERE disposition_id = :id"), of)
    connection.execute(
        text("""
        UPDATE support_text SET state = 'skipped', reason = 'corrected', number = NULL
        WHERE disposition_id = :id AND state = 'planned'
        """),
        of,
    )
    if row.attempt_id:
        connection.execute(
            text("""
            DELETE FROM attempt WHERE target_id = :target AND step = :step
            AND try_number > :number AND state = 'planned'
            AND (channel = 'operator' OR lease_number = 0)
            """),
            {"target": row.target_id, "step": row.step, "number": row.try_number},
        )
    else:
        connection.execute(
            text("""
            DELETE FROM inbound_call
            WHERE provider = 'desk' AND provider_ref = CAST(:id AS text) AND state = 'call_back'
            """),
            {"id": row.inbound_call_id},
        )


def _redo(connection: Connection, service: Service, row: Row[Any], said: Conversation) -> None:
    """What the new result leads to: outcome, call log, a call back or a further try."""
    outcome = OUTCOME_OF_DISPOSITION[said.kind]
    if not row.attempt_id:
        if said.call_back is not None:
            number = _number(connection, service, row)
            plan_from_desk(connection, row.inbound_call_id, said.call_back.at, number=number)
        if row.due_at is not None:  # who was on the line was talked with, whatever was said
            _set_call_result(connection, f"call_back:{row.inbound_call_id}", said.kind)
        return
    connection.execute(
        text("UPDATE attempt SET outcome = :outcome WHERE id = :id"),
        {"outcome": outcome.value, "id": row.attempt_id},
    )
    _set_call_result(connection, f"attempt:{row.attempt_id}", said.kind)
    if said.call_back is not None:
        later = connection.scalar(
            text("""
            SELECT 1 FROM attempt WHERE target_id = :target AND step = :step
            AND try_number > :number LIMIT 1
            """),
            {"target": row.target_id, "step": row.step, "number": row.try_number},
        )
        if later:
            raise Incomplete(
                "この方へは、その後もう連絡しています / they have been contacted again since"
            )
        plan_call_back(connection, row, said.call_back.at, None)
    settle(connection, [row.attempt_id], finished=[row.attempt_id])


def _number(connection: Connection, service: Service, row: Row[Any]) -> bytes:
    """The number of a call that is over, sealed as an incoming call's. Raises
    :class:`Incomplete`: what nobody in the ledger has was not kept."""
    sealed = connection.scalar(
        text("SELECT number FROM phone WHERE id = :id"), {"id": row.phone_id}
    )
    if sealed is None:
        raise Incomplete(
            "台帳にない番号は残していないので、かけ直せません / the number is not in the ledger "
            "and was not kept: nobody can call back"
        )
    return service.vault.seal("inbound_call.number", service.vault.open("phone.number", sealed))


def _set_call_result(connection: Connection, key: str, kind: DispositionKind) -> None:
    result = CALL_RESULT_OF.get(OUTCOME_OF_DISPOSITION[kind], CallResult.OTHER)
    connection.execute(
        text("UPDATE call SET result = :result WHERE deduplication_key = :key"),
        {"result": result.value, "key": key},
    )


def _made_by(
    connection: Connection,
    row: Row[Any],
    old: DispositionKind,
    new: DispositionKind,
    people: Sequence[int],
) -> list[int]:
    """The restrictions in force that the old result made, the new one does not, and nobody else
    has said as well."""
    person, number = RESTRICTS_PERSON.get(old), RESTRICTS_NUMBER.get(old)
    if person == RESTRICTS_PERSON.get(new):
        person = None
    if number == RESTRICTS_NUMBER.get(new):
        number = None
    return list(
        connection.scalars(
            text(f"""
            SELECT r.id FROM restriction r
            WHERE ((r.kind = CAST(:person AS text) AND r.debtor_id = ANY(:people)
                    AND r.starts_on = CAST(:day AS timestamptz)::date)
                OR (r.kind = CAST(:number AS text) AND r.phone_id = :phone
                    AND r.starts_on <= CAST(:day AS timestamptz)::date))
            AND {SAID_BY_NO_OTHER}
            ORDER BY r.id
            """),
            {
                "day": row.recorded_at,
                "person": person,
                "number": number,
                "people": list(people),
                "phone": row.phone_id,
                **results_and_kinds(),
            },
        )
    )


def _write_down(
    connection: Connection,
    service: Service,
    actor: Actor,
    row: Row[Any],
    became: DispositionKind,
    why: str,
    made: Sequence[int],
    now: datetime,
) -> None:
    # what an earlier correction asked to lift, this one may say anew: then there is nothing to lift
    anew = (RESTRICTS_PERSON.get(became), RESTRICTS_NUMBER.get(became))
    again = [kind.value for kind in anew if kind]
    connection.execute(
        text("""
        UPDATE result_correction c SET decided_at = :now, decided_by = :by, lifted = false
        WHERE c.disposition_id = :id AND c.decided_at IS NULL AND EXISTS (
            SELECT 1 FROM restriction r WHERE r.id = ANY(c.restrictions) AND r.kind = ANY(:again))
        """),
        {"now": now, "by": actor.name, "id": row.id, "again": again},
    )
    connection.execute(
        text("""
        INSERT INTO result_correction (disposition_id, was, became, corrected_at, corrected_by, why,
            restrictions)
        VALUES (:id, jsonb_strip_nulls(jsonb_build_object('kind', CAST(:kind AS text),
                'sub_reason', CAST(:sub AS text), 'promise', CAST(:promise AS jsonb),
                'referral', CAST(:referral AS jsonb))),
            :became, :now, :by, :why, :restrictions)
        """),
        {
            "id": row.id,
            "kind": row.kind,
            "sub": row.sub_reason,
            "promise": None if row.promise is None else json.dumps(row.promise),
            "referral": None if row.referral is None else json.dumps(row.referral),
            "became": became.value,
            "now": now,
            "by": actor.name,
            "why": service.vault.seal("result_correction.why", why),
            "restrictions": list(made),
        },
    )
