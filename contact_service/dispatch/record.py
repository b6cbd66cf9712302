"""Recording what carriers answered: one statement for a whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import assert_never
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.dispatch.settle import settle
from contact_service.store.engine import one_plan
from providers.base import Accepted, Cause, Refused, Result, Throttled, Unknown

#: The database's order of identifiers; numbers compare six times as fast as they do.
_BY_NUMBER = attrgetter("attempt_id.int")
#: Others go first after a resume, lest one number that the account may not use stops a lane.
CREDENTIALS_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier said to one leased attempt."""

    attempt_id: UUID
    lease_number: int
    result: Result


@dataclass(frozen=True, slots=True)
class _Row:
    state: str
    reason: str | None = None
    detail: str | None = None
    provider_ref: str | None = None
    parts: int | None = None
    outcome: str | None = None
    due_at: datetime | None = None


def _row(result: Result, now: datetime) -> _Row:
    match result:
        case Accepted():
            return _Row("accepted", provider_ref=result.provider_ref, parts=result.parts)
        case Refused(cause=Cause.OUR_CREDENTIALS):
            # provably not taken, and nothing is wrong with the contact: it waits for us
            return _Row("planned", "our_credentials", result.detail, due_at=now + CREDENTIALS_PAUSE)
        case Refused():
            return _Row("finished", result.cause, result.detail, outcome=result.outcome)
        case Throttled():
            later = now + max(result.retry_after, timedelta(seconds=1))
            return _Row("planned", "throttled", result.detail, due_at=later)
        case Unknown():
            return _Row("unknown", result.cause, result.detail)
        case _:
            assert_never(result)


_RECORD = text("""
UPDATE attempt a SET
    state = v.state,
    reason = v.reason,
    detail = left(v.detail, 300),
    -- two attempts under one reference would be a fault elsewhere; it must not lose the batch
    provider_ref = CASE WHEN NOT v.taken THEN coalesce(v.provider_ref, a.provider_ref) END,
    needs_person = v.taken,
    parts = coalesce(v.parts, a.parts),
    outcome = v.outcome,
    outcome_at = CASE WHEN v.outcome IS NOT NULL THEN CAST(:now AS timestamptz) END,
    submitted_at = CASE WHEN v.state IN ('accepted', 'unknown') THEN a.leased_at END,
    due_at = coalesce(v.due_at, a.due_at),
    provider = CASE WHEN v.state = 'planned' THEN NULL ELSE :provider END,
    lease_until = CASE WHEN v.state = 'planned' THEN NULL ELSE clock_timestamp() END
FROM (
    SELECT n.*, EXISTS (SELECT 1 FROM attempt other WHERE other.provider = :provider
        AND other.provider_ref = n.provider_ref AND other.id <> n.id) AS taken
    FROM unnest(
        -- each hidden in a sub-select: taken for a few, they are looked up one by one by an
        -- index, however many they are and however large the table is
        (SELECT CAST(:ids AS uuid[])), (SELECT CAST(:numbers AS int[])),
        (SELECT CAST(:states AS text[])), (SELECT CAST(:reasons AS text[])),
        (SELECT CAST(:details AS text[])), (SELECT CAST(:refs AS text[])),
        (SELECT CAST(:parts AS int[])), (SELECT CAST(:outcomes AS text[])),
        (SELECT CAST(:dues AS timestamptz[]))
    ) AS n(id, number, state, reason, detail, provider_ref, parts, outcome, due_at)
) v
WHERE a.id = v.id AND a.lease_number = v.number
-- a lease that ended meanwhile is unknown: what we learn now settles it
AND (a.state IN ('leased', 'unknown')
    -- nor is "not taken" the last word when the carrier's own answer arrives after all
    OR (a.state = 'planned' AND a.reason = 'not_taken' AND v.state = 'accepted'))
RETURNING a.id, a.state
""")


def record(connection: Connection, provider: str, answers: Sequence[Answer], now: datetime) -> int:
    """Write the answers of a batch and what follows from them. Returns how many counted.

    An answer to a lease that somebody else has taken over since counts for nothing: the
    fencing number does not fit.
    """
    answers = sorted(answers, key=_BY_NUMBER)
    rows = [_row(answer.result, now) for answer in answers]
    with one_plan(connection):
        changed = connection.execute(
            _RECORD,
            {
                "now": now,
                "provider": provider,
                "ids": [answer.attempt_id for answer in answers],
                "numbers": [answer.lease_number for answer in answers],
                "states": [row.state for row in rows],
                "reasons": [row.reason for row in rows],
                "details": [row.detail for row in rows],
                "refs": [row.provider_ref for row in rows],
                "parts": [row.parts for row in rows],
                "outcomes": [row.outcome for row in rows],
                "dues": [row.due_at for row in rows],
            },
        ).all()
    settle(
        connection,
        [row.id for row in changed],
        finished=[row.id for row in changed if row.state == "finished"],
        locked=True,
    )
    return len(changed)
