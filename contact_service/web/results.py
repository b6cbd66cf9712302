"""The supervisor's review: results with filters, one conversation, its correction, samples."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from campaigns.vocabulary import Outcome
from contact_service.callcentre import conversation, correcting, lifting, quality
from contact_service.callcentre.call_backs import slots
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.dispositions import Incomplete
from contact_service.callcentre.house_rules import house_rules
from contact_service.callcentre.results import Wanted, Way, results, who_and_what
from contact_service.clock import TOKYO
from contact_service.domain.actors import Role
from contact_service.domain.states import DispositionKind, QualityMark
from contact_service.identity.sessions import Session
from contact_service.web import words
from contact_service.web.carrier import service_of
from contact_service.web.desk_forms import Said
from contact_service.web.paging import LAST, limits, paged
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/centre")
supervises = may(Role.SUPERVISOR)
FORMS = [Depends(own_form)]
#: Results that carriers report of messages and auto-calls.
REPORTED = (
    Outcome.DELIVERED, Outcome.CONFIRMED, Outcome.TRANSFERRED, Outcome.ANSWERED, Outcome.MACHINE,
    Outcome.NO_ANSWER, Outcome.BUSY, Outcome.UNREACHABLE, Outcome.WRONG_PERSON, Outcome.OPTED_OUT,
    Outcome.INVALID_NUMBER,
)  # fmt: skip


@router.get("/results")
def show(
    request: Request,
    session: Session = Depends(supervises),
    first: date | None = None,
    last: date | None = None,
    operator: Annotated[str, Query(max_length=40)] = "",
    campaign: Annotated[str, Query(max_length=80)] = "",
    way: Annotated[str, Query(max_length=20)] = "",
    result: Annotated[str, Query(max_length=30)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=LAST)] = 1,
) -> Response:
    """The list; today's conversations unless something else is asked for."""
    service = service_of(request)
    actor = session.account.actor
    today = service.clock.now().astimezone(TOKYO).date()
    try:
        wanted = Wanted(
            first=first or last or today,
            last=last or first or today,
            operator=operator or None,
            campaign=campaign or None,
            way=Way(way) if way else None,
            result=_result(result),
        )
    except ValueError:
        raise HTTPException(422) from None
    found = results(service, actor, wanted, limits(number))
    kept = {name: value for name, value in request.query_params.items() if name != "page"}
    operators, campaigns = who_and_what(service, actor)
    return page(
        request,
        "results.html",
        wanted=wanted,
        asked_result=result,
        found=found,
        operators=operators,
        campaigns=campaigns,
        ways=list(Way),
        kinds=list(DispositionKind),
        outcomes=REPORTED,
        listed=paged(found.shown, number, kept),
        to_decide=lifting.to_decide(service, actor),
        rules=house_rules(service.settings.desk_file),
        words=words.of(request),
    )


@router.get("/results/{disposition_id}")
def one(request: Request, disposition_id: int, session: Session = Depends(supervises)) -> Response:
    """One conversation."""
    return _show_one(request, session, disposition_id)


@router.post("/results/{disposition_id}/correct", dependencies=FORMS)
def correct(
    request: Request,
    disposition_id: int,
    said: Annotated[Said, Form()],
    session: Session = Depends(supervises),
) -> Response:
    """Another result, and why."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    try:
        read = conversation.read(service, actor, disposition_id, now)
        becomes = said.conversation(
            read.conversation_id, now, slots(service, read.conversation_id, now)
        )
        correcting.correct(service, actor, disposition_id, becomes, said.why, now)
    except (MayNot, Incomplete) as error:
        return _show_one(request, session, disposition_id, wrong=str(error), said=said)
    return RedirectResponse(f"/centre/results/{disposition_id}", 303)


@router.post("/results/{disposition_id}/mark", dependencies=FORMS)
def mark(
    request: Request,
    disposition_id: int,
    session: Session = Depends(supervises),
    mark: QualityMark = Form(...),
    remark: str = Form("", max_length=2000),
) -> Response:
    """What is thought of a conversation."""
    service = service_of(request)
    now = service.clock.now()
    try:
        quality.review(service, session.account.actor, disposition_id, mark, remark, now)
    except MayNot as error:
        return _show_one(request, session, disposition_id, wrong=str(error))
    return RedirectResponse(f"/centre/results/{disposition_id}", 303)


@router.post("/corrections/{correction_id}", dependencies=FORMS)
def decide(
    request: Request,
    correction_id: int,
    session: Session = Depends(supervises),
    lift: bool = Form(...),
) -> Response:
    """Lift the restrictions that a corrected result had made, or keep them."""
    service = service_of(request)
    try:
        lifting.decide(service, session.account.actor, correction_id, lift, service.clock.now())
    except MayNot as error:
        raise HTTPException(409, str(error)) from None
    return RedirectResponse("/centre/results", 303)


@router.get("/quality")
def sample(
    request: Request, session: Session = Depends(supervises), day: date | None = None
) -> Response:
    """The sample of a day."""
    service = service_of(request)
    now = service.clock.now()
    chosen = day or now.astimezone(TOKYO).date() - timedelta(days=1)
    return page(
        request,
        "quality.html",
        day=chosen,
        sampled=quality.sample(service, session.account.actor, chosen),
        seed=uuid4().hex[:8],
        words=words.of(request),
    )


@router.post("/quality", dependencies=FORMS)
def draw(
    request: Request,
    session: Session = Depends(supervises),
    day: date = Form(...),
    per_operator: int = Form(..., ge=1, le=50),
    seed: str = Form(..., min_length=1, max_length=40),
) -> Response:
    """Draw a sample."""
    service = service_of(request)
    now = service.clock.now()
    quality.draw(service, session.account.actor, day, per_operator, seed, now)
    return RedirectResponse(f"/centre/quality?day={day.isoformat()}", 303)


def _show_one(
    request: Request,
    session: Session,
    disposition_id: int,
    wrong: str = "",
    said: Said | None = None,
) -> Response:
    service = service_of(request)
    now = service.clock.now()
    try:
        read = conversation.read(service, session.account.actor, disposition_id, now)
    except MayNot as error:
        raise HTTPException(404, str(error)) from None
    return page(
        request,
        "result.html",
        422 if wrong else 200,
        read=read,
        wrong=wrong,
        said=said.model_dump() if said else {},
        own=read.operator == session.account.name,
        groups=words.DISPOSITION_GROUPS,
        Kind=DispositionKind,
        marks=list(QualityMark),
        rules=house_rules(service.settings.desk_file),
        slots=slots(service, read.conversation_id, now),
        words=words.of(request),
    )


def _result(chosen: str) -> DispositionKind | Outcome | None:
    """``disposition:promised``, ``outcome:delivered``, or nothing. Raises ``ValueError``."""
    if not chosen:
        return None
    of, _, value = chosen.partition(":")
    return Outcome(value) if of == "outcome" else DispositionKind(value)
