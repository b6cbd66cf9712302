"""When attempts fall due: steps of a run, and the half-hours that pace them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, text

from campaigns.definition import Definition, Step
from contact_service.domain.windows import at_tokyo, open_slots
from contact_service.planning.targets import USABLE
from contact_service.store.tables.campaigns import run_step


class DoesNotFit(Exception):
    """A step cannot reach its targets in the time it has."""


def starts_at(step: Step, first_day: date) -> datetime:
    """When a step begins, for a run whose first day is ``first_day``."""
    return at_tokyo(first_day + timedelta(days=step.start.after_days), step.start.at)


def expires_at(step: Step, first_day: date) -> datetime:
    """Midnight at the end of a step's last day."""
    last = first_day + timedelta(days=step.start.after_days + step.expires_after_days)
    return at_tokyo(last, time(0, 0))


def freeze_steps(
    connection: Connection, definition: Definition, run_id: UUID, first_day: date
) -> None:
    """Write the run's steps as dispatch needs them."""
    connection.execute(
        insert(run_step),
        [
            {
                "run_id": run_id,
                "step": step.name,
                "position": position,
                "channel": step.channel.value,
                "starts_at": starts_at(step, first_day),
                "expires_at": expires_at(step, first_day),
                "unless": [outcome.value for outcome in step.unless],
                "retries": [
                    {
                        "on": retry.on.value,
                        "after_seconds": int(retry.after.total_seconds()),
                        "most": retry.most,
                    }
                    for retry in step.retries
                ],
            }
            for position, step in enumerate(definition.steps, 1)
        ],
    )


def plan_attempts(
    connection: Connection, definition: Definition, run_id: UUID, first_day: date
) -> None:
    """Write the first try of every step for every target that the step is for.

    The order within a step is a hash, so that the hour of contact has nothing to do with who
    somebody is. Raises :class:`DoesNotFit`.
    """
    for step in definition.steps:
        begins, ends = starts_at(step, first_day), expires_at(step, first_day)
        slots = [
            slot
            for slot in open_slots(definition.hours, begins, step.expires_after_days)
            if slot < ends
        ]
        chosen = {
            "run_id": run_id,
            "arms": list(definition.arms_of(step)),
            "kinds": [kind.value for kind in USABLE[step.channel]],
        }
        people = connection.scalar(
            text("""
            SELECT count(*) FROM target
            WHERE run_id = :run_id AND arm = ANY(:arms) AND phone_kind = ANY(:kinds)
            """),
            chosen,
        )
        if people and not slots:
            raise DoesNotFit(
                f"段階「{step.name}」: 期限までに連絡できる時間帯がありません。hours か "
                f"expires_after_days を見直してください / step {step.name}: no open hours before "
                "it expires; change hours or expires_after_days"
            )
        pace = step.per_half_hour or max(people or 0, 1)
        if people and people > pace * len(slots):
            raise DoesNotFit(
                f"段階「{step.name}」: 対象 {people} 件に対し、期限までに連絡できるのは "
                f"{pace * len(slots)} 件です。per_half_hour か expires_after_days を"
                "増やしてください / "
                f"step {step.name}: {people} targets, but only {pace * len(slots)} fit before it "
                "expires; raise per_half_hour or expires_after_days"
            )
        connection.execute(
            text("""
            INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id,
                state, due_at, expires_at)
            SELECT derived_id(id || ':' || :step || ':' || 1), :run_id, id, :step, 1, :channel,
                phone_id, 'planned', (CAST(:slots AS timestamptz[]))[1 + place / :pace], :ends
            FROM (
                SELECT t.id, t.phone_id, row_number() OVER (ORDER BY
                    sha256(convert_to(:seed || ':' || :step || ':' || t.id, 'UTF8'))) - 1 AS place
                FROM target t
                WHERE run_id = :run_id AND arm = ANY(:arms) AND phone_kind = ANY(:kinds)
            ) ordered
            """),
            chosen
            | {
                "step": step.name,
                "channel": step.channel.value,
                "slots": slots,
                "pace": pace,
                "ends": ends,
                "seed": definition.allocation.seed,
            },
        )
