"""A run's steps, frozen as dispatch needs them: when, for whom, and what follows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert

from campaigns.definition import Definition, Step
from campaigns.hours import Hours
from campaigns.steps import Origin
from contact_service.domain.windows import add_working_days, at_tokyo
from contact_service.store.tables.campaigns import run_step


def first_day_of(step: Step, hours: Hours, first_day: date, base: date | None = None) -> date:
    """The day on which a step begins for somebody whose date (納期限, 督促発送日) is ``base``, in
    a run that begins on ``first_day``: never before it."""
    origin = {Origin.RUN: first_day, Origin.DATE: step.start.on}.get(step.start.origin, base)
    day = (origin or first_day) + timedelta(days=step.start.after_days)
    return max(add_working_days(hours, day, step.start.after_working_days), first_day)


def starts_at(step: Step, day: date) -> datetime:
    """The instant at which a step begins that begins on ``day``."""
    return at_tokyo(day, step.start.at)


def expires_at(step: Step, day: date) -> datetime:
    """Midnight at the end of the last day of a step that begins on ``day``."""
    return at_tokyo(day + timedelta(days=step.expires_after_days), time(0, 0))


def freeze_steps(
    connection: Connection, definition: Definition, run_id: UUID, first_day: date
) -> None:
    """Write the run's steps. One that begins on a day of each person's own has the run's first
    day for now; ``plan_attempts`` knows better."""
    rows = []
    for position, step in enumerate(definition.steps, 1):
        day = first_day_of(step, definition.hours, first_day)
        rows.append(
            {
                "run_id": run_id,
                "step": step.name,
                "position": position,
                "channel": step.channel.value,
                "starts_at": starts_at(step, day),
                "expires_at": expires_at(step, day),
                "unless": [outcome.value for outcome in step.unless],
                "retries": _follow_ups(step),
                "most_tries": step.most_tries,
                "conditions": _conditions(step),
            }
        )
    connection.execute(insert(run_step), rows)


def _follow_ups(step: Step) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {
            "on": retry.on.value,
            "after_seconds": int(retry.after.total_seconds()),
            "most": retry.most,
            "part": retry.part_of_day.value if retry.part_of_day else None,
            "channel": None,
        }
        for retry in step.retries
    ]
    if step.fallback:
        rules += [
            {
                "on": outcome.value,
                "after_seconds": int(step.fallback.after.total_seconds()),
                "most": 1,
                "part": None,
                "channel": step.fallback.channel.value,
            }
            for outcome in step.fallback.on
        ]
    return rules


def _conditions(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if step.only:
        found["only"] = [outcome.value for outcome in step.only]
    for name in ("only_after", "unless_after"):
        if wanted := getattr(step, name):
            found[name] = {
                earlier: [outcome.value for outcome in outcomes]
                for earlier, outcomes in wanted.items()
            }
    if step.payment:
        found |= {"paid": step.payment.paid, "paid_since": step.payment.since}
    return found
