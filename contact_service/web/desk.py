"""The operator's desk: one person at a time, from the first look to what came of the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from campaigns.messages import office_values
from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.callcentre import desk, placing, presence, taking
from contact_service.callcentre.call_backs import slots
from contact_service.callcentre.case import NoCase, case_of, script_of
from contact_service.callcentre.dispositions import Incomplete, NotYours
from contact_service.callcentre.house_rules import house_rules
from contact_service.callcentre.replies import open_replies
from contact_service.clock import TOKYO
from contact_service.dispatch.providers import configured
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import DispositionKind, IdentityProof, OperatorState, ReplyKind
from contact_service.identity.sessions import Session
from contact_service.web import words
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.desk_forms import Said
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form
from providers.base import Provider
from providers.words import is_extension

router = APIRouter(include_in_schema=False, prefix="/desk")
at_the_desk = may(Role.OPERATOR, Role.SUPERVISOR)
FORMS = [Depends(own_form)]


@router.get("")
def show(
    request: Request, session: Session = Depends(at_the_desk), nobody: bool = False
) -> Response:
    """The desk as it stands: a person, or the way to the next one."""
    return show_desk(request, session, nobody=nobody)


@router.post("/state", dependencies=FORMS)
def state(
    request: Request, session: Session = Depends(at_the_desk), to: OperatorState | None = Form(None)
) -> Response:
    """Be free, take a break, leave."""
    if to is not None and to not in desk.CHOSEN:
        raise HTTPException(422)
    return done_at_the_desk(
        request, session, lambda service, actor, now: desk.choose(service, actor, to, now),
        desk.SomebodyIsWaiting,
    )  # fmt: skip


@router.post("/here", dependencies=FORMS)
def here(request: Request, session: Session = Depends(at_the_desk)) -> Response:
    """The page is still open."""
    presence.still_here(service_of(request), session.account.actor)
    return Response(status_code=204)


@router.post("/{attempt_id}/call", dependencies=FORMS)
def call(request: Request, attempt_id: UUID, session: Session = Depends(at_the_desk)) -> Response:
    """The operator dials, by hand or by the link."""
    return done_at_the_desk(
        request, session, lambda service, actor, now: desk.calling(service, actor, attempt_id, now),
        NotYours, placing.MustNotCall,
    )  # fmt: skip


@router.post("/{attempt_id}/hung-up", dependencies=FORMS)
def hung_up(
    request: Request, attempt_id: UUID, session: Session = Depends(at_the_desk)
) -> Response:
    """The call is over."""
    return done_at_the_desk(
        request, session, lambda service, actor, now: desk.hung_up(service, actor, attempt_id, now),
        NotYours,
    )  # fmt: skip


@router.post("/{attempt_id}/identified", dependencies=FORMS)
def identified(
    request: Request,
    attempt_id: UUID,
    person: int = Form(..., ge=1, lt=2**63),
    proof: IdentityProof = Form(...),
    session: Session = Depends(at_the_desk),
) -> Response:
    """It is sure who is on the line."""

    def check(service: Service, actor: Actor, now: datetime) -> None:
        desk.identified(service, actor, attempt_id, person, proof, now)

    return done_at_the_desk(request, session, check, NotYours)


@router.post("/{attempt_id}/result", dependencies=FORMS)
def result(
    request: Request,
    attempt_id: UUID,
    said: Annotated[Said, Form()],
    session: Session = Depends(at_the_desk),
) -> Response:
    """What came of the call."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    try:
        concluded = said.conversation(attempt_id, now, slots(service, attempt_id, now))
        desk.conclude(service, actor, concluded, now)
    except (Incomplete, NotYours) as error:
        return show_desk(request, session, wrong=str(error), said=said.model_dump())
    return RedirectResponse("/desk", 303)


