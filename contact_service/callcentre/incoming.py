"""Incoming calls: who waits, who takes one, and who is called back.

A call is one row from the first ring to what came of it. It is taken by exactly one operator:
whoever's statement changes its state. Who hung up before anybody took it is called back, unless
they must be left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.hours import Hours
from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.callcentre.calls import InboundCall, log_calls
from contact_service.callcentre.house_rules import Incoming, house_rules
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM, Actor, Role, require
from contact_service.domain.identity import derived_id
from contact_service.domain.states import CallResult, InboundState
from contact_service.domain.windows import is_open, open_slots
from contact_service.people.masking import masked_name
from contact_service.people.search import OWED_TO_THEM, office_of
from contact_service.planning.definitions import definitions_of, kinds_of
from contact_service.store import audit, left_alone

#: A call that was put through is on the desks for so long after it has ended: whoever picked up
#: may still have to write down what was said.
SHOWN_AFTER = timedelta(minutes=10)
#: A call whose end nobody reported is over by then.
LONGEST_CALL = timedelta(hours=2)
#: A call that came so long after a contact was probably caused by it.
CAUSED_WITHIN = timedelta(hours=72)
_DAYS_AHEAD = 14


class Reception(StrEnum):
    """What becomes of a call that comes in now."""

    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LastContact:
    """What a campaign did last at this number, before the call."""

    campaign: str | None
    """``None``: another office's, whose name is not for this one."""
    channel: Channel
    at: datetime
    earlier: timedelta
    """How long before the call."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that is on the line, or somebody who is to be called back, as desks show it."""

    id: UUID
    came_at: datetime
    due_at: datetime | None
    """Of a call back; ``None``: on the line."""
    asked: bool
    """Whether the caller asked to be called back."""
    people: int
    """How many in the ledger have the number; 0: unknown or withheld."""
    withheld: bool
    name: str | None
    """Of the only one who has it, masked: every free desk sees it, and whoever takes the call is
    written down as having seen the person."""
    last: LastContact | None


def rules_of(service: Service) -> Incoming:
    """What the office has decided about incoming calls."""
    return house_rules(service.settings.desk_file).incoming


def reception(service: Service, now: datetime) -> Reception:
    """Whether callers can be taken now."""
    rules = rules_of(service)
    if not is_open(rules.hours, now):
        return Reception.CLOSED
    with service.engine.connect() as connection:
        waiting = connection.scalar(_HOW_MANY_WAIT)
    return Reception.FULL if waiting >= rules.most_waiting else Reception.OPEN


_HOW_MANY_WAIT = text("""
SELECT count(*) FROM inbound_call WHERE state = 'waiting' AND ended_at IS NULL
""")


def arrived(
    service: Service,
    provider: str,
    ref: str,
    caller: str | None,
    now: datetime,
    attempt_id: UUID | None = None,
) -> None:
    """A call waits for an operator from now on; said twice, it is one call. ``attempt_id`` names
    the auto-call that was put through; its number is then the caller's."""
    vault = service.vault
    with service.engine.begin() as connection:
        if attempt_id is not None:
            sealed = connection.scalar(
                text("SELECT p.number FROM attempt a JOIN phone p ON p.id = a.phone_id "
                     "WHERE a.id = :id"),
                {"id": attempt_id},
            )  # fmt: skip
            caller = vault.open("phone.number", sealed) if sealed else None
        connection.execute(
            text("""
            INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, phone_id,
                number, attempt_id, asked)
            VALUES (:id, :provider, :ref, 'waiting', :now,
                (SELECT p.id FROM phone p WHERE p.number_index = ANY(:indexes)),
                :number, :attempt, false)
            ON CONFLICT (provider, provider_ref) DO UPDATE
            SET state = 'waiting', taken_by = NULL, taken_at = NULL
            WHERE inbound_call.state = 'taken' AND inbound_call.ended_at IS NULL
            """),
            {
                "id": derived_id("inbound", provider, ref),
                "provider": provider,
                "ref": ref[:80],
                "now": now,
                "indexes": vault.indexes("phone", caller) if caller else [],
                "number": vault.seal("inbound_call.number", caller) if caller else None,
                "attempt": attempt_id,
            },
        )


def waited(service: Service, provider: str, ref: str, now: datetime) -> timedelta | None:
    """How long a caller has been waiting; ``None``: they wait no more."""
    with service.engine.connect() as connection:
        came_at = connection.scalar(
            text("""
            SELECT came_at FROM inbound_call
            WHERE provider = :provider AND provider_ref = :ref AND state = 'waiting'
            """),
            {"provider": provider, "ref": ref},
        )
    return None if came_at is None else now - came_at


