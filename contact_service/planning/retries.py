"""What follows a finished attempt: a further try by cause, or the fallback channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.hours import Hours
from campaigns.vocabulary import DAY_PARTS, Channel, DayPart
from contact_service.clock import TOKYO
from contact_service.domain.windows import open_slots
from contact_service.planning.definitions import definitions_of
from contact_service.planning.targets import USABLE

#: Finished attempts of the given ones that a rule of their step follows: the step's own channel,
#: the latest try, no more tries than the step allows in all.
_FOLLOWED = text("""
    SELECT a.id, a.run_id, a.channel AS own, a.expires_at, a.submitted_at, t.phone_kind, rule.part,
        rule.channel,
        greatest(a.outcome_at, a.submitted_at) + make_interval(secs => rule.after_seconds) AS due,
        (SELECT count(*) FROM attempt same WHERE same.target_id = a.target_id
            AND same.step = a.step AND same.outcome = a.outcome) <= rule.most AS left_over
    FROM attempt a
    JOIN run_step s ON s.run_id = a.run_id AND s.step = a.step AND s.channel = a.channel
    JOIN run r ON r.id = a.run_id AND r.state IN ('running', 'paused')
    JOIN target t ON t.id = a.target_id
    CROSS JOIN LATERAL jsonb_to_recordset(s.retries)
        AS rule("on" text, after_seconds int, most int, part text, channel text)
    -- their number hides in a sub-select: looked up one by one, however many they are
    WHERE a.id = ANY((SELECT CAST(:ids AS uuid[]))::uuid[])
    AND a.state = 'finished' AND a.outcome = rule."on"
    AND a.try_number < coalesce(s.most_tries, 32767)
    AND NOT EXISTS (SELECT 1 FROM attempt later WHERE later.target_id = a.target_id
        AND later.step = a.step AND later.try_number > a.try_number)
""")
_INSERT = text("""
    INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id, state,
        due_at, expires_at)
    SELECT derived_id(a.target_id || ':' || a.step || ':' || a.try_number + 1), a.run_id,
        a.target_id, a.step, a.try_number + 1, c.channel,
        CASE WHEN c.channel <> 'letter' THEN a.phone_id END, 'planned', c.due, a.expires_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:channels AS text[]), CAST(:due AS timestamptz[]))
        AS c(id, channel, due)
    JOIN attempt a ON a.id = c.id
    ON CONFLICT DO NOTHING
""")


def plan_retries(connection: Connection, attempt_ids: Sequence[UUID]) -> int:
    """Plan what follows finished attempts by their step's rules.

    A further try by the step's own channel comes first, each outcome no more often than its
    rule says; the fallback channel follows when none is left, as the step's last try.
    Identifiers are derived: planning a thing twice makes nothing new. What would fall behind
    the step's expiry is not made. Returns how many were planned.
    """
    rows = connection.execute(_FOLLOWED, {"ids": list(attempt_ids)}).all()
    if not rows:
        return 0
    tries = [row for row in rows if row.channel is None and row.left_over]
    in_part = [row for row in tries if row.part is not None]
    definitions = definitions_of(connection, {row.run_id for row in in_part}) if in_part else {}
    chosen: dict[UUID, tuple[str, datetime]] = {}  # of several the first
    for row in tries:
        if row.part is None and row.due < row.expires_at:
            chosen.setdefault(row.id, (row.own, row.due))
    for row in in_part:
        hours = definitions[row.run_id].hours
        due = part_begins(hours, row.due, DayPart(row.part), row.submitted_at)
        if due is not None and due < row.expires_at:
            chosen.setdefault(row.id, (row.own, due))
    for row in rows:
        if row.channel is not None and row.due < row.expires_at and _can_take(row):
            chosen.setdefault(row.id, (row.channel, row.due))
    if not chosen:
        return 0
    return connection.execute(
        _INSERT,
        {
            "ids": list(chosen),
            "channels": [channel for channel, _ in chosen.values()],
            "due": [due for _, due in chosen.values()],
        },
    ).rowcount


def _can_take(row: Row[Any]) -> bool:
    """Whether the number can take the fallback channel."""
    channel = Channel(row.channel)
    return channel is Channel.LETTER or row.phone_kind in USABLE.get(channel, ())


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
