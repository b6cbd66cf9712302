"""Calls back and people who are with an operator go to somebody else, or to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from contact_service.bootstrap import Service
from contact_service.callcentre import presence, taking
from contact_service.callcentre.call_backs import TRIES
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.list import HOLD_SECONDS, SHOWN, has_of_list
from contact_service.callcentre.own import of_own_office, own_kinds
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.offices import kinds_of
from contact_service.people.search import OWED_TO_THEM
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class Piece:
    """A call back, or somebody whom an operator has."""

    id: UUID
    due_at: datetime | None
    """Of a call back; ``None``: from a list."""
    with_: str | None
    """Who has them now, or is to call; ``None``: anybody."""
    taken: bool
    talking: bool
    """On the line: stays where it is."""
    tries: int
    """Of a call back, the one to come included."""
    codes: Sequence[str]
    may_take: Sequence[str]
    """Who can be given it: operators whose office is told of the person."""


#: Calls back that are to come, and whoever is open on a desk. ``kind``: an attempt, or a call.
_WORK = f"""
SELECT a.id, 'attempt' AS kind, CASE WHEN a.requested THEN a.due_at END AS due_at,
    CASE WHEN a.state = 'leased' THEN a.lease_owner ELSE a.reserved_for END AS with_,
    a.state = 'leased' AS taken, CASE WHEN a.requested THEN {TRIES} ELSE 0 END AS tries, ARRAY(
        SELECT d.code FROM debtor d WHERE d.id IN (
            SELECT k.debtor_id FROM target_claim tc JOIN claim k ON k.id = tc.claim_id
            WHERE tc.target_id = a.target_id) AND {OWED_TO_THEM} ORDER BY 1) AS codes,
    ARRAY(SELECT k.kind FROM target_claim tc JOIN claim k ON k.id = tc.claim_id
        WHERE tc.target_id = a.target_id) AS kinds, true AS known,
    a.target_id, CAST(NULL AS bigint) AS debtor_id, CAST(NULL AS bigint) AS called_by
FROM attempt a JOIN run r ON r.id = a.run_id AND r.state = 'running'
WHERE a.channel = 'operator' AND a.expires_at > :now AND ((a.state = 'planned' AND a.requested)
    OR (a.state = 'leased' AND a.lease_until > clock_timestamp()))
UNION ALL
SELECT i.id, 'call', i.due_at, CASE WHEN i.state = 'taken' THEN i.taken_by ELSE i.reserved_for END,
    i.state = 'taken', CASE WHEN i.due_at IS NOT NULL THEN i.try_number ELSE 0 END, ARRAY(
        SELECT d.code FROM debtor d WHERE d.id IN (
            SELECT i.debtor_id UNION SELECT dp.debtor_id FROM debtor_phone dp
            WHERE dp.phone_id = i.phone_id AND i.debtor_id IS NULL) AND {OWED_TO_THEM}
        ORDER BY 1),
    ARRAY(SELECT k.kind FROM claim k WHERE k.debtor_id IN (
        SELECT i.debtor_id UNION SELECT dp.debtor_id FROM debtor_phone dp
        WHERE dp.phone_id = i.phone_id AND i.debtor_id IS NULL)),
    i.debtor_id IS NOT NULL OR EXISTS (
        SELECT FROM debtor_phone dp WHERE dp.phone_id = i.phone_id),
    NULL, i.debtor_id, i.phone_id
FROM inbound_call i WHERE i.state IN ('call_back', 'taken')
"""
_TALKING = """
EXISTS (SELECT 1 FROM operator_period o WHERE o.conversation_id = w.id AND o.ended_at IS NULL
    AND o.state IN ('talking', 'wrapping_up'))
