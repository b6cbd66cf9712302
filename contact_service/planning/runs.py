"""The life of a run: scheduled for a day, started, paused, resumed, stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text

from campaigns.definition import Definition
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.identity import derived_id
from contact_service.domain.life import Action
from contact_service.domain.life import CannotDo as CannotDo
from contact_service.domain.states import RunState, VersionState
from contact_service.domain.windows import at_tokyo, windows_on
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.freezing import freeze, lock_ledger
from contact_service.planning.transitions import move_run
from contact_service.planning.versions import (
    Version,
    approval_used,
    approve_in,
    by_id,
    put_in,
)
from contact_service.store.tables.campaigns import campaign_version, run

APPROVAL_USED = (
    "承認は1回の実施のためのもので、もう使われました。もう一度提出し、ほかの人の承認を受けて"
    "ください / an approval is for one run, and that has started: submit it again, and have it "
    "approved by somebody else"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A run, and whether this call made it."""

    run_id: UUID
    new: bool


def schedule(
    engine: Engine, actor: Actor, version_id: int, first_day: date, now: datetime, reason: str = ""
) -> Planned:
    """Put an approved version on the calendar. Its targets are taken when it starts.

    The same version and day again give the run that is there. Raises ``NotAllowed``, and
    :class:`CannotDo` also when the version's approval is another run's.
    """
    with engine.begin() as connection:
        version = by_id(connection, version_id)
        if version.state is not VersionState.APPROVED:
            raise CannotDo(
                f"{version.name} はまだ承認されていません。campaign approve の後で日程に入れて"
                f"ください / {version.name} is {version.state}: it is scheduled after approval"
            )
        _must_be_open(definition_of_version(connection, version_id), first_day)
        _must_be_free(connection, version, first_day)
        return put_on_calendar(connection, actor, version, first_day, now, reason)


def plan(
    engine: Engine,
    actor: Actor,
    definition: Definition,
    source: str,
    first_day: date,
    now: datetime,
    call_backs: float | None = None,
) -> Planned:
    """Hand in ``definition`` (written as ``source``), put it on the calendar and freeze its run.

    For who wants to see the very people before somebody else approves by :func:`start`. The same
    text and day again give the run that is there already. Raises ``NotAllowed``,
    ``DoesNotFit``, :class:`CannotDo`.
    """
    require(actor, Role.STAFF)
    with engine.begin() as connection:
        version = put_in(connection, actor, definition, source, now)
        planned = put_on_calendar(connection, actor, version, first_day, now)
        if not _frozen(connection, planned.run_id):
            freeze_now(connection, planned.run_id, now, call_backs)
        return planned


def put_on_calendar(
    connection: Connection,
    actor: Actor,
    version: Version,
    first_day: date,
    now: datetime,
    reason: str = "",
) -> Planned:
    """The run of ``version`` that begins on ``first_day``; made when it is not there."""
    if first_day < now.date():
        raise CannotDo(f"開始日 {first_day} は過去の日です / the first day {first_day} has passed")
    definition = definition_of_version(connection, version.id)
    run_id, state = _run_of(connection, version, first_day)
    if state is not None:
        return Planned(run_id, new=False)
    connection.execute(
        insert(run).values(
            id=run_id,
            campaign_version_id=version.id,
            as_of=first_day,
            seed=definition.allocation.seed,
            state=RunState.SCHEDULED,
            starts_at=at_tokyo(first_day, time(0, 0)),
            planned_at=now,
            planned_by=actor.name,
            training=False,
            assessed_debtors=0,
            assessed_claims=0,
        )
    )
    move_run(connection, actor, Action.SCHEDULE, run_id, now, reason)
    return Planned(run_id, new=True)


def start(
    engine: Engine,
    actor: Actor,
    run_id: UUID,
    now: datetime,
    live_providers: Collection[str],
    reason: str = "",
    call_backs: float | None = None,
) -> None:
    """Let a scheduled run go out now; targets that are not frozen yet are taken first.

    Takes an approver. A version that nobody has approved yet is approved by this act, so by
    somebody who did not submit it. Raises ``NotAllowed``, ``DoesNotFit``, and :class:`CannotDo`
    also when the run holds training data while a live carrier is configured.
    """
    require(actor, Role.APPROVER)
    with engine.begin() as connection:
        found = connection.execute(
            select(campaign_version.c.id, campaign_version.c.state, run.c.state.label("run_state"))
            .join(run, run.c.campaign_version_id == campaign_version.c.id)
            .where(run.c.id == run_id)
            .with_for_update(of=run)  # the run before its version, as who starts or refuses it does
        ).one_or_none()
        if found and found.state == VersionState.SUBMITTED:
            approve_in(connection, actor, found.id, now, reason)
        elif found and found.state != VersionState.APPROVED:
            raise CannotDo(f"{by_id(connection, found.id).name}: 承認されていません / not approved")
        start_in(connection, actor, run_id, now, live_providers, reason, call_backs)