def done_at_the_desk(
    request: Request,
    session: Session,
    act: Callable[[Service, Actor, datetime], object],
    *wrong: type[Exception],
) -> Response:
    """Do something, then show the desk; what was wrong stands above it."""
    service = service_of(request)
    try:
        act(service, session.account.actor, service.clock.now())
    except wrong as error:
        return show_desk(request, session, wrong=str(error))
    return RedirectResponse("/desk", 303)


def show_desk(
    request: Request,
    session: Session,
    wrong: str = "",
    nobody: bool = False,
    said: Mapping[str, Any] | None = None,
    found: Sequence[taking.Found] | None = None,
) -> Response:
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    open_ = desk.desk_of(service, actor, now)
    status = 422 if wrong else 200
    telephone = placing.telephone_of(service, actor)
    shared = {
        "desk": open_,
        "wrong": wrong,
        "nobody": nobody,
        "words": words.of(request),
        "OperatorState": OperatorState,
        "telephone": dialled_as(telephone) if telephone else "",
        "extensions": takes_extensions(request),
    }
    if open_.conversation_id is None:
        return page(
            request, "desk.html", status, **shared, replies=open_replies(service, actor),
            ReplyKind=ReplyKind,
        )  # fmt: skip
    try:
        case = case_of(service, actor, open_.conversation_id, now)
    except NoCase as error:  # it went back to the list a moment ago
        shared |= {"wrong": str(error), "replies": (), "ReplyKind": ReplyKind}
        return page(request, "desk.html", 409, **shared)
    rules = house_rules(service.settings.desk_file)
    today = now.astimezone(TOKYO).date()
    on_the_line = case.call is not None and not case.call.call_back
    return page(
        request,
        "case.html",
        status,
        **shared,
        case=case,
        dialled=dialled_as(case.phone) if case.phone else "",
        dialled_as=dialled_as,
        script=script_of(service, session.account.shown_name, case, now),
        rules=rules,
        # who calls is there: that nobody could be reached is no result
        groups=[
            each for n, each in enumerate(words.DISPOSITION_GROUPS) if n != 1 or not on_the_line
        ],
        Kind=DispositionKind,
        Channel=Channel,
        proofs=list(IdentityProof),
        today=today,
        promise_days=promise_days(today),
        slots=slots(service, open_.conversation_id, now),
        said=said or {},
        found=found,
        by_click=bool(telephone)
        and click_carrier(request, telephone or "") is not None
        and not on_the_line,
        press=uuid4(),
    )


def rings(provider: Provider, telephone: str) -> bool:
    """Whether a carrier reaches an operator's telephone: an extension is its own exchange's."""
    return provider.capabilities.extensions or not is_extension(telephone)


def click_carrier(request: Request, telephone: str) -> tuple[Provider, bool] | None:
    """The first carrier that can call an operator and connect them to somebody, and whether it
    is live; ``None``: calls are made by the link or by hand."""
    for config in configured(service_of(request).settings):
        provider = adapters_of(request).get(config.name)
        if provider is None:
            continue
        can = provider.capabilities.transfer and rings(provider, telephone)
        if can and Channel.AUTO_CALL in config.per_second:
            return provider, config.live
    return None


def takes_extensions(request: Request) -> bool:
    """Whether any line leads to an exchange of the office's own."""
    return any(provider.capabilities.extensions for provider in adapters_of(request).values())


def dialled_as(e164: str) -> str:
    """A number as it is dialled in Japan; an extension as it is."""
    if is_extension(e164):
        return e164
    return office_values("", e164)["centre_phone"]


def promise_days(today: date) -> list[date]:
    """Days that are promised most: in a week, in two, at the end of this and the next month."""
    first_next = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    after_next = (first_next + timedelta(days=32)).replace(day=1)
    days = {
        today + timedelta(days=7),
        today + timedelta(days=14),
        first_next - timedelta(days=1),
        after_next - timedelta(days=1),
    }
    return sorted(day for day in days if day > today)
