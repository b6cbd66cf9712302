"""When attempts fall due: the half-hours of each step, by pace, by the centre, by best hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition, Step
from campaigns.steps import Origin
from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.domain.windows import open_slots
from contact_service.planning.best_hour import BEST_HOUR, common_experience
from contact_service.planning.expectation import other_call_backs
from contact_service.planning.pacing import Pace, thresholds
from contact_service.planning.steps import expires_at, first_day_of, starts_at
from contact_service.planning.steps import freeze_steps as freeze_steps
from contact_service.planning.targets import USABLE


class DoesNotFit(Exception):
    """A step cannot reach its targets in the time it has."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Targets of a step that begin on one date of their own and prefer one hour."""

    base: date | None
    hour: int | None
    people: int


#: Whose date a step is counted from: of the claims that the target is about, the latest.
_BASE = {
    Origin.DUE: """(SELECT max(c.due_on) FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        WHERE tc.target_id = t.id)""",
    Origin.DEMAND: """(SELECT max(c.demand_sent_on) FROM target_claim tc
        JOIN claim c ON c.id = tc.claim_id WHERE tc.target_id = t.id)""",
}


def plan_attempts(
    connection: Connection,
    definition: Definition,
    run_id: UUID,
    first_day: date,
    call_backs: float | None = None,
) -> None:
    """Write the first try of every step for every target that the step is for.

    The order within a step is a hash, so that the hour of contact has nothing to do with who
    somebody is, unless the step asks for each number's best hour. ``call_backs`` is how many
    expected call-backs per half-hour the office allows, whatever a definition says.
    Raises :class:`DoesNotFit`.
    """
    stated = [most for most in (definition.call_backs.per_half_hour, call_backs) if most]
    most = min(stated, default=None)  # what the centre can take holds for every campaign
    pace = Pace(most)
    if most is not None:
        pace.expected.update(other_call_backs(connection, run_id))
    for step in definition.steps:
        pace.begin_step()
        _place_step(connection, definition, step, run_id)
        _plan_step(connection, definition, step, run_id, first_day, pace)
        connection.execute(text("DROP TABLE pg_temp.plan_place"))


def _place_step(connection: Connection, definition: Definition, step: Step, run_id: UUID) -> None:
    """Fill ``plan_place``: the targets of a step, in their order within each group."""
    base = _BASE.get(step.start.origin, "NULL::date")
    by_hour = step.best_hour and step.channel in (Channel.AUTO_CALL, Channel.OPERATOR)
    needs_date = step.start.origin in _BASE
    letters = step.channel is Channel.LETTER
    if by_hour:
        common_experience(connection, definition.hours)
    connection.execute(
        text(f"""
        CREATE TEMP TABLE plan_place ON COMMIT DROP AS
        SELECT id, phone_id, base, hour, row_number() OVER (PARTITION BY base, hour ORDER BY draw)
            - 1 AS place
        FROM (
            SELECT t.id, {"NULL::bigint" if letters else "t.phone_id"} AS phone_id, {base} AS base,
                {BEST_HOUR if by_hour else "NULL::int"} AS hour,
                sha256(convert_to(:seed || ':' || :step || ':' || t.id, 'UTF8')) AS draw
            FROM target t
            WHERE run_id = :run_id AND arm = ANY(:arms)
            AND (:letters OR phone_kind = ANY(:kinds))
        ) people
        WHERE {"base IS NOT NULL" if needs_date else "true"}
        """),
        {
            "run_id": run_id,
            "step": step.name,
            "seed": definition.allocation.seed,
            "arms": list(definition.arms_of(step)),
            "letters": letters,
            "kinds": [kind.value for kind in USABLE[step.channel]],
        },
    )


def _plan_step(
    connection: Connection,
    definition: Definition,
    step: Step,
    run_id: UUID,
    first_day: date,
    pace: Pace,
) -> None:
    groups = [
        _Group(row.base, row.hour, row.people)
        for row in connection.execute(
            text("""
            SELECT base, hour, count(*) AS people FROM plan_place
            GROUP BY base, hour ORDER BY base, hour NULLS LAST
            """)
        )
    ]
    rate = definition.call_backs.expected_rate.get(step.channel, 0.0)
    first, last = None, None
    for group in groups:
        day = first_day_of(step, definition.hours, first_day, group.base)
        begins, ends = starts_at(step, day), expires_at(step, day)
        slots = [
            slot
            for slot in open_slots(definition.hours, begins, step.expires_after_days)
            if slot < ends
        ]
        if not slots:
            raise DoesNotFit(
                f"段階「{step.name}」: 期限までに連絡できる時間帯がありません。hours か "
                f"expires_after_days を見直してください / step {step.name}: no open hours before "
                "it expires; change hours or expires_after_days"
            )
        placed, left = pace.place(group.people, _preferred(slots, group), step.per_half_hour, rate)
        if left and group.hour is not None:
            more, left = pace.place(left, slots, step.per_half_hour, rate)
            placed += more
        if left:
            raise _too_many(step, group.people, group.people - left)
        _insert(connection, step, run_id, group, placed, ends)
        first = min(first or begins, begins)
        last = max(last or ends, ends)
    if first is not None:
        connection.execute(
            text("""
            UPDATE run_step SET starts_at = :first, expires_at = :last
            WHERE run_id = :run_id AND step = :step
            """),
            {"first": first, "last": last, "run_id": run_id, "step": step.name},
        )


def _preferred(slots: Sequence[datetime], group: _Group) -> Iterable[datetime]:
    """The slots of the group's hour; all when it has none."""
    if group.hour is None:
        return slots
    return [slot for slot in slots if slot.astimezone(TOKYO).hour == group.hour]


def _too_many(step: Step, people: int, fit: int) -> DoesNotFit:
    return DoesNotFit(
        f"段階「{step.name}」: 対象 {people} 件に対し、期限までに連絡できるのは {fit} 件です。"
        "per_half_hour・call_backs・expires_after_days のどれかを増やしてください / "
        f"step {step.name}: {people} targets, but only {fit} fit before it expires; raise "
        "per_half_hour, call_backs or expires_after_days"
    )


def _insert(
    connection: Connection,
    step: Step,
    run_id: UUID,
    group: _Group,
    placed: Sequence[tuple[datetime, int]],
    ends: datetime,
) -> None:
    values: dict[str, Any] = {
        "run_id": run_id,
        "step": step.name,
        "channel": step.channel.value,
        "base": group.base,
        "hour": group.hour,
        "slots": [slot for slot, _ in placed],
        "from_place": thresholds(placed),
        "ends": ends,
    }
    connection.execute(
        text("""
        INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, phone_id,
            state, due_at, expires_at)
        SELECT derived_id(id || ':' || :step || ':' || 1), :run_id, id, :step, 1, :channel,
            phone_id, 'planned', (CAST(:slots AS timestamptz[]))[
                1 + width_bucket(place, CAST(:from_place AS bigint[]))], :ends
        FROM plan_place
        WHERE base IS NOT DISTINCT FROM CAST(:base AS date)
        AND hour IS NOT DISTINCT FROM CAST(:hour AS int)
        """),
        values,
    )
