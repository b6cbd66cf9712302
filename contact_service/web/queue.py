"""Callers who wait for an operator: what they hear, and what the keys mean.

The carrier holds the caller and asks what to play again and again; who waits, and who takes them,
is in the database alone. A carrier that cannot hold callers puts them through to the centre's
number instead.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from campaigns.messages import render
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.callcentre import incoming, placing
from contact_service.callcentre.incoming import Reception, rules_of
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.web.carrier import attempt_id_of, believed, service_of, verified
from providers.base import Enqueue, HangUp, Instruction, Menu, Provider, Say, Transfer

router = APIRouter(include_in_schema=False, prefix="/webhooks/{provider_name}/queue")
log = logs.log(__name__)

QUEUE = "centre"
#: The key by which a caller asks to be called back.
CALL_ME = "1"
#: How long a caller hears nothing between two announcements.
QUIET = timedelta(seconds=20)


def address(service: Service, provider: str, rest: str) -> str:
    """Where a carrier asks about a caller who waits."""
    return f"{service.settings.public_url}/webhooks/{provider}/queue/{rest}"


def said(service: Service, name: str, **more: str) -> Say:
    """One of the office's announcements."""
    words: str = getattr(rules_of(service).announcements, name)
    return Say(render(words, {**office(service.settings), **more}))


def receive(
    service: Service,
    provider: Provider,
    ref: str,
    caller: str | None,
    now: datetime,
    attempt_id: UUID | None = None,
    whisper: str | None = None,
) -> list[Instruction]:
    """What becomes of a caller who is to speak with somebody: they wait, are put through, or are
    told that nobody can be reached, and may ask to be called back."""
    rules = rules_of(service)
    held = rules.queue and provider.capabilities.queue
    if whisper is not None and not provider.capabilities.whisper:
        log.info("whisper.left_out", provider=provider.name)
        whisper = None
    put_through = Transfer(service.settings.office_phone, whisper_url=whisper)
    if attempt_id is not None and not held:  # its end is not reported to a desk
        return [put_through]
    how = incoming.reception(service, now)
    if how is Reception.OPEN or attempt_id is not None:  # whose auto-call it is must be kept
        incoming.arrived(service, provider.name, ref, caller, now, attempt_id)
    if how is not Reception.OPEN:
        return turned_away(service, provider.name, how, caller is not None or bool(attempt_id))
    if held:
        return [
            Enqueue(
                QUEUE,
                address(service, provider.name, "wait"),
                address(service, provider.name, "left"),
            )
        ]
    if rules.queue:
        log.info("queue.not_held", provider=provider.name)
    return [put_through]


def turned_away(
    service: Service, provider: str, how: Reception, may_be_called: bool
) -> list[Instruction]:
    """Nobody can be reached now."""
    why = said(service, "closed" if how is Reception.CLOSED else "full")
    if not may_be_called:
        return [why, said(service, "goodbye"), HangUp()]
    offer = Say(why.text + said(service, "offer").text)
    return [Menu(offer, frozenset({CALL_ME}), address(service, provider, "key/last"))]


@router.post("/wait")
async def wait(request: Request, provider_name: str) -> Response:
    """A caller waits: what they hear next."""
    provider, asked = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(asked))
    service = service_of(request)
    now = service.clock.now()
    since = await run_in_threadpool(
        incoming.waited, service, provider_name, heard.provider_ref, now
    )
    if since is None:  # taken, or over
        return _rendered(provider, [HangUp()])
    rules = rules_of(service)
    if since >= timedelta(seconds=rules.longest_wait_seconds):
        return _rendered(provider, turned_away(service, provider_name, Reception.FULL, True))
    words = Say(said(service, "waiting").text + said(service, "offer").text)
    menu = Menu(words, frozenset({CALL_ME}), address(service, provider_name, "key/more"), QUIET)
    return _rendered(provider, [menu])


@router.post("/key/{then}")
async def key(request: Request, provider_name: str, then: str) -> Response:
    """A caller has pressed a key, or none in time: ``more`` waits on, ``last`` is goodbye."""
    provider, asked = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(asked))
    service = service_of(request)
    if heard.key == CALL_ME:
        at = await run_in_threadpool(
            incoming.call_me_back, service, provider_name, heard.provider_ref, heard.caller,
            service.clock.now(),
        )  # fmt: skip
        if at is not None:
            local = at.astimezone(TOKYO)
            when = f"{local.month}月{local.day}日{local.hour}時"
            when += f"{local.minute}分" if local.minute else ""
            return _rendered(provider, [said(service, "call_back", call_back_at=when), HangUp()])
    if then == "more":
        return await wait(request, provider_name)
    await run_in_threadpool(
        incoming.left, service, provider_name, heard.provider_ref, service.clock.now()
    )
    return _rendered(provider, [said(service, "goodbye"), HangUp()])


@router.post("/left")
async def left(request: Request, provider_name: str) -> Response:
    """A caller is out of the queue. Who was not taken is called back."""
    provider, asked = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(asked))
    service = service_of(request)
    await run_in_threadpool(
        incoming.left, service, provider_name, heard.provider_ref, service.clock.now()
    )
    return _rendered(provider, [HangUp()])


@router.post("/connected")
async def connected(request: Request, provider_name: str) -> Response:
    """The call to the operator who took somebody is over; nobody picked up: they wait again."""
    provider, asked = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(asked))
    if heard.connected is False:
        service = service_of(request)
        again = await run_in_threadpool(
            receive, service, provider, heard.provider_ref, heard.caller, service.clock.now()
        )
        return _rendered(provider, again)
    return _rendered(provider, [HangUp()])


@router.post("/whisper")
async def whisper(request: Request, provider_name: str) -> Response:
    """What an operator hears alone before a caller."""
    provider, _ = await verified(request, provider_name)
    return _rendered(provider, [said(service_of(request), "whisper")])


@router.post("/placed/{placed}")
async def placed(request: Request, provider_name: str, placed: str) -> Response:
    """An operator has picked up their own telephone: now the resident is called."""
    placed_id = attempt_id_of(placed)
    provider, asked = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(asked))
    service = service_of(request)
    if heard.machine:  # nobody is at that telephone: the resident is not called
        return _rendered(provider, [HangUp()])
    to = await run_in_threadpool(placing.resident_of, service, placed_id, service.clock.now())
    return _rendered(provider, [Transfer(to)] if to is not None else [HangUp()])


def _rendered(provider: Provider, instructions: list[Instruction]) -> Response:
    content_type, body = provider.render(instructions)
    return Response(body, media_type=content_type)
