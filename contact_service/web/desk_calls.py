"""Calls at the desk: who is on the line and who takes them, and calls by click."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from contact_service.bootstrap import Service
from contact_service.callcentre import desk, placing, replies, taking
from contact_service.callcentre.dispositions import NotYours
from contact_service.callcentre.incoming import rules_of
from contact_service.domain.actors import Actor, Role
from contact_service.domain.states import PlacedCallResult, ReplyKind
from contact_service.identity.sessions import Session
from contact_service.people.restricting import CannotRestrict
from contact_service.web import queue, words
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.desk import (
    FORMS,
    at_the_desk,
    click_carrier,
    done_at_the_desk,
    rings,
    show_desk,
    takes_extensions,
)
from contact_service.web.rendering import page
from contact_service.web.session import may
from providers.base import Accepted, Call, Provider, ProviderUnavailable, Transfer, Unknown

router = APIRouter(include_in_schema=False, prefix="/desk")
lifts_opt_outs = may(Role.SUPERVISOR)


@router.post("/next", dependencies=FORMS)
async def next_(request: Request, session: Session = Depends(at_the_desk)) -> Response:
    """The next person: who is on the line, who called and is to be called back, then the lists."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    open_ = await run_in_threadpool(desk.desk_of, service, actor, now)
    if open_.calls and open_.conversation_id is None:
        return await _take(request, session, None)
    found = await run_in_threadpool(desk.take_next, service, actor, now)
    return RedirectResponse("/desk" if found else "/desk?nobody=true", 303)


@router.get("/calls")
def calls(request: Request, session: Session = Depends(at_the_desk)) -> Response:
    """Who is on the line now, for a page that asks every few seconds."""
    service = service_of(request)
    found = desk.ringing(service, session.account.actor, service.clock.now())
    return page(request, "calls.html", desk=found, words=words.of(request))


@router.post("/telephone", dependencies=FORMS)
def telephone(
    request: Request,
    session: Session = Depends(at_the_desk),
    number: str = Form("", max_length=30),
) -> Response:
    """Which telephone rings when a call is put through to this operator."""

    def choose(service: Service, actor: Actor, now: datetime) -> None:
        placing.set_telephone(service, actor, number, now, takes_extensions(request))

    return done_at_the_desk(request, session, choose, placing.NoTelephone)


@router.post("/take/{inbound_id}", dependencies=FORMS)
async def take(
    request: Request, inbound_id: UUID, session: Session = Depends(at_the_desk)
) -> Response:
    """Take a call, or a call back."""
    return await _take(request, session, inbound_id)


@router.post("/replies/{message_id}/take", dependencies=FORMS)
def take_reply(
    request: Request, message_id: int, session: Session = Depends(at_the_desk)
) -> Response:
    """Read what somebody wrote."""
    service = service_of(request)
    if not replies.take_reply(service, session.account.actor, message_id, service.clock.now()):
        return show_desk(request, session, "ほかの人が読んでいます / somebody else has it")
    return RedirectResponse("/desk", 303)


