"""When somebody can be called back: half-hours of the campaign's own hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.windows import open_slots
from contact_service.planning.definitions import definitions_of

#: How far ahead somebody may ask to be called.
DAYS = 14
_MOST = 200


def slots(service: Service, attempt_id: UUID, now: datetime) -> list[datetime]:
    """Open half-hours from the next one on, over two weeks; none for an unknown attempt."""
    with service.engine.connect() as connection:
        run_id = connection.scalar(
            text("SELECT run_id FROM attempt WHERE id = :id"), {"id": attempt_id}
        )
        if run_id is None:
            return []
        hours = definitions_of(connection, {run_id})[run_id].hours
    begins = now + timedelta(minutes=30)
    begins = begins.replace(minute=0 if begins.minute < 30 else 30, second=0, microsecond=0)
    return list(islice((slot for slot in open_slots(hours, begins, DAYS) if slot > now), _MOST))
