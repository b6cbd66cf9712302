"""The life of a run: planned, started by a second person, paused, resumed, stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text, update

from campaigns.definition import Definition
from contact_service.domain.actors import Actor, NotAllowed, Role, require
from contact_service.domain.identity import derived_id
from contact_service.domain.states import EXCLUSION_JA, ExclusionReason, RunState
from contact_service.domain.windows import at_tokyo
from contact_service.planning import targets
from contact_service.planning.clusters import find_clusters
from contact_service.planning.schedule import freeze_steps, plan_attempts
from contact_service.store import audit
from contact_service.store.engine import LEDGER_LOCK
from contact_service.store.tables.campaigns import campaign_version, run


class CannotDo(Exception):
    """What was asked does not fit the state that things are in."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A run, and whether this call made it."""

    run_id: UUID
    new: bool


def plan(
    engine: Engine,
    actor: Actor,
    definition: Definition,
    source: str,
    first_day: date,
    now: datetime,
) -> Planned:
    """Freeze a run of ``definition`` (written as ``source``) whose first day is ``first_day``.

    Targets are taken from the ledger as it is now. The same text and day again give the run
    that is there already. Raises ``NotAllowed``, ``DoesNotFit``, :class:`CannotDo`.
    """
    require(actor, Role.STAFF)
    if first_day < now.date():
        raise CannotDo(f"開始日 {first_day} は過去の日です / the first day {first_day} has passed")
    digest = sha256(source.encode()).hexdigest()
    run_id = derived_id("run", definition.campaign, digest, first_day.isoformat())
    with engine.begin() as connection:
        # one planner at a time (two would both find nobody in another run), and no file that
        # changes the ledger between two of the statements that read it
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
        # sorts and joins of a whole ledger; only for this transaction
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        if connection.scalar(select(run.c.id).where(run.c.id == run_id)):
            return Planned(run_id, new=False)
        version_id = _version(connection, actor, definition, source, digest, now)
        _freeze(connection, actor, definition, run_id, version_id, first_day, now)
    return Planned(run_id, new=True)


def _version(
    connection: Connection,
    actor: Actor,
    definition: Definition,
    source: str,
    digest: str,
    now: datetime,
) -> int:
    known = connection.scalar(
        select(campaign_version.c.id).where(
            campaign_version.c.key == definition.campaign, campaign_version.c.sha256 == digest
        )
    )
    if known is not None:
        return int(known)
    latest = connection.scalar(
        text("SELECT coalesce(max(version), 0) FROM campaign_version WHERE key = :key"),
        {"key": definition.campaign},
    )
    made = connection.execute(
        insert(campaign_version)
        .values(
            key=definition.campaign,
            version=int(latest or 0) + 1,
            sha256=digest,
            text=source,
            definition=definition.model_dump(mode="json"),
            created_at=now,
            created_by=actor.name,
        )
        .returning(campaign_version.c.id)
    )
    return int(made.scalar_one())


def _freeze(
    connection: Connection,
    actor: Actor,
    definition: Definition,
    run_id: UUID,
    version_id: int,
    first_day: date,
    now: datetime,
) -> None:
    assessed = connection.execute(
        text("""
        SELECT count(*) AS claims, count(DISTINCT c.debtor_id) AS debtors,
            coalesce(bool_or(d.training), false) AS training
        FROM claim c JOIN debtor d ON d.id = c.debtor_id WHERE c.outstanding_yen > 0
        """)
    ).one()
    connection.execute(
        insert(run).values(
            id=run_id,
            campaign_version_id=version_id,
            as_of=first_day,
            seed=definition.allocation.seed,
            state=RunState.PLANNED,
            starts_at=at_tokyo(first_day, time(0, 0)),
            planned_at=now,
            planned_by=actor.name,
            training=assessed.training,
            assessed_debtors=assessed.debtors,
            assessed_claims=assessed.claims,
        )
    )
    find_clusters(connection)
    targets.select_claims(connection, definition, first_day)
    targets.choose_numbers(connection, definition, first_day)
    targets.group_by_number(connection, run_id)
    targets.exclude(connection, definition, run_id)
    _must_reach_somebody(connection, run_id)
    targets.allocate(connection, definition, run_id)
    freeze_steps(connection, definition, run_id, first_day)
    plan_attempts(connection, definition, run_id, first_day)
    # the first lease comes before the server looks at the tables by itself
    connection.execute(text("ANALYZE attempt, target, target_claim"))
    audit.record(connection, now, actor, "run.plan", str(run_id), campaign=definition.campaign)


