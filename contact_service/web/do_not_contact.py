"""Do not contact: the list, adding to it at once, and lifting by a second person."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.domain.actors import NotAllowed, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.identity.sessions import Session
from contact_service.people.restricting import (
    DECIDERS,
    READERS,
    CannotRestrict,
    Wanted,
    ask_to_lift,
    decide_lift,
    restrict,
    restrictions,
    to_decide,
)
from contact_service.people.search import SEARCHERS
from contact_service.web.carrier import service_of
from contact_service.web.people import ORIGIN_WORDS, day_of, reaches
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/do-not-contact")
reads = may(*READERS, contractors=False)
adds = may(*SEARCHERS, contractors=False)
decides = may(*DECIDERS)
FORMS = [Depends(own_form)]


@router.get("")
def show(
    request: Request,
    session: Session = Depends(reads),
    kind: str = Query("", max_length=30),
    before: int | None = Query(None, ge=1),
) -> Response:
    """Who must be left alone, the latest first."""
    return _list(request, session, kind=kind, before=before)


@router.post("/search", dependencies=FORMS)
def find(
    request: Request, session: Session = Depends(reads), wanted: str = Form("", max_length=200)
) -> Response:
    """The same for one person or number; by a form, so that neither stands in an address."""
    return _list(request, session, wanted=wanted)


@router.post("", dependencies=FORMS)
def add(
    request: Request,
    session: Session = Depends(adds),
    kind: RestrictionKind | None = Form(None),
    code: str = Form("", max_length=32),
    number: str = Form("", max_length=40),
    ends_on: str = Form("", max_length=10),
    note: str = Form("", max_length=200),
) -> Response:
    """Leave a person or a number alone from now on."""
    said = {
        "kind": kind or "", "code": code, "number": number, "ends_on": ends_on, "note": note,
    }  # fmt: skip
    if kind is None:
        wrong = "何の制限かを選んでください / choose what kind of restriction it is"
        return _list(request, session, wrong=wrong, said=said)
    try:
        wanted = Wanted(
            kind, code.strip() or None, number.strip() or None, None, day_of(ends_on), note
        )
        restrict(service_of(request), session.account.actor, wanted)
    except (CannotRestrict, NotAllowed) as error:
        return _list(request, session, wrong=str(error), said=said)
    return RedirectResponse("/do-not-contact?done=added", 303)


@router.post("/{restriction_id}/lift", dependencies=FORMS)
def ask(
    request: Request,
    restriction_id: int,
    session: Session = Depends(adds),
    reason: str = Form("", max_length=200),
) -> Response:
    """Ask a second person to lift it."""
    try:
        ask_to_lift(service_of(request), session.account.actor, restriction_id, reason)
    except (CannotRestrict, NotAllowed) as error:
        return _list(request, session, wrong=str(error))
    return RedirectResponse("/do-not-contact?done=asked", 303)


@router.post("/lifts/{lift_id}", dependencies=FORMS)
def decide(
    request: Request,
    lift_id: int,
    session: Session = Depends(decides),
    lift: bool = Form(...),
) -> Response:
    """Lift what somebody else asked to lift, or leave it in force."""
    try:
        decide_lift(service_of(request), session.account.actor, lift_id, lift=lift)
    except (CannotRestrict, NotAllowed) as error:
        return _list(request, session, wrong=str(error))
    return RedirectResponse(f"/do-not-contact?done={'lifted' if lift else 'kept'}", 303)


def _list(
    request: Request,
    session: Session,
    *,
    kind: str = "",
    wanted: str = "",
    before: int | None = None,
    wrong: str = "",
    said: dict[str, str] | None = None,
) -> Response:
    service, actor = service_of(request), session.account.actor
    chosen = RestrictionKind(kind) if kind in list(RestrictionKind) else None
    rows, more = restrictions(service, actor, kind=chosen, wanted=wanted, before=before)
    role = actor.role
    return page(
        request,
        "do_not_contact.html",
        422 if wrong else 200,
        rows=rows,
        more=more,
        before=before,
        waiting=to_decide(service, actor),
        reaches=reaches(),
        kinds=list(RestrictionKind),
        kind=chosen or "",
        wanted=wanted,
        wrong=wrong,
        said=said or {},
        done=request.query_params.get("done", ""),
        may_add=role is Role.ADMINISTRATOR or role in SEARCHERS,
        may_decide=role is Role.ADMINISTRATOR or role in DECIDERS,
        me=actor.name,
        origin_words=ORIGIN_WORDS,
    )
