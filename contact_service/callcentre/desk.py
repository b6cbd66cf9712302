"""An operator's desk: what they are doing, whom they have, and how long each part took.

Times are not typed: they are those at which the operator pressed the buttons, by the service's
clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre import presence, taking
from contact_service.callcentre.dispositions import (
    AGREED,
    Conversation,
    Incomplete,
    NotYours,
    record_disposition,
)
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.callcentre.incoming import Waiting, waiting
from contact_service.callcentre.list import NextPerson, held_of_list, next_person
from contact_service.callcentre.placing import may_call_now
from contact_service.callcentre.presence import Period
from contact_service.callcentre.replies import unread
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import IdentityProof, OperatorState
from contact_service.store import audit

#: What an operator may choose to be; the others follow from what they do.
CHOSEN = (OperatorState.FREE, OperatorState.ON_BREAK, OperatorState.OTHER_WORK)


class SomebodyIsWaiting(Exception):
    """A person is with this operator, and something has to be done about them first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's desk as it stands."""

    period: Period | None
    """``None``: the desk is closed."""
    conversation_id: UUID | None
    """Whom the operator has: an attempt, or an incoming call."""
    inbound: bool
    """Whether that is an incoming call, or a call back of one."""
    called: bool
    """Whether that person has been called."""
    call_backs_due: int
    """Calls back that are due now and that this operator may make."""
    call_backs_today: int
    waiting: int
    """Everybody on the lists who is due."""
    calls: Sequence[Waiting]
    """Who is on the line, and who called and is to be called back now."""
    replies: int
    """Messages that nobody reads yet; 0 while the operator has somebody."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """The part of a desk that its page asks for again and again."""

    called: bool
    calls: Sequence[Waiting]
    replies: int


def desk_of(service: Service, actor: Actor, now: datetime) -> Desk:
    """The desk of one operator."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        period = presence.period_of(connection, actor.name)
        inbound = taking.held(connection, actor.name)
        held = _held(connection, actor)
        counts = connection.execute(
            text("""
            SELECT count(*) FILTER (WHERE a.due_at <= :now AND NOT a.requested) AS waiting,
                count(*) FILTER (WHERE a.requested AND a.due_at <= :now
                    AND (a.reserved_for IS NULL OR a.reserved_for = :me)) AS due,
                count(*) FILTER (WHERE a.requested
                    AND a.due_at < date_trunc('day', CAST(:now AS timestamptz)) + interval '1 day'
                    AND (a.reserved_for IS NULL OR a.reserved_for = :me)) AS today
            FROM attempt a JOIN run r ON r.id = a.run_id AND r.state = 'running'
            WHERE a.channel = 'operator' AND a.state = 'planned' AND a.expires_at > :now
            """),
            {"now": now, "me": actor.name},
        ).one()
        called = held is not None and _times(connection, actor, held, now) is not None
        replies = unread(connection, actor) if held is None else 0
    return Desk(
        period, held, inbound is not None, called, counts.due, counts.today, counts.waiting,
        waiting(service, actor, now), replies,
    )  # fmt: skip


def ringing(service: Service, actor: Actor, now: datetime) -> Ringing:
    """Who is on the line, and whether somebody wrote. Every desk asks every few seconds: no list is
    counted for it."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        held = _held(connection, actor)
        called = held is not None and _times(connection, actor, held, now) is not None
        replies = unread(connection, actor) if held is None else 0
    return Ringing(called, waiting(service, actor, now), replies)


def choose(service: Service, actor: Actor, state: OperatorState | None, now: datetime) -> None:
    """Be free, on a break or at other work; ``None`` closes the desk, and gives a person who has
    not been called yet back. Raises :class:`SomebodyIsWaiting`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        held = _held(connection, actor)
        if held is not None:
            _not_in_a_call(connection, actor, held, now)
            presence.give_back(connection, actor.name)
            taking.give_back(connection, actor.name)
            audit.record(connection, now, actor, "person.given_back", str(held))
        presence.change(connection, actor.name, state, now)
        audit.record(connection, now, actor, "desk.state", state.value if state else "closed")


def take_call(
    service: Service, actor: Actor, inbound_id: UUID | None, now: datetime
) -> taking.Taken | None:
    """Take an incoming call, or a call back of one; see :func:`taking.take`. Raises
    :class:`SomebodyIsWaiting`."""
    with service.engine.connect() as connection:
        held = _held(connection, actor)
        if held is not None:
            _not_in_a_call(connection, actor, held, now)
    return taking.take(service, actor, inbound_id, now)


def take_next(service: Service, actor: Actor, now: datetime) -> NextPerson | None:
    """The next person of the lists for a free operator; ``None`` when nobody is due."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        if presence.period_of(connection, actor.name) is None:
            presence.change(connection, actor.name, OperatorState.FREE, now)
    return next_person(service, actor, now)


def may_call(service: Service, actor: Actor, conversation_id: UUID) -> None:
    """Raise :class:`NotYours` unless this operator has the person."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        _must_hold(connection, actor, conversation_id)


