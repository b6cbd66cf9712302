"""Providers: how they are, what of their budgets is used up, pausing and going on."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from campaigns.vocabulary import Channel
from contact_service.dispatch import carriers_now, providers, switches
from contact_service.dispatch.drain import redis_client
from contact_service.dispatch.switches import UnknownScope
from contact_service.domain.actors import NotAllowed, Role
from contact_service.identity.sessions import Session
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.control import NO_REASON, lets_go_on, works_here
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/providers")
reads = may(*carriers_now.READERS, contractors=False)
FORMS = [Depends(own_form)]


@router.get("")
def show(request: Request, session: Session = Depends(reads)) -> Response:
    """Every carrier as it is now."""
    return _show(request, session)


@router.post("/pause", dependencies=FORMS)
def pause(
    request: Request,
    session: Session = Depends(works_here),
    scope: str = Form(..., max_length=60),
    reason: str = Form("", max_length=200),
) -> Response:
    """Nothing more goes by this carrier, or this channel, until somebody lets it go on."""
    if not reason.strip():
        return _show(request, session, wrong=NO_REASON)
    service = service_of(request)
    try:
        switches.set_switch(
            service.engine, session.account.actor, scope, reason.strip(), service.clock.now(),
            adapters_of(request).configured,
        )  # fmt: skip
    except (UnknownScope, NotAllowed) as error:
        return _show(request, session, wrong=str(error))
    return RedirectResponse("/providers?done=paused", 303)


@router.post("/resume", dependencies=FORMS)
def resume(
    request: Request, session: Session = Depends(lets_go_on), scope: str = Form(..., max_length=60)
) -> Response:
    """What was paused goes on."""
    service = service_of(request)
    switches.lift_switch(service.engine, session.account.actor, scope, service.clock.now())
    return RedirectResponse("/providers?done=resumed", 303)


def _show(request: Request, session: Session, wrong: str = "") -> Response:
    service, actor = service_of(request), session.account.actor
    client = redis_client(service.settings.broker_url)
    try:
        found = carriers_now.carriers(
            service,
            actor,
            providers.configured(service.settings),
            client,
            adapters_of(request).why_not(),
        )
    finally:
        client.close()
    return page(
        request,
        "providers.html",
        422 if wrong else 200,
        carriers=found,
        stopped=carriers_now.stopped(service),
        channels=[Channel.SMS, Channel.AUTO_CALL],
        wrong=wrong,
        done=request.query_params.get("done", ""),
        may_pause=actor.role in (Role.ADMINISTRATOR, *carriers_now.READERS[:4]),
        may_resume=actor.role in (Role.APPROVER, Role.SUPERVISOR, Role.ADMINISTRATOR),
    )