def call_me_back(
    service: Service, provider: str, ref: str, caller: str | None, now: datetime
) -> datetime | None:
    """The caller wants to be called back: the next half-hour that is free. ``None``: their number
    is not known."""
    rules = rules_of(service)
    with service.engine.begin() as connection:
        connection.execute(text("LOCK TABLE inbound_call IN SHARE ROW EXCLUSIVE MODE"))
        slot = _free_slot(connection, rules, now)
        if slot is None:
            return None
        made: datetime | None = connection.scalar(
            text("""
            INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, phone_id,
                number, due_at, asked)
            SELECT :id, CAST(:provider AS text), CAST(:ref AS text), 'call_back', :now,
                (SELECT p.id FROM phone p WHERE p.number_index = ANY(:indexes)),
                :number, :slot, true
            WHERE CAST(:number AS bytea) IS NOT NULL OR EXISTS (SELECT 1 FROM inbound_call i
                WHERE i.provider = CAST(:provider AS text)
                AND i.provider_ref = CAST(:ref AS text) AND i.number IS NOT NULL)
            ON CONFLICT (provider, provider_ref) DO UPDATE
            SET state = 'call_back', due_at = excluded.due_at, asked = true
            WHERE inbound_call.state = 'waiting' AND inbound_call.number IS NOT NULL
            RETURNING due_at
            """),
            {
                "id": derived_id("inbound", provider, ref),
                "provider": provider,
                "ref": ref[:80],
                "now": now,
                "indexes": service.vault.indexes("phone", caller) if caller else [],
                "number": service.vault.seal("inbound_call.number", caller) if caller else None,
                "slot": slot,
            },
        )
        if made is None:  # pressed twice: what was said stays
            made = connection.scalar(
                text("""
                SELECT due_at FROM inbound_call
                WHERE provider = :provider AND provider_ref = :ref AND state = 'call_back'
                """),
                {"provider": provider, "ref": ref},
            )
        return made


def half_hours(hours: Hours, now: datetime) -> list[datetime]:
    """Open half-hours from the next one on, over two weeks."""
    begins = now + timedelta(minutes=30)
    begins = begins.replace(minute=0 if begins.minute < 30 else 30, second=0, microsecond=0)
    ahead = (slot for slot in open_slots(hours, begins, _DAYS_AHEAD) if slot > now)
    return list(islice(ahead, 200))


def _free_slot(connection: Connection, rules: Incoming, now: datetime) -> datetime | None:
    full = {
        row.due_at
        for row in connection.execute(
            text("""
            SELECT due_at FROM inbound_call WHERE state = 'call_back' AND due_at > :now
            GROUP BY due_at HAVING count(*) >= :most
            """),
            {"now": now, "most": rules.call_backs_per_half_hour},
        )
    }
    return next((slot for slot in half_hours(rules.hours, now) if slot not in full), None)


def left(service: Service, provider: str, ref: str, now: datetime) -> None:
    """A caller has left the queue. Who waits no longer and was not taken is called back."""
    with service.engine.begin() as connection:
        missed(connection, service, now, "provider = :provider AND provider_ref = :ref",
                {"provider": provider, "ref": ref})  # fmt: skip


