"""When somebody can be called back: half-hours of the campaign's own hours."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.callcentre.incoming import half_hours, rules_of
from contact_service.planning.definitions import definitions_of


def slots(service: Service, conversation_id: UUID, now: datetime) -> list[datetime]:
    """Open half-hours from the next one on, over two weeks: of an attempt's campaign, or of the
    centre for somebody who called."""
    with service.engine.connect() as connection:
        run_id = connection.scalar(
            text("SELECT run_id FROM attempt WHERE id = :id"), {"id": conversation_id}
        )
        if run_id is None:
            return half_hours(rules_of(service).hours, now)
        hours = definitions_of(connection, {run_id})[run_id].hours
    return half_hours(hours, now)
