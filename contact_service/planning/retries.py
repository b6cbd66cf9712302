"""Retry by cause: a further try where the step's rules call for one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text


def plan_retries(connection: Connection, attempt_ids: Sequence[UUID]) -> int:
    """Plan the next try after finished attempts whose outcome the step retries.

    Only the latest try of a target at a step counts, and each outcome no more often than its
    rule says. Identifiers are derived: planning a retry twice makes nothing new. A try that
    would fall behind the step's expiry is not made. Returns how many were planned.
    """
    return connection.execute(
        text("""
        INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id,
            state, due_at, expires_at)
        SELECT derived_id(a.target_id || ':' || a.step || ':' || a.try_number + 1), a.run_id,
            a.target_id, a.step, a.try_number + 1, a.channel, a.phone_id, 'planned',
            greatest(a.outcome_at, a.submitted_at) + make_interval(secs => rule.after_seconds),
            a.expires_at
        FROM attempt a
        JOIN run_step s ON s.run_id = a.run_id AND s.step = a.step
        JOIN run r ON r.id = a.run_id AND r.state IN ('running', 'paused')
        CROSS JOIN LATERAL jsonb_to_recordset(s.retries)
            AS rule("on" text, after_seconds int, most int)
        WHERE a.id = ANY(:ids) AND a.state = 'finished' AND a.outcome = rule."on"
        AND greatest(a.outcome_at, a.submitted_at)
            + make_interval(secs => rule.after_seconds) < a.expires_at
        AND NOT EXISTS (SELECT 1 FROM attempt later WHERE later.target_id = a.target_id
            AND later.step = a.step AND later.try_number > a.try_number)
        AND (SELECT count(*) FROM attempt same WHERE same.target_id = a.target_id
            AND same.step = a.step AND same.outcome = a.outcome) <= rule.most
        ON CONFLICT DO NOTHING
        """),
        {"ids": list(attempt_ids)},
    ).rowcount
