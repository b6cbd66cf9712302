"""Pausing, resuming and stopping from the start page: at once, with a reason, by whoever may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Engine

from contact_service.dispatch import switches
from contact_service.domain.actors import Actor, NotAllowed, Role, allowed
from contact_service.domain.life import Action, CannotDo
from contact_service.identity.sessions import Session
from contact_service.planning import runs
from contact_service.planning.preview import READERS
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.pages import start_page
from contact_service.web.runs import run_page
from contact_service.web.session import local, may, own_form

router = APIRouter(include_in_schema=False)
FORMS = [Depends(own_form)]
works_here = may(Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
lets_go_on = may(Role.APPROVER, Role.SUPERVISOR)

NO_REASON = "理由を書いてください。あとで見る人の判断に要ります / say why"
NOT_HERE = "この画面ではできません / not from this page"

DO: dict[Action, Callable[[Engine, Actor, UUID, datetime, str], None]] = {
    Action.PAUSE: runs.pause,
    Action.RESUME: runs.resume,
    Action.STOP: runs.stop,
}


@router.post("/stop-all", dependencies=FORMS)
def stop_all(
    request: Request,
    background: BackgroundTasks,
    session: Session = Depends(works_here),
    reason: str = Form("", max_length=200),
    back: str = Form("/", max_length=60),
) -> Response:
    """Nothing goes out any more, on any channel, until somebody lets it go on."""
    if not reason.strip():
        return _refused(request, background, session, back, NO_REASON)
    service = service_of(request)
    switches.set_switch(
        service.engine, session.account.actor, switches.EVERYTHING, reason.strip(),
        service.clock.now(), adapters_of(request).configured,
    )  # fmt: skip
    return RedirectResponse(local(back), 303)


@router.post("/lift", dependencies=FORMS)
def lift(
    request: Request, session: Session = Depends(lets_go_on), scope: str = Form(..., max_length=60)
) -> Response:
    """What was stopped goes on."""
    service = service_of(request)
    switches.lift_switch(service.engine, session.account.actor, scope, service.clock.now())
    return RedirectResponse("/", 303)


@router.post("/runs/{run_id}/{action}", dependencies=FORMS)
def move(
    request: Request,
    background: BackgroundTasks,
    run_id: UUID,
    action: Action,
    session: Session = Depends(works_here),
    reason: str = Form("", max_length=200),
    back: str = Form("/", max_length=60),
) -> Response:
    """Pause, resume or end a run, from the start page or from its own."""
    if action not in DO:
        return _refused(request, background, session, back, NOT_HERE)
    if action is not Action.RESUME and not reason.strip():
        return _refused(request, background, session, back, NO_REASON)
    service = service_of(request)
    try:
        DO[action](
            service.engine, session.account.actor, run_id, service.clock.now(), reason.strip()
        )
    except (CannotDo, NotAllowed) as error:
        return _refused(request, background, session, back, str(error))
    return RedirectResponse(local(back), 303)


def _refused(
    request: Request, background: BackgroundTasks, session: Session, back: str, wrong: str
) -> Response:
    """The page that somebody pressed it on, with what was wrong."""
    try:
        run_id = UUID(back.removeprefix("/runs/"))
    except ValueError:
        return start_page(request, session, wrong)
    if not allowed(session.account.role, READERS):
        return start_page(request, session, wrong)
    return run_page(request, background, session, run_id, wrong)