@router.post("/replies/{message_id}/done", dependencies=FORMS)
def reply_done(
    request: Request,
    message_id: int,
    became: ReplyKind = Form(...),
    session: Session = Depends(at_the_desk),
) -> Response:
    """It has been dealt with."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    if not replies.reply_done(service, actor, message_id, became, now):
        return show_desk(request, session, "先に読んでください / take it first")
    return RedirectResponse("/desk", 303)


@router.get("/contact-again")
def ask_contact_again(
    request: Request, session: Session = Depends(lifts_opt_outs), done: bool = False
) -> Response:
    """The way back for somebody who wanted no more contacts and now does."""
    return page(request, "contact_again.html", wrong="", done=done, said={})


@router.post("/contact-again", dependencies=FORMS)
def contact_again(
    request: Request,
    session: Session = Depends(lifts_opt_outs),
    number: str = Form("", max_length=30),
    asked_by: str = Form("", max_length=60),
    reason: str = Form("", max_length=500),
) -> Response:
    """Ask to take an opt-out back."""
    service, actor = service_of(request), session.account.actor
    try:
        replies.contact_again(service, actor, number, asked_by, reason)
    except (replies.CannotLift, CannotRestrict) as error:
        said = {"number": number, "asked_by": asked_by, "reason": reason}
        return page(request, "contact_again.html", 422, wrong=str(error), done=False, said=said)
    return RedirectResponse("/desk/contact-again?done=true", 303)


@router.post("/{conversation_id}/who", dependencies=FORMS)
def who(
    request: Request,
    conversation_id: UUID,
    session: Session = Depends(at_the_desk),
    wanted: str = Form("", max_length=60),
    code: str = Form("", max_length=32),
) -> Response:
    """Whose call it is: looked for by 宛名番号 or kana, then chosen."""
    service = service_of(request)
    if not code:
        actor, now = session.account.actor, service.clock.now()
        try:
            found = taking.find_people(service, actor, conversation_id, wanted, now)
        except NotYours as error:
            return show_desk(request, session, str(error))
        return show_desk(request, session, found=found)
    return done_at_the_desk(
        request, session,
        lambda service, actor, now: taking.it_is(service, actor, conversation_id, code, now),
        NotYours,
    )  # fmt: skip


@router.post("/{attempt_id}/place", dependencies=FORMS)
async def place(
    request: Request,
    attempt_id: UUID,
    press: UUID = Form(...),
    session: Session = Depends(at_the_desk),
) -> Response:
    """A carrier is to ring the operator first, then the resident; pressed twice, once."""
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    telephone = await run_in_threadpool(placing.telephone_of, service, actor)
    carrier = click_carrier(request, telephone or "")
    if carrier is None:
        raise HTTPException(404)
    provider, live = carrier
    try:
        await run_in_threadpool(desk.may_call, service, actor, attempt_id)
        asked = await run_in_threadpool(
            placing.write_down, service, actor, attempt_id, press, provider.name, live, now
        )
        if asked is not None:
            await _place(service, provider, asked)
            await run_in_threadpool(desk.calling, service, actor, attempt_id, now)
    except (NotYours, placing.MustNotCall, placing.NoTelephone, NotPlaced) as error:
        return await run_in_threadpool(show_desk, request, session, str(error))
    return RedirectResponse("/desk", 303)


class NotPlaced(Exception):
    """The carrier did not take the call."""


async def _place(service: Service, provider: Provider, asked: placing.ToPlace) -> None:
    result = await provider.submit(
        Call(
            str(asked.id),
            asked.operator_phone,
            queue.address(service, provider.name, f"placed/{asked.id}"),
        )
    )
    if isinstance(result, Accepted):
        became, ref = PlacedCallResult.ACCEPTED, result.provider_ref
    else:
        unknown = isinstance(result, Unknown)
        became, ref = PlacedCallResult.UNKNOWN if unknown else PlacedCallResult.REFUSED, None
    await run_in_threadpool(placing.placed, service, asked.id, became, ref)
    if became is PlacedCallResult.REFUSED:
        raise NotPlaced(
            "事業者が電話を受け付けませんでした。番号を押してかけてください / the carrier did "
            "not take the call: dial by hand"
        )


async def _take(request: Request, session: Session, inbound_id: UUID | None) -> Response:
    service = service_of(request)
    actor, now = session.account.actor, service.clock.now()
    try:
        taken = await run_in_threadpool(desk.take_call, service, actor, inbound_id, now)
    except desk.SomebodyIsWaiting as error:
        return await run_in_threadpool(show_desk, request, session, str(error))
    if taken is None:
        gone = (
            "この電話は、ほかの人が取ったか、切れました / somebody else took the call, or it ended"
        )
        return await run_in_threadpool(show_desk, request, session, gone)
    provider = adapters_of(request).get(taken.provider)
    held = rules_of(service).queue and provider is not None and provider.capabilities.queue
    if taken.on_the_line and held and provider is not None:
        telephone = await run_in_threadpool(placing.telephone_of, service, actor)
        if telephone is None or not rings(provider, telephone):
            telephone = service.settings.office_phone
        through = Transfer(
            telephone,
            after_url=queue.address(service, provider.name, "connected"),
            whisper_url=queue.address(service, provider.name, "whisper"),
        )
        try:
            await provider.instruct(taken.provider_ref, [through])
        except ProviderUnavailable:
            await run_in_threadpool(taking.not_connected, service, actor, taken.id, now)
            gone = "つながる前に切れました。かけ直しに加えました / hung up before being connected"
            return await run_in_threadpool(show_desk, request, session, gone)
    return RedirectResponse("/desk", 303)