def calling(service: Service, actor: Actor, attempt_id: UUID, now: datetime) -> None:
    """The operator dials. Raises :class:`NotYours` and :class:`placing.MustNotCall`."""
    with service.engine.connect() as connection:
        may_call_now(connection, service, attempt_id, now)
    _move(service, actor, attempt_id, OperatorState.TALKING, now)


def hung_up(service: Service, actor: Actor, attempt_id: UUID, now: datetime) -> None:
    """The call is over: what follows is after-call work. Raises :class:`NotYours`."""
    _move(service, actor, attempt_id, OperatorState.WRAPPING_UP, now)


def identified(
    service: Service,
    actor: Actor,
    attempt_id: UUID,
    debtor_id: int,
    proof: IdentityProof,
    now: datetime,
) -> None:
    """It is sure that this person is on the line: what they owe may be spoken of. Raises
    :class:`NotYours`, also for somebody whom the call is not about."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        _must_hold(connection, actor, attempt_id)
        known = connection.execute(
            text("""
            INSERT INTO identity_check (conversation_id, debtor_id, proof, checked_at, checked_by)
            SELECT :attempt, :debtor, :proof, :now, :by
            WHERE :debtor = ANY(CAST(:callers AS bigint[])) OR EXISTS (
                SELECT 1 FROM attempt a JOIN target_claim tc ON tc.target_id = a.target_id
                JOIN claim c ON c.id = tc.claim_id
                WHERE a.id = :attempt AND c.debtor_id = :debtor)
            ON CONFLICT (conversation_id, debtor_id) DO UPDATE SET checked_at = excluded.checked_at
            """),
            {
                "attempt": attempt_id,
                "debtor": debtor_id,
                "callers": list(taking.people_of(connection, attempt_id)),
                "proof": proof.value,
                "now": now,
                "by": actor.name,
            },
        ).rowcount
        if not known:
            raise NotYours("この電話の相手ではありません / the call is not about this person")
        audit.record(connection, now, actor, "person.identified", str(attempt_id), proof=proof)


def conclude(service: Service, actor: Actor, said: Conversation, now: datetime) -> None:
    """Record what came of a call, with the times that the desk measured; the operator is free
    again. Raises what :func:`record_disposition` raises, and ``Incomplete`` for an agreement with
    somebody whose identity was not checked."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        if said.kind in AGREED and not connection.scalar(
            text("SELECT 1 FROM identity_check WHERE conversation_id = :id LIMIT 1"),
            {"id": said.attempt_id},
        ):
            raise Incomplete(
                "約束や分納は、本人確認を記録してからにしてください / record the identity check "
                "before an agreement"
            )
        inbound = connection.scalar(
            text("SELECT 1 FROM inbound_call WHERE id = :id"), {"id": said.attempt_id}
        )
        times = _times(connection, actor, said.attempt_id, now)
    if times is not None:
        said = replace(said, started_at=times[0], talk_seconds=times[1], wrap_seconds=times[2])
    (record_inbound if inbound else record_disposition)(service, actor, said, now)
    with service.engine.begin() as connection:
        presence.change(connection, actor.name, OperatorState.FREE, now)


def _held(connection: Connection, actor: Actor) -> UUID | None:
    inbound = taking.held(connection, actor.name)
    listed = None if inbound else held_of_list(connection, actor)
    return listed.id if listed else inbound


def _not_in_a_call(connection: Connection, actor: Actor, held: UUID, now: datetime) -> None:
    if _times(connection, actor, held, now) is not None:
        raise SomebodyIsWaiting(
            "先に、今の方の結果を記録してください / first record what came of this call"
        )


def _must_hold(connection: Connection, actor: Actor, attempt_id: UUID) -> None:
    if _held(connection, actor) != attempt_id:
        raise NotYours("この方はあなたの担当ではありません / this person is not with you")


def _move(
    service: Service, actor: Actor, attempt_id: UUID, state: OperatorState, now: datetime
) -> None:
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        _must_hold(connection, actor, attempt_id)
        presence.change(connection, actor.name, state, now, attempt_id)
        audit.record(connection, now, actor, f"desk.{state.value}", str(attempt_id))


def _times(
    connection: Connection, actor: Actor, attempt_id: UUID, now: datetime
) -> tuple[datetime, int, int] | None:
    """When the call began, and the seconds of talk and of after-call work; ``None``: no call."""
    row = connection.execute(
        text("""
        SELECT min(started_at) FILTER (WHERE state = 'talking') AS began,
            coalesce(sum(extract(epoch FROM coalesce(ended_at, :now) - started_at))
                FILTER (WHERE state = 'talking'), 0)::int AS talk,
            coalesce(sum(extract(epoch FROM coalesce(ended_at, :now) - started_at))
                FILTER (WHERE state = 'wrapping_up'), 0)::int AS wrap
        FROM operator_period WHERE operator = :operator AND conversation_id = :attempt
        """),
        {"operator": actor.name, "attempt": attempt_id, "now": now},
    ).one()
    return (row.began, row.talk, row.wrap) if row.began is not None else None
