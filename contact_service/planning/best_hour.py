"""The hour at which a number is most likely to be answered, learnt from its own calls.

For each open hour of the day a number's answered calls are set against all calls to it,
together with :data:`WEIGHT` calls that were answered as often as calls at that hour are over
the whole log. A number that was never called has no best hour; any open hour will do.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from campaigns.hours import Hours
from contact_service.domain.windows import open_hours

#: How many calls the common experience counts for.
WEIGHT = 4
_ANSWERED = "k.result IN ('talked', 'complaint', 'wrong_number')"  # somebody picked up
_HOUR = "extract(hour FROM k.started_at AT TIME ZONE 'Asia/Tokyo')::int"

#: The best hour (0 to 23, Asia/Tokyo) of target ``t``'s number, NULL without history.
BEST_HOUR = f"""(
    SELECT common.hour
    FROM plan_hour common LEFT JOIN (
        SELECT {_HOUR} AS hour, count(*) AS calls, count(*) FILTER (WHERE {_ANSWERED}) AS answered
        FROM call k WHERE k.phone_id = t.phone_id AND k.direction = 'outbound' GROUP BY 1
    ) own ON own.hour = common.hour
    WHERE EXISTS (SELECT 1 FROM call k WHERE k.phone_id = t.phone_id AND k.direction = 'outbound')
    ORDER BY (coalesce(own.answered, 0) + {WEIGHT} * common.share)
        / (coalesce(own.calls, 0) + {WEIGHT}) DESC, common.hour
    LIMIT 1
)"""


def common_experience(connection: Connection, hours: Hours) -> None:
    """Fill ``plan_hour (hour, share)``: how often calls are answered at each open hour; an hour
    without calls counts like all of them together."""
    connection.execute(
        text(f"""
        CREATE TEMP TABLE IF NOT EXISTS plan_hour ON COMMIT DROP AS
        SELECT h.hour, coalesce(
            avg(CASE WHEN {_ANSWERED} THEN 1.0 ELSE 0.0 END) FILTER (WHERE k.id IS NOT NULL),
            (SELECT avg(CASE WHEN {_ANSWERED} THEN 1.0 ELSE 0.0 END) FROM call k
                WHERE k.direction = 'outbound'), 0) AS share
        FROM unnest(CAST(:hours AS int[])) AS h(hour)
        LEFT JOIN call k ON k.direction = 'outbound' AND {_HOUR} = h.hour
        GROUP BY h.hour
        """),
        {"hours": open_hours(hours)},
    )