def start_in(
    connection: Connection,
    actor: Actor,
    run_id: UUID,
    now: datetime,
    live_providers: Collection[str],
    reason: str = "",
    call_backs: float | None = None,
) -> None:
    """Freeze a run that is not frozen yet, and let it go out; in the caller's transaction."""
    version_id = connection.scalar(select(run.c.campaign_version_id).where(run.c.id == run_id))
    if version_id is not None and approval_used(connection, version_id):
        raise CannotDo(f"{by_id(connection, version_id).name}: {APPROVAL_USED}")
    move_run(connection, actor, Action.START, run_id, now, reason)
    if not _frozen(connection, run_id):
        freeze_now(connection, run_id, now, call_backs)
    if live_providers and connection.scalar(select(run.c.training).where(run.c.id == run_id)):
        raise CannotDo(
            "訓練データを含む実施は、実在の事業者（"
            + "、".join(sorted(live_providers))
            + "）では開始できません / a run with training data cannot start while a live "
            "carrier is configured"
        )


def pause(engine: Engine, actor: Actor, run_id: UUID, now: datetime, reason: str = "") -> None:
    """Stop leasing until resumed. What is with the carrier already is followed up."""
    with engine.begin() as connection:
        move_run(connection, actor, Action.PAUSE, run_id, now, reason)


def resume(engine: Engine, actor: Actor, run_id: UUID, now: datetime, reason: str = "") -> None:
    """Go on where a paused run stopped; what expired meanwhile stays undone."""
    with engine.begin() as connection:
        move_run(connection, actor, Action.RESUME, run_id, now, reason)


def stop(engine: Engine, actor: Actor, run_id: UUID, now: datetime, reason: str = "") -> None:
    """End a run for good: what has not gone out never will."""
    with engine.begin() as connection:
        move_run(connection, actor, Action.STOP, run_id, now, reason)
        connection.execute(
            text("""
            UPDATE attempt SET state = 'skipped', reason = 'stopped', outcome_at = :now
            WHERE run_id = :run_id AND state = 'planned'
            """),
            {"run_id": run_id, "now": now},
        )


def freeze_now(
    connection: Connection, run_id: UUID, now: datetime, call_backs: float | None = None
) -> None:
    """Take a run's targets from the ledger as it is. ``call_backs`` is the office's allowance of
    expected call-backs per half-hour; a definition may ask for less."""
    lock_ledger(connection)
    found = connection.execute(
        select(run.c.campaign_version_id, run.c.as_of).where(run.c.id == run_id)
    ).one()
    definition = definition_of_version(connection, found.campaign_version_id)
    freeze(connection, definition, run_id, found.as_of, now, call_backs)
    # the first lease comes before the server looks at the tables by itself
    connection.execute(text("ANALYZE attempt, target, target_claim"))


def _frozen(connection: Connection, run_id: UUID) -> bool:
    return connection.scalar(select(run.c.frozen_at).where(run.c.id == run_id)) is not None


def _run_of(connection: Connection, version: Version, day: date) -> tuple[UUID, RunState | None]:
    """The run of a version on a day, and its state; one that was stopped before it ever started
    makes room for another."""
    digest = connection.scalar(
        select(campaign_version.c.sha256).where(campaign_version.c.id == version.id)
    )
    name: tuple[object, ...] = ("run", version.key, digest, day.isoformat())
    for again in range(1, 1000):
        run_id = derived_id(*name) if again == 1 else derived_id(*name, again)
        found = connection.execute(
            text("""
            SELECT state, EXISTS (SELECT 1 FROM campaign_transition t
                WHERE t.run_id = run.id AND t.action = 'start') AS started
            FROM run WHERE id = :id
            """),
            {"id": run_id},
        ).one_or_none()
        if found is None:
            return run_id, None
        if found.started or found.state != RunState.CANCELLED:
            return run_id, RunState(found.state)
    raise CannotDo(f"{version.name}: {day} の日程が多すぎます / too many runs on {day}")


def _must_be_free(connection: Connection, version: Version, first_day: date) -> None:
    """An approval is for one run: one that went out, or waits for its day, has it."""
    if _run_of(connection, version, first_day)[1] is not None:
        return  # nothing new
    if approval_used(connection, version.id):
        raise CannotDo(f"{version.name}: {APPROVAL_USED}")
    waiting = connection.scalar(
        text("SELECT as_of FROM run WHERE campaign_version_id = :id AND state = 'scheduled'"),
        {"id": version.id},
    )
    if waiting is not None:
        raise CannotDo(
            f"{version.name} は {waiting} の日程に入っています。日を変えるには、その実施を中止して"
            f"ください / {version.name} is on the calendar for {waiting}: to move it, stop that "
            "run first"
        )


def _must_be_open(definition: Definition, first_day: date) -> None:
    if windows_on(definition.hours, first_day):
        return
    days = (first_day + timedelta(days=n) for n in range(1, 366))
    following = next((day for day in days if windows_on(definition.hours, day)), None)
    ja = f"。次に連絡できる日は {following} です" if following else ""
    en = f"; the next open day is {following}" if following else ""
    raise CannotDo(
        f"開始日 {first_day} は連絡できない日です{ja} / {first_day} is closed by the "
        f"definition's hours{en}"
    )
