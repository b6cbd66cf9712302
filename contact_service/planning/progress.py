"""How far runs are, in counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(slots=True)
class StepProgress:
    """Attempts of one step by state, and how many wait for a person's decision."""

    step: str
    channel: str
    states: dict[str, int] = field(default_factory=dict)
    needs_person: int = 0

    @property
    def total(self) -> int:
        """All attempts of the step."""
        return sum(self.states.values())

    @property
    def done(self) -> int:
        """Attempts to which nothing more will happen."""
        return self.states.get("finished", 0) + self.states.get("skipped", 0)


@dataclass(slots=True)
class RunProgress:
    """One run and its steps."""

    run_id: UUID
    campaign: str
    title: str
    state: str
    starts_at: datetime
    training: bool
    targets: int
    reason: str = ""
    """Why it is in this state, in the words of who, or what, brought it there."""
    steps: list[StepProgress] = field(default_factory=list)


def run_progress(connection: Connection, only: Collection[UUID] | None = None) -> list[RunProgress]:
    """All runs, or ``only`` some, the newest first. The database counts."""
    asked = {"all": only is None, "ids": list(only or ())}
    runs = {
        row.id: RunProgress(
            row.id,
            row.key,
            row.title,
            row.state,
            row.starts_at,
            row.training,
            row.targets,
            row.reason or "",
        )
        for row in connection.execute(
            text("""
            SELECT r.id, v.key, v.definition ->> 'title' AS title, r.state, r.starts_at,
                r.training, (SELECT count(*) FROM target t WHERE t.run_id = r.id) AS targets,
                (SELECT x.reason FROM campaign_transition x WHERE x.run_id = r.id
                    ORDER BY x.id DESC LIMIT 1) AS reason
            FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
            WHERE :all OR r.id = ANY(:ids) ORDER BY r.planned_at DESC, r.id
            """),
            asked,
        )
    }
    for row in connection.execute(
        text("""
        SELECT s.run_id, s.step, s.channel, c.state, coalesce(c.attempts, 0) AS attempts,
            coalesce(c.needs_person, 0) AS needs_person
        FROM run_step s LEFT JOIN (
            SELECT run_id, step, state, count(*) AS attempts,
                count(*) FILTER (WHERE needs_person) AS needs_person
            FROM attempt WHERE :all OR run_id = ANY(:ids) GROUP BY run_id, step, state
        ) c ON c.run_id = s.run_id AND c.step = s.step
        WHERE :all OR s.run_id = ANY(:ids) ORDER BY s.run_id, s.position
        """),
        asked,
    ):
        steps = runs[row.run_id].steps
        if not steps or steps[-1].step != row.step:
            steps.append(StepProgress(row.step, row.channel))
        if row.state is not None:
            steps[-1].states[row.state] = row.attempts
            steps[-1].needs_person += row.needs_person
    return list(runs.values())
