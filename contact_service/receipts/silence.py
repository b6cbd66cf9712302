"""Contacts of which nothing more is heard."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from campaigns.vocabulary import Outcome
from contact_service.dispatch.settle import settle

#: Carriers give up on a message after two days at most, and on a call much sooner.
SILENT_AFTER = timedelta(days=3)


def finish_silent(engine: Engine, now: datetime) -> int:
    """Finish accepted attempts whose carrier has said nothing final for three days, although it
    was asked.

    Their outcome is what the reports that did come say (a key press, for instance), else
    ``unknown``: handed over, and nobody can tell what became of it. A final report that comes
    later still counts. Returns how many.
    """
    with engine.begin() as connection:
        silent = (
            connection.execute(
                text("""
            UPDATE attempt a SET state = 'finished', outcome_at = :now, reason = 'no_report',
                outcome = coalesce((SELECT e.outcome FROM event e
                    WHERE e.provider = a.provider AND e.provider_ref = a.provider_ref
                    AND e.outcome IS NOT NULL ORDER BY e.rank DESC, e.id LIMIT 1), :unknown)
            FROM (SELECT id FROM attempt
                WHERE state = 'accepted' AND submitted_at < :before AND checked_at IS NOT NULL
                ORDER BY id FOR UPDATE SKIP LOCKED) over
            WHERE a.id = over.id
            RETURNING a.id
            """),
                {"unknown": Outcome.UNKNOWN.value, "now": now, "before": now - SILENT_AFTER},
            )
            .scalars()
            .all()
        )
        settle(connection, silent, finished=silent)
        return len(silent)
