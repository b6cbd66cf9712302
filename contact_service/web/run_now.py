"""How a run stands: its state, whether it is being started, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from fastapi import BackgroundTasks, HTTPException
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.dispatch import providers
from contact_service.dispatch.pacing import pacing
from contact_service.domain.actors import Actor, NotAllowed, require
from contact_service.domain.life import MOVES, Action, CannotDo
from contact_service.domain.states import RunState, VersionState
from contact_service.planning import computed, overview, runs, versions
from contact_service.planning.definitions import run_is_own
from contact_service.planning.progress import StepProgress, run_progress
from contact_service.planning.schedule import DoesNotFit

#: Counts of a large ledger are this old at most when they are shown.
FRESH = timedelta(seconds=5)
NOT_THERE = "この実施はありません。一覧から選んでください / there is no such run: choose one"
NOT_WAITING = (
    "開始待ちではありません。すでに開始したか、中止されています / it does not wait to start"
)


def state_of(service: Service, actor: Actor, run_id: UUID) -> RunState:
    """A run's state; 404 for no run of the actor's office."""
    with service.engine.connect() as connection:
        found = connection.scalar(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
        own = run_is_own(connection, actor, run_id)
    if found is None or not own:
        raise HTTPException(404, NOT_THERE)
    return RunState(found)


def starting(service: Service, run_id: UUID) -> computed.Computed | None:
    """The start that somebody asked for, if anybody did."""
    return computed.known(service.engine, _start_key(run_id))


def refused(found: computed.Computed | None, state: RunState) -> str:
    """Why the last start came to nothing, while the run still waits."""
    return found.wrong if found and found.done and state is RunState.SCHEDULED else ""


def begin_start(
    service: Service, background: BackgroundTasks, actor: Actor, run_id: UUID, reason: str
) -> None:
    """Have a run go out now, behind the answer: taking its targets may take a while.

    Raises ``NotAllowed``, ``CannotDo``; what is found only then is told by :func:`starting`.
    """
    require(actor, *MOVES[Action.START].roles)
    if state_of(service, actor, run_id) is not RunState.SCHEDULED:
        raise CannotDo(NOT_WAITING)
    with service.engine.connect() as connection:
        version_id = connection.scalar(
            text("SELECT campaign_version_id FROM run WHERE id = :id"), {"id": run_id}
        )
        version = versions.by_id(connection, int(str(version_id)))
        if version.state is not VersionState.APPROVED:
            versions.must_be_another(connection, actor, version.id)
    if computed.begin(service.engine, "start", _start_key(run_id), service.clock.now()):
        background.add_task(_start, service, actor, run_id, reason)


def _start(service: Service, actor: Actor, run_id: UUID, reason: str) -> None:
    def work() -> dict[str, object]:
        live = [each.name for each in providers.configured(service.settings) if each.live]
        allowance = pacing(service.settings.pacing_file).centre.calls_per_half_hour
        runs.start(
            service.engine, actor, run_id, service.clock.now(), live, reason, allowance
        )  # fmt: skip
        return {}

    computed.work_out(
        service.engine, _start_key(run_id), work, CannotDo, DoesNotFit, NotAllowed
    )  # fmt: skip


def _start_key(run_id: UUID) -> str:
    return computed.key_of("start", run_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, as of an instant; ``None`` until it is counted."""

    counts: overview.Counts | None = None
    steps: Sequence[StepProgress] = ()
    as_of: datetime | None = None


def progress(service: Service, background: BackgroundTasks, run_id: UUID) -> Progress:
    """Counts: at once where that is quick, else those of some seconds ago."""
    now = service.clock.now()
    with service.engine.connect() as connection:
        if not overview.large(connection):
            counted = overview.counts(connection, [run_id], now)[run_id]
            (run,) = run_progress(connection, [run_id])
            return Progress(counted, run.steps, now)
    key = computed.key_of("progress", run_id)
    found = computed.known(service.engine, key)
    fresh = found is not None and (not found.done or now - found.asked_at < FRESH)
    if not fresh and computed.begin(service.engine, "progress", key, now):
        work = partial(_counted, service, run_id)
        background.add_task(computed.work_out, service.engine, key, work)
    if found is None or found.figures is None:
        return Progress()
    steps = [StepProgress(**each) for each in found.figures["steps"]]
    counts = overview.Counts(**found.figures["counts"])
    return Progress(counts, steps, found.figures["as_of"])


def _counted(service: Service, run_id: UUID) -> dict[str, object]:
    now = service.clock.now()
    with service.engine.connect() as connection:
        counted = overview.counts(connection, [run_id], now)[run_id]
        (run,) = run_progress(connection, [run_id])
    steps = [asdict(step) for step in run.steps]
    return {"counts": asdict(counted), "steps": steps, "as_of": now}
