"""When a run is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text

from contact_service.domain.actors import SYSTEM
from contact_service.domain.life import Action
from contact_service.planning.transitions import move_run


def complete_runs(engine: Engine, now: datetime) -> int:
    """Complete running runs whose steps have all expired and whose attempts are all done.

    Returns how many.
    """
    with engine.begin() as connection:
        done = connection.execute(
            text("""
            SELECT r.id FROM run r WHERE r.state = 'running'
            AND NOT EXISTS (SELECT 1 FROM run_step s
                WHERE s.run_id = r.id AND s.expires_at > :now)
            AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.run_id = r.id
                AND a.state IN ('planned', 'leased', 'accepted', 'unknown'))
            FOR UPDATE OF r SKIP LOCKED
            """),
            {"now": now},
        ).all()
        for row in done:
            move_run(connection, SYSTEM, Action.COMPLETE, row.id, now)
        return len(done)