def _must_reach_somebody(connection: Connection, run_id: UUID) -> None:
    if not connection.scalar(text("SELECT EXISTS (SELECT 1 FROM plan_target)")):
        reasons = connection.execute(
            text("""
            SELECT reason, count(*) AS n FROM exclusion WHERE run_id = :run_id
            GROUP BY 1 ORDER BY 2 DESC
            """),
            {"run_id": run_id},
        )
        said = "、".join(
            f"{EXCLUSION_JA[ExclusionReason(row.reason)]} {row.n} 人" for row in reasons
        )
        raise CannotDo(
            f"対象になる人がいません（{said or '滞納のある人がいません'}）。select の条件を見直して"
            "ください / nobody would be contacted: look at the definition's select"
        )


def start(
    engine: Engine, actor: Actor, run_id: UUID, now: datetime, live_providers: Collection[str]
) -> None:
    """Let a planned run go out. Takes an approver who is not the one who planned it.

    Raises ``NotAllowed``, and :class:`CannotDo` also when the run holds training data while a
    live carrier is configured: sample people are never contacted.
    """
    require(actor, Role.APPROVER)
    with engine.begin() as connection:
        found = connection.execute(
            select(run.c.planned_by, run.c.training).where(run.c.id == run_id)
        ).one_or_none()
        if found and actor.name == found.planned_by:
            raise NotAllowed(
                "計画した人とは別の人が承認してください（CONTACT_ACTOR で名乗ります） / somebody "
                f"else must approve what {actor.name} planned (CONTACT_ACTOR says who you are)"
            )
        if found and found.training and live_providers:
            raise CannotDo(
                "訓練データを含む実施は、実在の事業者（"
                + "、".join(sorted(live_providers))
                + "）では開始できません / a run with training data cannot start while a live "
                "carrier is configured"
            )
        _move(connection, actor, run_id, now, "run.start", RunState.RUNNING, RunState.PLANNED)
        connection.execute(
            text("""
            UPDATE campaign_version v SET approved_at = :now, approved_by = :name
            FROM run r WHERE r.id = :run_id AND v.id = r.campaign_version_id
            AND v.approved_at IS NULL
            """),
            {"now": now, "name": actor.name, "run_id": run_id},
        )


def pause(engine: Engine, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Stop leasing until resumed. What is with the carrier already is followed up."""
    require(actor, Role.STAFF, Role.APPROVER, Role.SUPERVISOR)
    with engine.begin() as connection:
        _move(connection, actor, run_id, now, "run.pause", RunState.PAUSED, RunState.RUNNING)


def resume(engine: Engine, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Go on where a paused run stopped; what expired meanwhile stays undone."""
    require(actor, Role.STAFF, Role.APPROVER)
    with engine.begin() as connection:
        _move(connection, actor, run_id, now, "run.resume", RunState.RUNNING, RunState.PAUSED)


def stop(engine: Engine, actor: Actor, run_id: UUID, now: datetime) -> None:
    """End a run for good: what has not gone out never will."""
    require(actor, Role.STAFF, Role.APPROVER, Role.SUPERVISOR)
    with engine.begin() as connection:
        _move(
            connection, actor, run_id, now, "run.stop", RunState.STOPPED,
            RunState.PLANNED, RunState.RUNNING, RunState.PAUSED,
        )  # fmt: skip
        connection.execute(
            text("""
            UPDATE attempt SET state = 'skipped', reason = 'stopped', outcome_at = :now
            WHERE run_id = :run_id AND state = 'planned'
            """),
            {"run_id": run_id, "now": now},
        )


def _move(
    connection: Connection,
    actor: Actor,
    run_id: UUID,
    now: datetime,
    action: str,
    to: RunState,
    *allowed: RunState,
) -> None:
    moved = connection.execute(
        update(run).where(run.c.id == run_id, run.c.state.in_(allowed)).values(state=to)
    ).rowcount
    if not moved:
        state = connection.scalar(select(run.c.state).where(run.c.id == run_id))
        raise CannotDo(
            f"実施 {run_id} は現在「{state or 'なし'}」のため、この操作はできません / "
            f"run {run_id} is {state or 'not there'}: {action} is not possible"
        )
    audit.record(connection, now, actor, action, str(run_id))
