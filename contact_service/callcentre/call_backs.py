"""When somebody can be called back: half-hours of the campaign's own hours.

Somebody who does not answer when they are called back is called once more, by the office's rule.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from campaigns.hours import Hours
from contact_service.bootstrap import Service
from contact_service.callcentre.house_rules import HouseRules
from contact_service.callcentre.incoming import half_hours, rules_of
from contact_service.domain.states import DispositionKind
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


def next_try(
    rules: HouseRules, kind: DispositionKind, tried: int, hours: Hours, now: datetime
) -> datetime | None:
    """When a call back that came to ``kind`` is tried again, after ``tried`` tries: an open
    half-hour. ``None``: somebody answered, or it has been tried often enough."""
    minutes = rules.call_backs.again_after_minutes.get(kind)
    if minutes is None or tried >= rules.call_backs.most_tries:
        return None
    soonest = now + timedelta(minutes=minutes)
    return next((slot for slot in half_hours(hours, now) if slot >= soonest), None)


#: How often the call back of attempt ``a`` has been tried, itself included: since they last said
#: when to call.
TRIES = """(
    SELECT count(*) FROM attempt r WHERE r.target_id = a.target_id AND r.step = a.step
    AND r.requested AND r.try_number <= a.try_number AND r.try_number > coalesce(
        (SELECT max(e.try_number) FROM attempt e WHERE e.target_id = a.target_id
            AND e.step = a.step AND e.try_number < a.try_number AND e.outcome = 'answered'), 0))
"""