"""
_OWN = of_own_office("w")


def work(service: Service, actor: Actor, now: datetime, most: int = 300) -> Sequence[Piece]:
    """All of it: who is open on a desk first, then calls back by their time."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT w.*, {_TALKING} AS talking FROM ({_WORK}) w WHERE {_OWN}
            ORDER BY w.taken DESC, w.due_at NULLS FIRST, w.id LIMIT :most
            """),
            {"now": now, "most": most} | own_kinds(actor),
        ).all()
        able = _operators(connection, service, actor)
    return [
        Piece(
            row.id, row.due_at, row.with_, row.taken, row.talking, row.tries, row.codes,
            [each.name for each in able if _is_told_of(each, row)],
        )
        for row in rows
    ]  # fmt: skip


def operators(service: Service, actor: Actor) -> Sequence[str]:
    """Who can be given work: everybody whose account is an operator's or a supervisor's, of the
    actor's office or of all. Whom of them one piece can go to, it says itself."""
    require(actor, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        return [each.name for each in _operators(connection, service, actor)]


def reassign(service: Service, actor: Actor, id_: UUID, to: str | None, now: datetime) -> None:
    """Give one piece to ``to``, or to anybody (``None``).

    Somebody who is open on a desk and has not been called goes straight to the other's desk, if
    that is open and has nobody; to anybody: back to the list. Raises :class:`MayNot`, also for an
    operator whose office is not told of the person.
    """
    require(actor, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        row = connection.execute(
            text(f"""
            SELECT w.*, {_TALKING} AS talking FROM ({_WORK}) w WHERE w.id = :id AND {_OWN}
            """),
            {"id": id_, "now": now} | own_kinds(actor),
        ).one_or_none()
        if row is None:
            raise MayNot("もう終わったか、時刻を過ぎました / it is done, or its time is over")
        if row.talking:
            raise MayNot("通話中の方は渡せません / somebody who is in a call stays there")
        receiver = None if to is None else _receiver(connection, service, actor, to)
        if receiver is not None and not _is_told_of(receiver, row):
            raise MayNot(f"{to} さんの課の債権ではありません / it is no claim of {to}'s office")
        if not row.taken:
            moved = _reserve(connection, [id_], to)
        elif receiver is None:
            moved = _back_to_the_list(connection, row)
        else:
            moved = _to_the_desk_of(connection, row, receiver.name)
            # their desk shows the number from now on, as if they had asked for the next person
            audit.record(connection, now, receiver, SHOWN, str(id_), given_by=actor.name)
        if not moved:
            raise MayNot("その間に変わりました / it has changed meanwhile")
        audit.record(connection, now, actor, "work.reassigned", str(id_), was=row.with_, to=to)


def reassign_all(service: Service, actor: Actor, from_: str, to: str | None, now: datetime) -> int:
    """Give all calls back that are reserved for ``from_`` to ``to``, or to anybody; how many. What
    the office of ``to`` is not told of stays. Raises :class:`MayNot`."""
    require(actor, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        receiver = None if to is None else _receiver(connection, service, actor, to)
        rows = connection.execute(
            text(f"""
            SELECT w.* FROM ({_WORK}) w WHERE NOT w.taken AND w.with_ = :name AND {_OWN}
            """),
            {"now": now, "name": from_} | own_kinds(actor),
        ).all()
        ids = [row.id for row in rows if receiver is None or _is_told_of(receiver, row)]
        moved = _reserve(connection, ids, to)
        audit.record(
            connection, now, actor, "work.reassigned", "call_backs", was=from_, to=to, count=moved
        )
    return moved


def _operators(connection: Connection, service: Service, actor: Actor) -> Sequence[Actor]:
    """Who talks to people, of the actor's office or of all, by name."""
    rows = connection.execute(
        text("""
        SELECT name, role, office FROM user_account WHERE disabled_at IS NULL
        AND role IN ('operator', 'contractor', 'supervisor')
        AND (:office = :every OR office IN (:every, :office)) ORDER BY name
        """),
        {"office": actor.office, "every": EVERY_OFFICE},
    )
    return [
        Actor(row.name, Role(row.role), row.office, kinds=kinds_of(row.office, service.settings))
        for row in rows
    ]


def _receiver(connection: Connection, service: Service, actor: Actor, name: str) -> Actor:
    """Raises :class:`MayNot`."""
    for each in _operators(connection, service, actor):
        if each.name == name:
            return each
    raise MayNot("そのオペレーターはいません / there is no such operator")


def _is_told_of(receiver: Actor, row: Row[Any]) -> bool:
    """What ``callcentre.own`` says of a piece, for whoever is to have it: something is owed their
    office, or nobody knows who called."""
    return (
        receiver.office == EVERY_OFFICE
        or not row.known
        or not set(receiver.own_kinds).isdisjoint(row.kinds)
    )


def _reserve(connection: Connection, ids: Sequence[UUID], to: str | None) -> int:
    of = {"ids": list(ids), "to": to}
    attempts = connection.execute(
        text("""
        UPDATE attempt SET reserved_for = :to
        WHERE id = ANY(:ids) AND state = 'planned' AND requested
        """),
        of,
    ).rowcount
    calls = connection.execute(
        text("""
        UPDATE inbound_call SET reserved_for = :to WHERE id = ANY(:ids) AND state = 'call_back'
        """),
        of,
    ).rowcount
    return attempts + calls


def _back_to_the_list(connection: Connection, row: Row[Any]) -> int:
    if row.kind == "attempt":
        statement = """
        UPDATE attempt SET state = 'planned', lease_until = NULL, lease_owner = NULL,
            reserved_for = NULL
        WHERE id = :id AND state = 'leased' AND lease_owner = :was
        """
    elif row.due_at is not None:
        statement = """
        UPDATE inbound_call SET state = 'call_back', taken_by = NULL, taken_at = NULL,
            reserved_for = NULL
        WHERE id = :id AND state = 'taken' AND taken_by = :was
        """
    else:
        raise MayNot("かかってきた電話は渡せません / a call on the line stays where it is")
    return connection.execute(text(statement), {"id": row.id, "was": row.with_}).rowcount


def _to_the_desk_of(connection: Connection, row: Row[Any], to: str) -> int:
    presence.one_at_a_time(connection, to)
    if presence.period_of(connection, to) is None:
        raise MayNot(f"{to} さんのデスクは閉じています / {to}'s desk is closed")
    if taking.held(connection, to) or has_of_list(connection, to):
        raise MayNot(f"{to} さんには、ほかの方がいます / {to} has somebody already")
    if row.kind == "attempt":
        statement = """
        UPDATE attempt SET lease_owner = :to, lease_number = lease_number + 1,
            lease_until = clock_timestamp() + make_interval(secs => :seconds)
        WHERE id = :id AND state = 'leased' AND lease_owner = :was
        """
    elif row.due_at is not None:
        statement = """
        UPDATE inbound_call SET taken_by = :to
        WHERE id = :id AND state = 'taken' AND taken_by = :was
        """
    else:
        raise MayNot("かかってきた電話は渡せません / a call on the line stays where it is")
    return connection.execute(
        text(statement), {"id": row.id, "was": row.with_, "to": to, "seconds": HOLD_SECONDS}
    ).rowcount
