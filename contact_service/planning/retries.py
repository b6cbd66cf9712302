"""What follows a finished attempt: a further try by cause, or the fallback channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.hours import Hours
from campaigns.vocabulary import DAY_PARTS, DayPart
from contact_service.clock import TOKYO
from contact_service.domain.windows import open_slots
from contact_service.planning.definitions import definitions_of
from contact_service.planning.targets import USABLE

#: Finished attempts of the given ones that a rule of their step follows: the step's own channel,
#: the latest try, no more tries than the step allows in all.
_FOLLOWED = """
    SELECT a.id, a.run_id, a.target_id, a.step, a.try_number, a.channel AS own, a.phone_id,
        a.expires_at, a.submitted_at, rule.part, rule.channel,
        greatest(a.outcome_at, a.submitted_at) + make_interval(secs => rule.after_seconds) AS due,
        (SELECT count(*) FROM attempt same WHERE same.target_id = a.target_id
            AND same.step = a.step AND same.outcome = a.outcome) <= rule.most AS left_over
    FROM attempt a
    JOIN run_step s ON s.run_id = a.run_id AND s.step = a.step AND s.channel = a.channel
    JOIN run r ON r.id = a.run_id AND r.state IN ('running', 'paused')
    CROSS JOIN LATERAL jsonb_to_recordset(s.retries)
        AS rule("on" text, after_seconds int, most int, part text, channel text)
    WHERE a.id = ANY(:ids) AND a.state = 'finished' AND a.outcome = rule."on"
    AND a.try_number < coalesce(s.most_tries, 32767)
    AND NOT EXISTS (SELECT 1 FROM attempt later WHERE later.target_id = a.target_id
        AND later.step = a.step AND later.try_number > a.try_number)
"""
_INSERT = """
    INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id, state,
        due_at, expires_at)
    SELECT derived_id(f.target_id || ':' || f.step || ':' || f.try_number + 1), f.run_id,
        f.target_id, f.step, f.try_number + 1, coalesce(f.channel, f.own),
        CASE WHEN coalesce(f.channel, f.own) <> 'letter' THEN f.phone_id END, 'planned',
        {due}, f.expires_at
"""


def plan_retries(connection: Connection, attempt_ids: Sequence[UUID]) -> int:
    """Plan what follows finished attempts by their step's rules.

    A further try by the step's own channel comes first, each outcome no more often than its
    rule says; the fallback channel follows when none is left, as the step's last try.
    Identifiers are derived: planning a thing twice makes nothing new. What would fall behind
    the step's expiry is not made. Returns how many were planned.
    """
    ids = {"ids": list(attempt_ids)}
    made = connection.execute(
        text(f"""
        WITH f AS ({_FOLLOWED})
        {_INSERT.format(due="f.due")}
        FROM f WHERE f.channel IS NULL AND f.part IS NULL AND f.left_over AND f.due < f.expires_at
        ON CONFLICT DO NOTHING
        """),
        ids,
    ).rowcount
    made += _in_their_part_of_the_day(connection, ids)
    return made + _by_another_channel(connection, ids)


def _in_their_part_of_the_day(connection: Connection, ids: dict[str, list[UUID]]) -> int:
    rows = connection.execute(
        text(f"SELECT f.* FROM ({_FOLLOWED}) f WHERE f.part IS NOT NULL AND f.left_over"), ids
    ).all()
    if not rows:
        return 0
    definitions = definitions_of(connection, {row.run_id for row in rows})
    due = {
        row.id: part_begins(
            definitions[row.run_id].hours, row.due, DayPart(row.part), row.submitted_at
        )
        for row in rows
    }
    chosen = [row for row in rows if (at := due[row.id]) is not None and at < row.expires_at]
    return connection.execute(
        text(f"""
        WITH f AS ({_FOLLOWED}), chosen AS (
            SELECT * FROM unnest(CAST(:chosen AS uuid[]), CAST(:due AS timestamptz[]))
                AS c(chosen_id, due_in_part)
        )
        {_INSERT.format(due="chosen.due_in_part")}
        FROM f JOIN chosen ON chosen.chosen_id = f.id AND f.part IS NOT NULL
        ON CONFLICT DO NOTHING
        """),
        ids | {"chosen": [row.id for row in chosen], "due": [due[row.id] for row in chosen]},
    ).rowcount


def _by_another_channel(connection: Connection, ids: dict[str, list[UUID]]) -> int:
    """The fallback, where no retry was planned and the number can take it."""
    made = 0
    for channel, kinds in USABLE.items():
        made += connection.execute(
            text(f"""
            WITH f AS ({_FOLLOWED})
            {_INSERT.format(due="f.due")}
            FROM f JOIN target t ON t.id = f.target_id
            WHERE f.channel = :channel AND f.due < f.expires_at
            AND (f.channel = 'letter' OR t.phone_kind = ANY(:kinds))
            ON CONFLICT DO NOTHING
            """),
            ids | {"channel": channel.value, "kinds": [kind.value for kind in kinds]},
        ).rowcount
    return made


def part_begins(
    hours: Hours, at: datetime, part: DayPart, before: datetime | None, days: int = 31
) -> datetime | None:
    """The first open instant from ``at`` on that lies in ``part`` of the day; for ``ANOTHER``, in
    another part than that of ``before``, the try before. ``None``: none within ``days``."""
    for slot in open_slots(hours, at, days):
        if part is DayPart.ANOTHER:
            if before is None or part_of(slot) is not part_of(before):
                return slot
        elif part_of(slot) is part:
            return slot
    return None


def part_of(at: datetime) -> DayPart:
    """The part of the day, in Tokyo, that ``at`` lies in."""
    clock = at.astimezone(TOKYO).time()
    return next(
        (part for part, (begins, ends) in DAY_PARTS.items() if begins <= clock < ends),
        DayPart.EVENING,
    )
