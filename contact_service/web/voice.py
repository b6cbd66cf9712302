"""Auto-calls: what the carrier speaks, and what a key press means.

The definition's script is walked node by node. Nothing is kept between requests: the address
names attempt and node, and the carrier's signature covers the address.
"""

from __future__ import annotations

import re
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from campaigns.definition import AUDIO_NAME, Node, Script
from campaigns.vocabulary import Channel, Outcome
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch.contacts import (
    instructions_url,
    recording_url,
    whisper_url,
)
from contact_service.receipts.events import Reported, Via, key_pressed, store_receipts
from contact_service.web import queue
from contact_service.web.carrier import (
    adapters_of,
    attempt_id_of,
    believed,
    service_of,
    verified,
)
from contact_service.web.spoken import Conversation, conversation, spoken
from providers.base import (
    HangUp,
    Instruction,
    Menu,
    Play,
    Provider,
    ProviderUnavailable,
    Receipt,
    Say,
)

router = APIRouter(include_in_schema=False, prefix="/webhooks/{provider_name}")
log = logs.log(__name__)

WHISPER = "自動音声からの転送です。"


@router.get("/recordings/{name}")
def recording(request: Request, provider_name: str, name: str) -> FileResponse:
    """A recording. Only names that a definition may hold reach the disk."""
    known = provider_name in adapters_of(request) and re.fullmatch(AUDIO_NAME, name)
    path = service_of(request).settings.recording(name) if known else None
    if path is None:
        raise HTTPException(404)
    # a carrier may keep it, and asks whether another version has been put to use
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "no-cache"})


@router.post("/detected/{attempt}")
async def detected(request: Request, provider_name: str, attempt: str) -> Response:
    """Who answered. A machine hears its own words after the tone, where the script has any."""
    attempt_id = attempt_id_of(attempt)
    provider, said = await verified(request, provider_name)
    found = believed(lambda: provider.read_detection(said))
    if not found.machine:
        return Response(status_code=204)
    service = service_of(request)
    receipt = Receipt(
        Channel.AUTO_CALL, found.provider_ref, found.answered_by, Outcome.MACHINE, final=False
    )
    await run_in_threadpool(
        store_receipts,
        service.engine,
        provider_name,
        [Reported(receipt, attempt_id, Via.WEBHOOK)],
        service.clock.now(),
    )
    call = await run_in_threadpool(_call, service, provider, attempt_id)
    if found.message_now and call.script.voicemail is not None:
        left = await run_in_threadpool(
            _instructions, service, provider_name, call, call.script.voicemail
        )
        try:
            await provider.instruct(found.provider_ref, left)
        except ProviderUnavailable:  # most likely the machine has hung up; nothing was said twice
            log.warning("voicemail.not_left", attempt=str(attempt_id))
    return Response(status_code=204)


@router.post("/whisper/{attempt}")
async def whisper(request: Request, provider_name: str, attempt: str) -> Response:
    """What an operator hears alone before a transferred caller is connected."""
    attempt_id_of(attempt)
    provider, _ = await verified(request, provider_name)
    content_type, body = provider.render([Say(WHISPER)])
    return Response(body, media_type=content_type)


@router.post("/voice/{attempt}/{node_name}")
async def speak(request: Request, provider_name: str, attempt: str, node_name: str) -> Response:
    """What to say at a node."""
    attempt_id = attempt_id_of(attempt)
    provider, said = await verified(request, provider_name)
    heard = believed(lambda: provider.read_call(said))
    call = await run_in_threadpool(_call, service_of(request), provider, attempt_id)
    script = call.script
    if heard.machine and node_name == script.start and script.voicemail is not None:
        node_name = script.voicemail
    return await _answer(request, provider, call, node_name, heard.provider_ref)


@router.post("/voice/{attempt}/{node_name}/key")
async def key(request: Request, provider_name: str, attempt: str, node_name: str) -> Response:
    """A key was pressed at a node, or none in time."""
    attempt_id = attempt_id_of(attempt)
    provider, said = await verified(request, provider_name)
    call = await run_in_threadpool(_call, service_of(request), provider, attempt_id)
    node = _node(call.script, node_name)
    heard = believed(lambda: provider.read_call(said))
    goes_to = node.keys.get(heard.key) or node.otherwise
    if goes_to is None:
        content_type, body = provider.render([HangUp()])
        return Response(body, media_type=content_type)
    return await _answer(request, provider, call, goes_to, heard.provider_ref)


async def _answer(
    request: Request, provider: Provider, call: Conversation, node_name: str, provider_ref: str
) -> Response:
    service = service_of(request)
    node = _node(call.script, node_name)
    if node.outcome is not None:
        # on disk before the caller hears it: "no more calls" holds from this moment
        await run_in_threadpool(
            key_pressed,
            service.engine,
            provider.name,
            provider_ref,
            call.attempt_id,
            node_name,
            node.outcome,
            service.clock.now(),
        )
    instructions = await run_in_threadpool(_instructions, service, provider.name, call, node_name)
    if node.then == "transfer":
        instructions += await run_in_threadpool(
            queue.receive, service, provider, provider_ref, None, service.clock.now(),
            call.attempt_id, whisper_url(service.settings, provider.name, call.attempt_id),
        )  # fmt: skip
    content_type, body = provider.render(instructions)
    return Response(body, media_type=content_type)


def _instructions(
    service: Service, provider_name: str, call: Conversation, node_name: str
) -> list[Instruction]:
    node = _node(call.script, node_name)
    words = spoken(service, call, node)
    speech: Say | Play = words.say
    if node.audio is not None and call.recorded(node):
        if service.settings.recording(node.audio):
            speech = Play(recording_url(service.settings, provider_name, node.audio))
        else:  # the transcript says the same
            log.warning("recording.missing", audio=node.audio)
    here = instructions_url(service.settings, provider_name, call.attempt_id, node_name)
    match node.then:
        case "keys" if not words.withheld:  # nobody was told what the keys are for
            return [Menu(speech, frozenset(node.keys), f"{here}/key")]
        case "transfer":  # whom to is not said in advance: it depends on who is free
            return [speech]
        case _:
            return [speech, HangUp()]


def _call(service: Service, provider: Provider, attempt_id: UUID) -> Conversation:
    """The call of an attempt; 404 when there is none."""
    call = conversation(service, attempt_id, provider)
    if call is None:
        raise HTTPException(404)
    return call


def _node(script: Script, name: str) -> Node:
    try:
        return script.nodes[name]
    except KeyError:
        raise HTTPException(404) from None
