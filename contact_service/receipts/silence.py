"""Contacts of which nothing more is heard."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from campaigns.vocabulary import Outcome

#: Carriers give up on a message after two days at most, and on a call much sooner.
SILENT_AFTER = timedelta(days=3)


def finish_silent(engine: Engine, now: datetime) -> int:
    """Finish accepted attempts whose carrier has said nothing final for three days.

    Their outcome is ``unknown``: handed over, and nobody can tell what became of it. It is not
    tried again. A final report that comes later still counts. Returns how many.
    """
    with engine.begin() as connection:
        return connection.execute(
            text("""
            UPDATE attempt SET state = 'finished', outcome = :unknown, outcome_at = :now,
                reason = 'no_report'
            WHERE state = 'accepted' AND submitted_at < :before
            """),
            {"unknown": Outcome.UNKNOWN.value, "now": now, "before": now - SILENT_AFTER},
        ).rowcount
