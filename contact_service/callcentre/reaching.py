"""Where and when somebody is most likely to be reached: their numbers, and each one's best hour.

The hour is learnt from the number's own calls out, as for campaigns (``planning.best_hour``): the
share of answered calls at an hour, together with :data:`WEIGHT` calls that were answered as often
as all calls to that number were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.planning.best_hour import WEIGHT
from contact_service.store import left_alone


@dataclass(frozen=True, slots=True)
class Reachable:
    """One number that may be called."""

    debtor_id: int
    phone: str
    """E.164."""
    calls: int
    answered: int
    best_hour: int | None
    """0 to 23, Asia/Tokyo; ``None``: nobody ever picked up, or it was never called."""


_NUMBERS = text(f"""
WITH theirs AS (
    SELECT dp.debtor_id, dp.phone_id, dp.rank, p.number, p.kind
    FROM debtor_phone dp JOIN phone p ON p.id = dp.phone_id
    WHERE dp.debtor_id = ANY(:people) AND p.id NOT IN ({left_alone.RESTRICTED_PHONES})
), by_hour AS (
    SELECT k.phone_id, extract(hour FROM k.started_at AT TIME ZONE 'Asia/Tokyo')::int AS hour,
        count(*) AS calls,
        count(*) FILTER (WHERE k.result IN ('talked', 'complaint', 'wrong_number')) AS answered
    FROM call k WHERE k.direction = 'outbound' AND k.phone_id IN (SELECT phone_id FROM theirs)
    GROUP BY 1, 2
), total AS (
    SELECT phone_id, sum(calls)::int AS calls, sum(answered)::int AS answered
    FROM by_hour GROUP BY 1
)
SELECT t.debtor_id, t.number, coalesce(a.calls, 0) AS calls, coalesce(a.answered, 0) AS answered,
    (SELECT h.hour FROM by_hour h WHERE h.phone_id = t.phone_id AND a.answered > 0
        ORDER BY (h.answered + {WEIGHT} * a.answered::numeric / a.calls)
            / (h.calls + {WEIGHT}) DESC, h.hour LIMIT 1) AS best_hour
FROM theirs t LEFT JOIN total a ON a.phone_id = t.phone_id
ORDER BY t.debtor_id, t.kind <> 'mobile', t.rank
""")


def numbers_of(
    connection: Connection, service: Service, people: Sequence[int], today: date
) -> list[Reachable]:
    """The numbers of these people that may be used, best first: a mobile before a fixed one, then
    as the file ranks them."""
    rows = connection.execute(_NUMBERS, {"people": list(people)} | left_alone.parameters(today))
    return [
        Reachable(
            row.debtor_id,
            service.vault.open("phone.number", row.number),
            row.calls,
            row.answered,
            row.best_hour,
        )
        for row in rows
    ]
