"""The call log: inbound calls, as the centre's telephone system reports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre.restricting import restrict_number
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import CallResult
from contact_service.store import audit


@dataclass(frozen=True, slots=True)
class InboundCall:
    """One call that a resident made to the centre. Durations in seconds."""

    key: str
    """The telephone system's own identifier: the same call twice counts once."""
    started_at: datetime
    phone: str | None
    """E.164, or ``None`` when withheld."""
    wait_seconds: int | None
    """``None``: nobody told."""
    talk_seconds: int
    wrap_seconds: int
    result: CallResult
    extension: str | None = None


def log_inbound(service: Service, actor: Actor, calls: Sequence[InboundCall], now: datetime) -> int:
    """Add inbound calls to the call log. Returns how many were new.

    A number is matched by its blind index; one that nobody in the ledger has is not kept.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        added = log_calls(connection, service, calls)
        audit.record(connection, now, actor, "calls.log", "inbound", added=added)
        return added


def log_calls(connection: Connection, service: Service, calls: Sequence[InboundCall]) -> int:
    """The same within a transaction."""
    indexes = [service.vault.indexes("phone", item.phone) if item.phone else [] for item in calls]
    return connection.execute(
        text("""
        INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds,
            wrap_seconds, result, extension, phone_id, deduplication_key)
        SELECT 'resident', 'inbound', v.started_at, v.wait, v.talk, v.wrap, v.result,
            v.extension, p.id, 'inbound:' || v.key
        FROM unnest(
            CAST(:keys AS text[]), CAST(:starts AS timestamptz[]), CAST(:waits AS int[]),
            CAST(:talks AS int[]), CAST(:wraps AS int[]), CAST(:results AS text[]),
            CAST(:extensions AS text[])
        ) WITH ORDINALITY AS v(key, started_at, wait, talk, wrap, result, extension, place)
        LEFT JOIN (SELECT i.place, p.id
            FROM unnest(CAST(:places AS bigint[]), CAST(:indexes AS bytea[]))
                AS i(place, number_index)
            JOIN phone p ON p.number_index = i.number_index) AS p ON p.place = v.place
        ON CONFLICT (deduplication_key) DO NOTHING
        """),
        {
            "keys": [item.key[:70] for item in calls],
            "starts": [item.started_at for item in calls],
            "waits": [item.wait_seconds for item in calls],
            "talks": [item.talk_seconds for item in calls],
            "wraps": [item.wrap_seconds for item in calls],
            "results": [item.result.value for item in calls],
            "extensions": [item.extension for item in calls],
            "places": [n for n, made in enumerate(indexes, start=1) for _ in made],
            "indexes": [index for made in indexes for index in made],
        },
    ).rowcount


def no_more_calls(service: Service, actor: Actor, phone: str, now: datetime) -> bool:
    """Leave a number alone from now on, because whoever called from it asked for that.

    Returns whether the ledger knows the number; of one that nobody in it has nothing is kept.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        phone_id = connection.scalar(
            text("SELECT id FROM phone WHERE number_index = ANY(:indexes)"),
            {"indexes": service.vault.indexes("phone", phone)},
        )
        added = phone_id is not None and restrict_number(
            connection, phone_id, RestrictionKind.OPTED_OUT, now
        )
        audit.record(connection, now, actor, "number.no_calls", "inbound", added=int(added))
        return added
