"""Incoming calls: the same kind of menu as in auto-calls, the desks, and the inbound log.

Whoever calls is a stranger until an operator has spoken with them: the menu is the script
``inbound`` of the definition that ``CONTACT_INBOUND_DEFINITION`` names, all of which is checked as
what may be heard before a confirmation. Without one the caller is greeted and put through.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from campaigns.claim_words import tells_of_claims
from campaigns.definition import Definition, Node
from campaigns.faults import DefinitionErrors
from campaigns.messages import render
from campaigns.parse import parse_file
from campaigns.vocabulary import Outcome
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.callcentre import incoming
from contact_service.callcentre.calls import no_more_calls
from contact_service.dispatch.contacts import office, recording_url
from contact_service.domain.actors import SYSTEM
from contact_service.web import queue
from contact_service.web.carrier import believed, service_of, verified
from providers.base import Provider
from providers.instructions import (
    CallRequest,
    Enqueue,
    HangUp,
    Instruction,
    Menu,
    Play,
    Say,
    Transfer,
)

router = APIRouter(include_in_schema=False, prefix="/webhooks/{provider_name}/inbound")
log = logs.log(__name__)

SCRIPT = "inbound"


@router.post("")
async def greet(request: Request, provider_name: str) -> Response:
    """A call came in: what to say first."""
    provider, said = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(said))
    service = service_of(request)
    menu = _menu(service.settings.inbound_definition)
    if menu is None:
        through = await _through(service, provider, heard)
        if isinstance(through[0], Enqueue | Transfer):  # who is turned away is not welcomed
            through = [queue.said(service, "welcome"), *through]
        return _rendered(provider, through)
    return await _at(service, provider, heard, menu, menu.scripts[SCRIPT].start)


@router.post("/{node_name}/key")
async def key(request: Request, provider_name: str, node_name: str) -> Response:
    """A key was pressed at a node, or none in time."""
    provider, said = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(said))
    service = service_of(request)
    menu = _menu(service.settings.inbound_definition)
    node = menu.scripts[SCRIPT].nodes.get(node_name) if menu is not None else None
    if menu is None or node is None:
        raise HTTPException(404)
    goes_to = node.keys.get(heard.key) or node.otherwise
    if goes_to is None:
        return _rendered(provider, [HangUp()])
    return await _at(service, provider, heard, menu, goes_to)


@router.post("/ended")
async def ended(request: Request, provider_name: str) -> Response:
    """An incoming call is over: it enters the inbound log, once."""
    provider, said = await verified(request, provider_name)
    over = believed(lambda: provider.read_ended(said))
    service = service_of(request)
    await run_in_threadpool(
        incoming.ended, service, provider_name, over.provider_ref, over.caller, over.began_at,
        over.seconds, over.transferred, service.clock.now(),
    )  # fmt: skip
    return Response(status_code=204)


async def _through(service: Service, provider: Provider, heard: CallRequest) -> list[Instruction]:
    return await run_in_threadpool(
        queue.receive, service, provider, heard.provider_ref, heard.caller, service.clock.now(),
        None, queue.address(service, provider.name, "whisper"),
    )  # fmt: skip


async def _at(
    service: Service, provider: Provider, heard: CallRequest, menu: Definition, name: str
) -> Response:
    node = menu.scripts[SCRIPT].nodes[name]
    caller = heard.caller
    if node.outcome is Outcome.OPTED_OUT and caller:
        # on disk before the caller hears it: "no more calls" holds from this moment
        await run_in_threadpool(no_more_calls, service, SYSTEM, caller, service.clock.now())
    instructions = _instructions(service, provider.name, name, node, menu.words(node.say))
    if node.then == "transfer":
        instructions += await _through(service, provider, heard)
    return _rendered(provider, instructions)


def _instructions(
    service: Service, provider: str, name: str, node: Node, words: str
) -> list[Instruction]:
    settings = service.settings
    speech: Say | Play = Say(render(words, office(settings)))
    if node.audio is not None and settings.recording(node.audio):
        speech = Play(recording_url(settings, provider, node.audio))
    match node.then:
        case "keys":
            answer = f"{settings.public_url}/webhooks/{provider}/inbound/{name}/key"
            return [Menu(speech, frozenset(node.keys), answer)]
        case "transfer":
            return [speech]
        case _:
            return [speech, HangUp()]


def _rendered(provider: Provider, instructions: list[Instruction]) -> Response:
    content_type, body = provider.render(instructions)
    return Response(body, media_type=content_type)


@lru_cache(maxsize=1)
def _menu(path: Path | None) -> Definition | None:
    """The definition with the menu for callers; ``None`` when the deployment names none. Read
    once a process."""
    if path is None:
        return None
    try:
        definition = parse_file(path)
    except (DefinitionErrors, OSError) as error:  # callers are put through all the same
        log.error("inbound.bad_definition", fault=str(error))
        return None
    if SCRIPT not in definition.scripts:
        log.error("inbound.no_script", script=SCRIPT)
        return None
    for name, node in definition.scripts[SCRIPT].nodes.items():
        if any(map(tells_of_claims, node.say.languages.values())):
            log.error("inbound.tells_of_claims", node=name)
            return None
    return definition
