"""Trunks that say that they are there, and what becomes of the callers of one that is gone.

A carrier tells how each call ended. A trunk of the office's own that has died tells nothing until
it is back, and it may never be: whoever waited on it has long hung up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.callcentre import incoming
from contact_service.dispatch import providers

#: A trunk of which nothing was heard for so long (real time) is gone, and its callers with it. It
#: says every ten seconds that it is there.
SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SilentTrunk:
    """A trunk that is set up, has been there, and says nothing any more."""

    provider: str
    silence: timedelta


def heard_of(service: Service, provider: str) -> None:
    """A trunk is there."""
    with service.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO trunk_heartbeat (provider, seen_at) VALUES (:provider, clock_timestamp())
            ON CONFLICT (provider) DO UPDATE SET seen_at = excluded.seen_at
            """),
            {"provider": provider},
        )


def silent_trunks(connection: Connection, service: Service) -> Sequence[SilentTrunk]:
    """Trunks that are gone; those that the office has given up are not asked after."""
    names = [item.name for item in providers.configured(service.settings)]
    rows = connection.execute(
        text("""
        SELECT provider, clock_timestamp() - seen_at AS silence FROM trunk_heartbeat
        WHERE provider = ANY(:names) AND seen_at < clock_timestamp() - CAST(:after AS interval)
        ORDER BY provider
        """),
        {"names": names, "after": SILENT_AFTER},
    )
    return [SilentTrunk(row.provider, row.silence) for row in rows]


def close_callers_of_silent_trunks(service: Service, now: datetime) -> int:
    """Whoever waits on a trunk that is gone has hung up, and is called back. Returns how many.

    What the trunk tells when it is back changes nothing: a call is logged once. Who speaks with an
    operator is with that operator, who concludes it.
    """
    with service.engine.connect() as connection:
        silences = {one.provider: one.silence for one in silent_trunks(connection, service)}
        waiting = connection.execute(
            text("""
            SELECT provider, provider_ref, came_at, attempt_id FROM inbound_call
            WHERE state = 'waiting' AND ended_at IS NULL AND provider = ANY(:silent)
            """),
            {"silent": list(silences)},
        ).all()
    for call in waiting:
        if call.attempt_id is not None:  # an auto-call that was put through has its own report
            incoming.left(service, call.provider, call.provider_ref, now)
            continue
        length = max(timedelta(), now - silences[call.provider] - call.came_at)
        incoming.ended(
            service, call.provider, call.provider_ref, None, call.came_at,
            round(length.total_seconds()), None, now,
        )  # fmt: skip
    return len(waiting)
