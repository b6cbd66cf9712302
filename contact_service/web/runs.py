"""One run: before it starts with its numbers and the button, under way with its progress."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.dispatch import providers
from contact_service.dispatch.pacing import pacing
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor, NotAllowed, Role, require
from contact_service.domain.life import MOVES, Action, CannotDo
from contact_service.domain.states import RunState, VersionState
from contact_service.identity.sessions import Session
from contact_service.planning import computed, overview, runs, versions
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.progress import StepProgress, run_progress
from contact_service.planning.schedule import DoesNotFit
from contact_service.web.campaigns import STATE_WORDS, allowed, reads
from contact_service.web.carrier import service_of
from contact_service.web.previews import preview_of, summary
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/runs")
#: Counts of a large ledger are this old at most when they are shown.
FRESH = timedelta(seconds=5)
NOT_THERE = "この実施はありません。一覧から選んでください / there is no such run: choose one"
NOT_WAITING = (
    "開始待ちではありません。すでに開始したか、中止されています / it does not wait to start"
)


@router.get("/{run_id}")
def show(
    request: Request, background: BackgroundTasks, run_id: UUID, session: Session = Depends(reads)
) -> Response:
    """One run."""
    return run_page(request, background, session, run_id)


def run_page(
    request: Request,
    background: BackgroundTasks,
    session: Session,
    run_id: UUID,
    wrong: str = "",
) -> Response:
    """The same, with what was wrong with something that was tried there."""
    service = service_of(request)
    with service.engine.connect() as connection:
        row = connection.execute(
            text("""
            SELECT r.campaign_version_id, r.state, r.as_of, r.frozen_at, r.training
            FROM run r WHERE r.id = :id
            """),
            {"id": run_id},
        ).one_or_none()
        if row is None:
            raise HTTPException(404, NOT_THERE)
        version = versions.by_id(connection, row.campaign_version_id)
        source = versions.text_of(connection, version.id)
        definition = definition_of_version(connection, version.id)
        stopped = switches(connection)
    state = RunState(row.state)
    starting = computed.known(service.engine, _start_key(run_id))
    figures = None
    if state is RunState.SCHEDULED:
        figures = preview_of(request, background, definition, source, row.as_of)
    answer = page(
        request, "run.html", 422 if wrong else 200, wrong=wrong or _refused(starting, state),
        run=row, run_id=run_id, state=state, version=version, stopped=stopped,
        figures=figures, summary=summary(figures.figures) if figures and figures.figures else None,
        starting=starting is not None and not starting.done,
        may_start=state is RunState.SCHEDULED and allowed(session, *MOVES[Action.START].roles)
        and version.state in (VersionState.APPROVED, VersionState.SUBMITTED),
        offered=[
            action for action in (Action.PAUSE, Action.RESUME, Action.STOP)
            if state in MOVES[action].before and allowed(session, *MOVES[action].roles)
        ],
        state_words=STATE_WORDS, progress=_progress(service, background, run_id),
    )  # fmt: skip
    answer.background = background
    return answer


@router.get("/{run_id}/progress")
def progress(
    request: Request,
    background: BackgroundTasks,
    run_id: UUID,
    seen: str = "",
    session: Session = Depends(reads),
) -> Response:
    """The part of the page that changes; the whole page is asked for again when the run's state
    is no longer the one that was ``seen``."""
    service = service_of(request)
    state = _state(service, run_id)
    starting = computed.known(service.engine, _start_key(run_id))
    answer = page(
        request, "run_progress.html", run_id=run_id, state=state,
        starting=starting is not None and not starting.done,
        progress=_progress(service, background, run_id),
    )  # fmt: skip
    now = "starting" if state is RunState.SCHEDULED and starting and not starting.done else state
    if seen != now:
        answer.headers["HX-Refresh"] = "true"
    answer.background = background
    return answer


@router.post("/{run_id}/start", dependencies=[Depends(own_form)])
def start(
    request: Request,
    background: BackgroundTasks,
    run_id: UUID,
    session: Session = Depends(may(Role.STAFF, Role.APPROVER)),
    reason: str = Form("", max_length=200),
) -> Response:
    """Let a run go out now. Taking its targets may take a while: the page shows when it is done."""
    service, actor = service_of(request), session.account.actor
    try:
        require(actor, *MOVES[Action.START].roles)
        if _state(service, run_id) is not RunState.SCHEDULED:
            raise CannotDo(NOT_WAITING)
        with service.engine.connect() as connection:
            version_id = connection.scalar(
                text("SELECT campaign_version_id FROM run WHERE id = :id"), {"id": run_id}
            )
            version = versions.by_id(connection, int(str(version_id)))
            if version.state is not VersionState.APPROVED:
                versions.must_be_another(connection, actor, version.id)
    except (CannotDo, NotAllowed) as error:
        return run_page(request, background, session, run_id, wrong=str(error))
    key = _start_key(run_id)
    answer = RedirectResponse(f"/runs/{run_id}", 303)
    if computed.begin(service.engine, "start", key, service.clock.now()):
        background.add_task(_start, service, actor, run_id, reason.strip())
    answer.background = background
    return answer


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


def _refused(starting: computed.Computed | None, state: RunState) -> str:
    """Why the last start came to nothing, while the run still waits."""
    return starting.wrong if starting and starting.done and state is RunState.SCHEDULED else ""


def _state(service: Service, run_id: UUID) -> RunState:
    with service.engine.connect() as connection:
        found = connection.scalar(text("SELECT state FROM run WHERE id = :id"), {"id": run_id})
    if found is None:
        raise HTTPException(404, NOT_THERE)
    return RunState(found)


def _progress(service: Service, background: BackgroundTasks, run_id: UUID) -> dict[str, object]:
    """Counts for the page: at once where that is quick, else those of some seconds ago."""
    now = service.clock.now()
    with service.engine.connect() as connection:
        if not overview.large(connection):
            counted = overview.counts(connection, [run_id], now)[run_id]
            (run,) = run_progress(connection, [run_id])
            return {"counts": counted, "steps": run.steps, "as_of": now}
    key = computed.key_of("progress", run_id)
    found = computed.known(service.engine, key)
    fresh = found is not None and (not found.done or now - found.asked_at < FRESH)
    if not fresh and computed.begin(service.engine, "progress", key, now):
        work = partial(_counted, service, run_id)
        background.add_task(computed.work_out, service.engine, key, work)
    if found is None or found.figures is None:
        return {"counts": None, "steps": [], "as_of": None}
    steps = [StepProgress(**each) for each in found.figures["steps"]]
    counts = overview.Counts(**found.figures["counts"])
    return {"counts": counts, "steps": steps, "as_of": found.figures["as_of"]}


def _counted(service: Service, run_id: UUID) -> dict[str, object]:
    now = service.clock.now()
    with service.engine.connect() as connection:
        counted = overview.counts(connection, [run_id], now)[run_id]
        (run,) = run_progress(connection, [run_id])
    steps = [asdict(step) for step in run.steps]
    return {"counts": asdict(counted), "steps": steps, "as_of": now}
