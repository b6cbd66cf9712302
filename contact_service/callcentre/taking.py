"""Taking an incoming call or a call back: one operator has it, and whose it is is found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from contact_service.bootstrap import Service
from contact_service.callcentre import presence
from contact_service.callcentre.calls import InboundCall, log_calls
from contact_service.callcentre.dispositions import NotYours
from contact_service.callcentre.incoming import LEFT_ALONE, LONGEST_CALL, SHOWN_AFTER, missed
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import CallResult, OperatorState
from contact_service.intake.values import name_key
from contact_service.people.search import OWED_TO_THEM, office_of
from contact_service.store import audit, left_alone

#: So often an operator looks for, or chooses, whose one call is.
LOOKED_UP = 20
SEARCHED, FOUND = "people.searched", "call.person_found"


@dataclass(frozen=True, slots=True)
class Taken:
    """An incoming call, or a call back, that an operator has."""

    id: UUID
    provider: str
    provider_ref: str
    on_the_line: bool
    """The caller is waiting with the carrier, to be connected."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in the ledger, as an operator chooses among several."""

    code: str
    name: str | None
    kana: str | None


def held(connection: Connection, operator: str) -> UUID | None:
    """The incoming call or call back that this operator has."""
    found: UUID | None = connection.scalar(
        text("""
        SELECT id FROM inbound_call WHERE state = 'taken' AND taken_by = :name
        ORDER BY taken_at LIMIT 1
        """),
        {"name": operator},
    )
    return found


def take(service: Service, actor: Actor, inbound_id: UUID | None, now: datetime) -> Taken | None:
    """Take a call, or the one that comes first: who is on the line before who is called back.

    ``None``: somebody else was quicker, it is over, or nobody waits. A person from the list whom
    the operator has not called yet goes back to it; the caller must see to it that they are not
    in a conversation.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        presence.one_at_a_time(connection, actor.name)
        if held(connection, actor.name) is not None:
            return None
        while True:
            row = connection.execute(
                _TAKE, {"id": inbound_id, "now": now, "shown": now - SHOWN_AFTER, "me": actor.name}
            ).one_or_none()
            if row is None:
                return None
            if row.due_at is None or not _must_be_left_alone(connection, row.id, now):
                break
            connection.execute(
                text("UPDATE inbound_call SET state = 'closed', number = NULL WHERE id = :id"),
                {"id": row.id},
            )
        presence.give_back(connection, actor.name)
        _take_back_from_others(connection, actor, row.phone_id)
        on_the_line = row.due_at is None
        state = OperatorState.TALKING if on_the_line else OperatorState.FREE
        presence.change(connection, actor.name, state, now, row.id)
        audit.record(connection, now, actor, "call.taken", str(row.id))
    return Taken(row.id, row.provider, row.provider_ref, on_the_line and row.ended_at is None)


#: A call on the line is never passed over for a restriction: it is they who call.
_TAKE = text("""
UPDATE inbound_call SET state = 'taken', taken_by = :me, taken_at = :now
WHERE id = (
    SELECT id FROM inbound_call i
    WHERE (CAST(:id AS uuid) IS NULL OR i.id = :id)
    AND ((i.state = 'waiting' AND (i.ended_at IS NULL OR i.ended_at > :shown))
        OR (i.state = 'call_back' AND i.due_at <= :now
            AND (i.reserved_for IS NULL OR i.reserved_for = :me
                OR i.due_at < CAST(:now AS timestamptz) - interval '30 minutes')))
    ORDER BY i.state DESC, coalesce(i.due_at, i.came_at), i.id
    LIMIT 1 FOR UPDATE SKIP LOCKED)
AND state IN ('waiting', 'call_back')
RETURNING id, provider, provider_ref, phone_id, due_at, ended_at
""")


def _must_be_left_alone(connection: Connection, inbound_id: UUID, now: datetime) -> bool:
    return bool(
        connection.scalar(
            text(f"SELECT {LEFT_ALONE} FROM inbound_call i WHERE i.id = :id"),
            {"id": inbound_id} | left_alone.parameters(now.astimezone(TOKYO).date()),
        )
    )


def _take_back_from_others(connection: Connection, actor: Actor, phone_id: int | None) -> None:
    """Whoever has this number open from a list, and has not called yet, loses it: the person is
    on the line."""
    connection.execute(
        text("""
        UPDATE attempt a SET state = 'planned', lease_until = NULL, lease_owner = NULL
        WHERE a.state = 'leased' AND a.channel = 'operator' AND a.phone_id = :phone
        AND a.lease_owner <> :me AND NOT EXISTS (SELECT 1 FROM operator_period o
            WHERE o.conversation_id = a.id AND o.state = 'talking')
        """),
        {"phone": phone_id, "me": actor.name},
    )


def give_back(connection: Connection, operator: str) -> int:
    """Put a call back that this operator has not made yet where it was; how many."""
    return connection.execute(
        text("""
        UPDATE inbound_call i SET state = 'call_back', taken_by = NULL, taken_at = NULL
        WHERE i.state = 'taken' AND i.taken_by = :operator AND i.due_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM operator_period o
            WHERE o.conversation_id = i.id AND o.operator = :operator AND o.state = 'talking')
        """),
        {"operator": operator},
    ).rowcount


def not_connected(service: Service, actor: Actor, inbound_id: UUID, now: datetime) -> None:
    """The carrier could not connect the caller: they have hung up, and are called back."""
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE inbound_call SET state = 'waiting', taken_by = NULL, taken_at = NULL
            WHERE id = :id AND taken_by = :me AND state = 'taken'
            """),
            {"id": inbound_id, "me": actor.name},
        )
        missed(connection, service, now, "i.id = :id", {"id": inbound_id})
        presence.change(connection, actor.name, OperatorState.FREE, now)


