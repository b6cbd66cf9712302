"""Moving a version or a run from state to state: checked by the table, kept with who and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from contact_service.domain.actors import EVERY_OFFICE, Actor, require, require_kinds
from contact_service.domain.life import MOVES, Action, CannotDo, State, leads_to
from contact_service.domain.states import RunState, VersionState
from contact_service.planning.definitions import definition_of_version, kinds_of
from contact_service.store import audit
from contact_service.store.tables.campaigns import campaign_transition, campaign_version, run


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in a life, as it is kept."""

    version: int
    run_id: UUID | None
    action: Action
    at: datetime
    actor: str
    reason: str


def move_version(
    connection: Connection,
    actor: Actor,
    action: Action,
    version_id: int,
    now: datetime,
    reason: str = "",
) -> State:
    """Do ``action`` to a version, in the caller's transaction. Raises ``NotAllowed`` and
    :class:`CannotDo`."""
    found = connection.scalar(
        select(campaign_version.c.state)
        .where(campaign_version.c.id == version_id)
        .with_for_update()
    )
    _require_own(connection, actor, version_id)
    state = None if found is None or action is Action.DRAFT else VersionState(found)
    after = _allowed(actor, action, state)
    connection.execute(
        update(campaign_version).where(campaign_version.c.id == version_id).values(state=after)
    )
    _keep(connection, actor, action, version_id, None, state, after, now, reason)
    return after


def move_run(
    connection: Connection,
    actor: Actor,
    action: Action,
    run_id: UUID,
    now: datetime,
    reason: str = "",
) -> State:
    """Do ``action`` to a run, in the caller's transaction. Raises ``NotAllowed`` and
    :class:`CannotDo`."""
    found = connection.execute(
        select(run.c.state, run.c.campaign_version_id).where(run.c.id == run_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise CannotDo(f"実施 {run_id} はありません / there is no run {run_id}")
    _require_own(connection, actor, found.campaign_version_id)
    state = None if action is Action.SCHEDULE else RunState(found.state)
    try:
        after = _allowed(actor, action, state)
    except CannotDo as error:
        raise CannotDo(f"実施 {run_id}: {error}") from None
    connection.execute(update(run).where(run.c.id == run_id).values(state=after))
    _keep(
        connection, actor, action, found.campaign_version_id, run_id, state, after, now, reason
    )  # fmt: skip
    return after


def transitions(connection: Connection, key: str) -> list[Transition]:
    """All that happened to a campaign, in order."""
    rows = connection.execute(
        text("""
        SELECT v.version, t.run_id, t.action, t.at, t.actor, t.reason
        FROM campaign_transition t JOIN campaign_version v ON v.id = t.campaign_version_id
        WHERE v.key = :key ORDER BY t.id
        """),
        {"key": key},
    )
    return [
        Transition(row.version, row.run_id, Action(row.action), row.at, row.actor, row.reason)
        for row in rows
    ]


def _require_own(connection: Connection, actor: Actor, version_id: int) -> None:
    """An office acts on campaigns of its own claims alone. Everything can be stopped by anybody:
    :mod:`contact_service.dispatch.switches`."""
    if actor.office != EVERY_OFFICE:
        require_kinds(actor, kinds_of(definition_of_version(connection, version_id)))


def _allowed(actor: Actor, action: Action, state: State | None) -> State:
    require(actor, *MOVES[action].roles)
    return leads_to(action, state)


def _keep(
    connection: Connection,
    actor: Actor,
    action: Action,
    version_id: int,
    run_id: UUID | None,
    before: State | None,
    after: State,
    now: datetime,
    reason: str,
) -> None:
    connection.execute(
        insert(campaign_transition).values(
            campaign_version_id=version_id,
            run_id=run_id,
            action=action,
            before=before,
            after=after,
            at=now,
            actor=actor.name,
            role=actor.role,
            reason=reason,
        )
    )
    what = "version" if run_id is None else "run"
    subject = str(version_id) if run_id is None else str(run_id)
    audit.record(connection, now, actor, f"{what}.{action}", subject)