def ended(
    service: Service,
    provider: str,
    ref: str,
    caller: str | None,
    began_at: datetime,
    seconds: int,
    transferred: bool | None,
    now: datetime,
) -> None:
    """An incoming call is over: it enters the call log, once."""
    where = {"provider": provider, "ref": ref}
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            UPDATE inbound_call SET ended_at = coalesce(ended_at, :now)
            WHERE provider = :provider AND provider_ref = :ref
            RETURNING state, came_at, taken_at, asked, number
            """),
            where | {"now": now},
        ).one_or_none()
        if row is not None and row.state == InboundState.WAITING and not transferred:
            missed(connection, service, now, "provider = :provider AND provider_ref = :ref", where)
        if caller is None and row is not None and row.number is not None:
            # a trunk that died meanwhile knows the number no more
            caller = service.vault.open("inbound_call.number", row.number)
        result = CallResult.OTHER
        if transferred or (row is not None and row.taken_at is not None):
            result = CallResult.TALKED
        elif row is not None and not row.asked:
            result = CallResult.ABANDONED
        wait = 0
        if row is not None and result is not CallResult.OTHER and transferred is None:
            until = row.taken_at or now
            wait = max(0, int((until - row.came_at).total_seconds()))
        call = InboundCall(
            key=f"{provider}:{ref}",
            started_at=began_at,
            phone=caller,
            wait_seconds=min(wait, seconds),
            talk_seconds=seconds - min(wait, seconds) if result is not CallResult.ABANDONED else 0,
            wrap_seconds=0,
            result=result,
        )
        log_calls(connection, service, [call])
        audit.record(connection, now, SYSTEM, "calls.log", "inbound", added=1)


def missed(
    connection: Connection, service: Service, now: datetime, which: str, values: dict[str, Any]
) -> None:
    """Those of ``which`` who wait are to be called back at the next open half-hour; who must be
    left alone, or cannot be called, is not."""
    rules = rules_of(service)
    due = now if is_open(rules.hours, now) else next(iter(half_hours(rules.hours, now)), None)
    connection.execute(
        text(f"""
        UPDATE inbound_call i SET
            state = CASE WHEN i.number IS NULL OR CAST(:due AS timestamptz) IS NULL
                OR {LEFT_ALONE} THEN 'closed' ELSE 'call_back' END,
            due_at = CASE WHEN i.number IS NOT NULL THEN CAST(:due AS timestamptz) END,
            ended_at = coalesce(i.ended_at, :now)
        WHERE i.state = 'waiting' AND {which}
        """),
        values | {"now": now, "due": due} | left_alone.parameters(now.astimezone(TOKYO).date()),
    )


#: Whether the number of incoming call ``i``, or somebody behind it, must be left alone.
LEFT_ALONE = f"""
    (i.phone_id IN ({left_alone.RESTRICTED_PHONES}) OR EXISTS (
        SELECT 1 FROM debtor_phone dp WHERE dp.phone_id = i.phone_id
        AND (dp.debtor_id IN ({left_alone.RESTRICTED_DEBTORS})
            OR dp.debtor_id IN ({left_alone.PROTECTED_DEBTORS}))))
"""


def waiting(service: Service, actor: Actor, now: datetime) -> Sequence[Waiting]:
    """Who is on the line, and who is to be called back now, as this operator may take them:
    the longest wait first."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(f"""
            SELECT i.id, i.came_at, i.due_at, i.asked, i.number IS NULL AS withheld, i.phone_id,
                w.people, w.name
            FROM inbound_call i CROSS JOIN LATERAL (
                SELECT count(*) AS people, (array_agg(d.name))[1] AS name
                FROM debtor_phone dp JOIN debtor d ON d.id = dp.debtor_id
                WHERE dp.phone_id = i.phone_id AND {OWED_TO_THEM}) w
            WHERE (i.state = 'waiting' AND (i.ended_at IS NULL OR i.ended_at > :shown))
            OR (i.state = 'call_back' AND i.due_at <= :now
                AND (i.reserved_for IS NULL OR i.reserved_for = :me
                    OR i.due_at < CAST(:now AS timestamptz) - interval '30 minutes'))
            ORDER BY i.state DESC, coalesce(i.due_at, i.came_at), i.id LIMIT 50
            """),
            {"now": now, "shown": now - SHOWN_AFTER, "me": actor.name} | office_of(actor),
        ).all()
        return [_shown(connection, service, actor, row) for row in rows]


def _shown(connection: Connection, service: Service, actor: Actor, row: Row[Any]) -> Waiting:
    only = row.people == 1 and row.name is not None
    return Waiting(
        id=row.id,
        came_at=row.came_at,
        due_at=row.due_at,
        asked=row.asked,
        people=row.people,
        withheld=row.withheld,
        name=masked_name(service.vault.open("debtor.name", row.name)) if only else None,
        last=last_contact(connection, actor, row.phone_id, row.came_at),
    )


def last_contact(
    connection: Connection, actor: Actor, phone_id: int | None, before: datetime
) -> LastContact | None:
    """What was sent to this number last, if that is what the call was probably caused by. That
    another office has sent something is told to whoever answers, its campaign's name is not."""
    row = connection.execute(
        text("""
        SELECT a.run_id, a.channel, a.submitted_at FROM attempt a
        WHERE a.phone_id = :phone AND a.submitted_at <= :before AND a.submitted_at > :since
        ORDER BY a.submitted_at DESC LIMIT 1
        """),
        {"phone": phone_id, "before": before, "since": before - CAUSED_WITHIN},
    ).one_or_none()
    if row is None:
        return None
    definition = definitions_of(connection, {row.run_id})[row.run_id]
    own = all(actor.sees(kind) for kind in kinds_of(definition))
    return LastContact(
        definition.title if own else None,
        Channel(row.channel),
        row.submitted_at,
        before - row.submitted_at,
    )