def people_of(connection: Connection, inbound_id: UUID) -> Sequence[int]:
    """Whose call it is: whom an operator found, else everybody who has the number."""
    return connection.scalars(
        text("""
        SELECT coalesce(i.debtor_id, dp.debtor_id) FROM inbound_call i
        LEFT JOIN debtor_phone dp ON dp.phone_id = i.phone_id AND i.debtor_id IS NULL
        WHERE i.id = :id AND coalesce(i.debtor_id, dp.debtor_id) IS NOT NULL
        """),
        {"id": inbound_id},
    ).all()


def find_people(
    service: Service, actor: Actor, inbound_id: UUID, wanted: str, now: datetime
) -> Sequence[Found]:
    """Whose call this may be: the office's people by their 宛名番号, or by their whole name in
    kana. That it was asked, and of each whom it showed, is recorded in the audit log. Raises
    :class:`NotYours`, also after :data:`LOOKED_UP` times in one call."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    wanted = wanted.strip()
    with service.engine.begin() as connection:
        _may_look_up(connection, actor, inbound_id)
        if not wanted:
            return []
        rows = connection.execute(
            text(f"""
            SELECT d.id, d.code, d.name, d.name_kana FROM debtor d
            WHERE (d.code = :code OR d.name_index = ANY(:indexes)) AND {OWED_TO_THEM}
            ORDER BY d.code LIMIT 20
            """),
            {"code": wanted, "indexes": service.vault.indexes("name", name_key(wanted))}
            | office_of(actor),
        ).all()
        audit.record(connection, now, actor, SEARCHED, str(inbound_id), found=len(rows))
        for row in rows:
            audit.record(
                connection, now, actor, "person.found", f"debtor:{row.id}", call=str(inbound_id)
            )
    return [_found(service, row) for row in rows]


def _found(service: Service, row: Row[Any]) -> Found:
    def opened(column: str, sealed: bytes | None) -> str | None:
        return service.vault.open(f"debtor.{column}", sealed) if sealed else None

    return Found(row.code, opened("name", row.name), opened("name_kana", row.name_kana))


def it_is(service: Service, actor: Actor, inbound_id: UUID, code: str, now: datetime) -> None:
    """The operator found out whose call it is. Raises :class:`NotYours`, likewise."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        _may_look_up(connection, actor, inbound_id)
        found = connection.scalar(
            text(f"""
            UPDATE inbound_call SET debtor_id = d.id FROM debtor d
            WHERE inbound_call.id = :id AND d.code = :code AND {OWED_TO_THEM} RETURNING d.id
            """),
            {"id": inbound_id, "code": code} | office_of(actor),
        )
        if found is None:  # a guess: it counts, and stays on record
            audit.record(connection, now, actor, SEARCHED, str(inbound_id), found=0)
        else:
            # a check of somebody else says nothing about this person
            connection.execute(
                text("DELETE FROM identity_check WHERE conversation_id = :id"), {"id": inbound_id}
            )
            audit.record(connection, now, actor, FOUND, str(inbound_id), debtor=found)
    if found is None:
        raise NotYours("その宛名番号の方はいません / nobody has that code")


def _may_look_up(connection: Connection, actor: Actor, inbound_id: UUID) -> None:
    """Within a call that is theirs, and so often: a caller is one person, and the ledger is no
    telephone book that a long call would open."""
    presence.one_at_a_time(connection, actor.name)
    _must_hold(connection, actor, inbound_id)
    asked = connection.scalar(
        text("""
        SELECT count(*) FROM audit_log
        WHERE subject = :call AND action IN (:searched, :found) AND actor = :me
        """),
        {"call": str(inbound_id), "searched": SEARCHED, "found": FOUND, "me": actor.name},
    )
    if int(asked or 0) >= LOOKED_UP:
        raise NotYours(
            f"一つの電話で探せるのは{LOOKED_UP}回までです。監督者に引き継いでください / "
            f"{LOOKED_UP} look-ups are all there are for one call: hand it to the supervisor"
        )


def _must_hold(connection: Connection, actor: Actor, inbound_id: UUID) -> None:
    if held(connection, actor.name) != inbound_id:
        raise NotYours("この電話はあなたの担当ではありません / this call is not with you")


def tidy(connection: Connection, service: Service, now: datetime) -> None:
    """What nobody reports: ends that were lost, and calls put through that nobody wrote down."""
    connection.execute(
        text("""
        UPDATE inbound_call SET state = 'closed', number = NULL
        WHERE state = 'waiting' AND ended_at <= :shown
        """),
        {"shown": now - SHOWN_AFTER},
    )
    long_ago = {"long_ago": now - LONGEST_CALL}
    lost = connection.execute(
        text("""
        SELECT provider, provider_ref, came_at, number FROM inbound_call
        WHERE state = 'waiting' AND ended_at IS NULL AND came_at < :long_ago
        """),
        long_ago,
    ).all()
    if lost:
        opened = [service.vault.open("inbound_call.number", row.number) if row.number else None
                  for row in lost]  # fmt: skip
        calls = [
            InboundCall(f"{row.provider}:{row.provider_ref}", row.came_at, phone, None, 0, 0,
                        CallResult.ABANDONED)
            for row, phone in zip(lost, opened, strict=True)
        ]  # fmt: skip
        log_calls(connection, service, calls)
        missed(connection, service, now, "i.ended_at IS NULL AND i.came_at < :long_ago", long_ago)
