"""Re-assigning: calls back and people on desks go to somebody else, or to anybody."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.callcentre import reassigning
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.house_rules import house_rules
from contact_service.domain.actors import Role
from contact_service.identity.sessions import Session
from contact_service.web import words
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/centre/work")
supervises = may(Role.SUPERVISOR)
FORMS = [Depends(own_form)]


@router.get("")
def show(
    request: Request, session: Session = Depends(supervises), moved: int | None = None
) -> Response:
    """Who is with whom, and who is to be called back by whom."""
    return _show(request, session, moved=moved)


@router.post("/all", dependencies=FORMS)
def all_of(
    request: Request,
    session: Session = Depends(supervises),
    from_: str = Form(..., alias="from", max_length=40),
    to: str = Form("", max_length=40),
) -> Response:
    """All calls back of one operator."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    try:
        moved = reassigning.reassign_all(service, actor, from_, to or None, now)
    except MayNot as error:
        return _show(request, session, wrong=str(error))
    return RedirectResponse(f"/centre/work?moved={moved}", 303)


@router.post("/{piece}", dependencies=FORMS)
def one(
    request: Request,
    piece: UUID,
    session: Session = Depends(supervises),
    to: str = Form("", max_length=40),
) -> Response:
    """One call back, or one person on a desk."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    try:
        reassigning.reassign(service, actor, piece, to or None, now)
    except MayNot as error:
        return _show(request, session, wrong=str(error))
    return RedirectResponse("/centre/work?moved=1", 303)


def _show(
    request: Request, session: Session, wrong: str = "", moved: int | None = None
) -> Response:
    service = service_of(request)
    actor = session.account.actor
    return page(
        request,
        "work.html",
        422 if wrong else 200,
        pieces=reassigning.work(service, actor, service.clock.now()),
        operators=reassigning.operators(service, actor),
        most_tries=house_rules(service.settings.desk_file).call_backs.most_tries,
        wrong=wrong,
        moved=moved,
        words=words.of(request),
    )
