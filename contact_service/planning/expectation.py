"""What contacts will cause: calls to the centre, and work. Expected values, never promises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import exp
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.hours import Hours
from contact_service.domain.windows import HALF_HOUR, next_open
from contact_service.planning.definitions import definitions_of

#: Who calls back does so after this long on average (exponentially distributed).
MEAN_DELAY = timedelta(hours=2)
#: Half-hours after which hardly anybody calls who has not: less than one in fifty.
_HALF_HOURS = 16

#: Attempts that are to go out, by half-hour: of all runs that are scheduled or under way.
_PLANNED = """
    SELECT a.run_id, a.channel,
        to_timestamp(floor(extract(epoch FROM a.due_at) / 1800) * 1800) AS slot,
        count(*) AS attempts
    FROM attempt a JOIN run r ON r.id = a.run_id AND r.state IN ('scheduled', 'running', 'paused')
    WHERE a.state = 'planned' AND {condition}
    GROUP BY 1, 2, 3
"""


def other_call_backs(connection: Connection, run_id: UUID) -> dict[datetime, float]:
    """Expected call-backs that other runs cause, by the half-hour of the contact."""
    rows = connection.execute(
        text(_PLANNED.format(condition="a.run_id <> :run_id")), {"run_id": run_id}
    ).all()
    definitions = definitions_of(connection, {row.run_id for row in rows})
    found: defaultdict[datetime, float] = defaultdict(float)
    for row in rows:
        rates = definitions[row.run_id].call_backs.expected_rate
        found[row.slot] += row.attempts * rates.get(row.channel, 0.0)
    return dict(found)


def call_backs(contacts: Mapping[datetime, float], hours: Hours) -> dict[datetime, float]:
    """When the calls come that ``contacts`` (expected calls by half-hour of the contact) cause.

    Spread by the delay's distribution; what falls into closed hours comes when it opens again.
    ``hours`` are the centre's, for want of a better record the campaign's own.
    """
    shares = _shares()
    found: defaultdict[datetime, float] = defaultdict(float)
    opening: dict[datetime, datetime] = {}
    for slot, calls in contacts.items():
        for place, share in enumerate(shares):
            at = slot + place * HALF_HOUR
            if at not in opening:
                opening[at] = next_open(hours, at) or at
            found[opening[at]] += calls * share
    return dict(sorted(found.items()))


def _shares() -> list[float]:
    """The share of call-backs in each half-hour from that of the contact on; together 1."""
    per = HALF_HOUR / MEAN_DELAY
    raw = [exp(-per * place) - exp(-per * (place + 1)) for place in range(_HALF_HOURS)]
    return [share / sum(raw) for share in raw]
