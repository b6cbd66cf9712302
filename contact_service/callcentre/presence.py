"""Who is at a desk and what they do; a desk that was closed gives its person back.

A desk's page reports every few seconds. Until it has done so once (a browser without scripts) a
person stays with the operator for :data:`list.HOLD_SECONDS`; from then on only while it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.states import OperatorState

#: A desk of which nothing is heard for so long (real seconds) is closed. Browsers let a page
#: in the background speak only once a minute.
CLOSED_AFTER_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Period:
    """What an operator is doing, and since when."""

    state: OperatorState
    started_at: datetime
    conversation_id: UUID | None


def period_of(connection: Connection, operator: str) -> Period | None:
    """What this operator is doing; ``None``: not at the desk."""
    row = connection.execute(
        text("""
        SELECT state, started_at, conversation_id FROM operator_period
        WHERE operator = :operator AND ended_at IS NULL
        """),
        {"operator": operator},
    ).one_or_none()
    return Period(OperatorState(row.state), row.started_at, row.conversation_id) if row else None


def one_at_a_time(connection: Connection, operator: str) -> None:
    """Two browsers of one operator, or a supervisor and the operator: the second waits until the
    first has committed, and then sees what it did."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('desk'), hashtext(:operator))"),
        {"operator": operator},
    )


def change(
    connection: Connection,
    operator: str,
    state: OperatorState | None,
    now: datetime,
    conversation_id: UUID | None = None,
) -> None:
    """End what an operator was doing and begin ``state``; ``None``: the desk is left."""
    one_at_a_time(connection, operator)
    connection.execute(
        text("""
        UPDATE operator_period SET ended_at = greatest(:now, started_at)
        WHERE operator = :operator AND ended_at IS NULL
        """),
        {"operator": operator, "now": now},
    )
    if state is not None:
        connection.execute(
            text("""
            INSERT INTO operator_period (operator, state, started_at, seen_at, conversation_id)
            VALUES (:operator, :state, :now, clock_timestamp(), :conversation)
            """),
            {
                "operator": operator,
                "state": state.value,
                "now": now,
                "conversation": conversation_id,
            },
        )


def still_here(service: Service, actor: Actor) -> None:
    """A desk's page reports: its operator keeps the person for a while longer."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            UPDATE operator_period SET seen_at = clock_timestamp()
            WHERE operator = :operator AND ended_at IS NULL
            """),
            {"operator": actor.name},
        )
        connection.execute(
            text("""
            UPDATE attempt SET lease_until = clock_timestamp() + make_interval(secs => :seconds)
            WHERE state = 'leased' AND channel = 'operator' AND lease_owner = :operator
            """),
            {"operator": actor.name, "seconds": CLOSED_AFTER_SECONDS},
        )


def close_silent_desks(connection: Connection, now: datetime) -> int:
    """End the periods of desks of which nothing has been heard; how many. What they were doing
    ended when they were last heard of, and whoever they had is given back by the lease's end."""
    closed = connection.execute(
        text("""
        UPDATE operator_period o SET ended_at = greatest(o.started_at, CAST(:now AS timestamptz)
            - (clock_timestamp() - o.seen_at))
        WHERE o.ended_at IS NULL
        AND o.seen_at < clock_timestamp() - make_interval(secs => :seconds)
        AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.state = 'leased'
            AND a.channel = 'operator' AND a.lease_owner = o.operator
            AND a.lease_until > clock_timestamp())
        """),
        {"now": now, "seconds": CLOSED_AFTER_SECONDS},
    ).rowcount
    # a call back that was opened and not made is anybody's again; a caller on the line stays with
    # whoever speaks with them
    connection.execute(
        text("""
        UPDATE inbound_call i SET state = 'call_back', taken_by = NULL, taken_at = NULL
        WHERE i.state = 'taken' AND i.due_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM operator_period o
            WHERE o.operator = i.taken_by AND o.ended_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM operator_period o
            WHERE o.conversation_id = i.id AND o.operator = i.taken_by AND o.state = 'talking')
        """)
    )
    return closed


def give_back(connection: Connection, operator: str) -> int:
    """Put whoever this operator has back on the list; how many that were."""
    return connection.execute(
        text("""
        UPDATE attempt SET state = 'planned', lease_until = NULL, lease_owner = NULL
        WHERE state = 'leased' AND channel = 'operator' AND lease_owner = :operator
        """),
        {"operator": operator},
    ).rowcount
