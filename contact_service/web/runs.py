"""One run: before it starts with its numbers and the button, under way with its progress."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import text

from contact_service.dispatch.decide import DECIDERS
from contact_service.dispatch.switches import switches
from contact_service.domain.actors import NotAllowed, Role
from contact_service.domain.life import MOVES, Action, CannotDo
from contact_service.domain.states import RunState, VersionState
from contact_service.evaluation import forms
from contact_service.identity.sessions import Session
from contact_service.planning import versions
from contact_service.planning.definitions import definition_of_version, run_is_own
from contact_service.web import run_now
from contact_service.web.campaigns import STATE_WORDS, allowed, reads
from contact_service.web.carrier import service_of
from contact_service.web.pages import WORKS_HERE
from contact_service.web.previews import preview_of, summary
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/runs")


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
        if row is None or not run_is_own(connection, session.account.actor, run_id):
            raise HTTPException(404, run_now.NOT_THERE)
        version = versions.by_id(connection, row.campaign_version_id)
        source = versions.text_of(connection, version.id)
        definition = definition_of_version(connection, version.id)
        stopped = switches(connection)
    state = RunState(row.state)
    starting = run_now.starting(service, run_id)
    figures = None
    if state is RunState.SCHEDULED:
        figures = preview_of(
            service, session.account.actor, background, definition, source, row.as_of
        )
    answer = page(
        request, "run.html", 422 if wrong else 200, wrong=wrong or run_now.refused(starting, state),
        run=row, run_id=run_id, state=state, version=version, stopped=stopped,
        figures=figures, summary=summary(figures.figures) if figures and figures.figures else None,
        starting=starting is not None and not starting.done,
        may_start=state is RunState.SCHEDULED and allowed(session, *MOVES[Action.START].roles)
        and version.state in (VersionState.APPROVED, VersionState.SUBMITTED),
        offered=[
            action for action in (Action.PAUSE, Action.RESUME, Action.STOP)
            if state in MOVES[action].before and allowed(session, *MOVES[action].roles)
        ],
        may_stop_all=state is not RunState.SCHEDULED and "all" not in stopped
        and allowed(session, *WORKS_HERE),
        reports=row.frozen_at is not None and allowed(session, *forms.READERS),
        may_decide=allowed(session, *DECIDERS),
        state_words=STATE_WORDS, progress=run_now.progress(service, background, run_id),
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
    state = run_now.state_of(service, session.account.actor, run_id)
    starting = run_now.starting(service, run_id)
    answer = page(
        request, "run_progress.html", run_id=run_id, state=state,
        starting=starting is not None and not starting.done,
        may_decide=allowed(session, *DECIDERS),
        progress=run_now.progress(service, background, run_id),
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
        run_now.begin_start(service, background, actor, run_id, reason.strip())
    except (CannotDo, NotAllowed) as error:
        return run_page(request, background, session, run_id, wrong=str(error))
    answer = RedirectResponse(f"/runs/{run_id}", 303)
    answer.background = background
    return answer
