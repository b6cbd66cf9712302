"""Recordings for auto-calls for other systems of the office."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, HTTPException, Path, Request, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from campaigns.definition import AUDIO_NAME
from contact_service.domain.actors import Actor, Role
from contact_service.identity.tokens import Scope
from contact_service.planning import preview, recordings
from contact_service.planning.recordings import Made, Recording
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.audio_page import MOST_BYTES
from contact_service.web.carrier import service_of

router = api_router("/api/recordings", "campaigns")
HEARS = Depends(may(Scope.CAMPAIGNS_READ, *preview.READERS))
MAKES = Depends(may(Scope.CAMPAIGNS_WRITE, Role.STAFF))
USES = Depends(may(Scope.CAMPAIGNS_WRITE, Role.APPROVER))
Name = Annotated[str, Field(pattern=AUDIO_NAME, examples=["notice-greeting.wav"])]


class InUse(BaseModel):
    """A recording that calls play."""

    name: str


class Words(BaseModel):
    """What a synthesised voice shall say."""

    name: Name
    words: str = Field(min_length=1, max_length=2000)


@router.get("", summary="録音の版 / recordings, every version")
def all_(request: Request, asked: Asked, caller: Actor = HEARS) -> ApiPage[Recording]:
    """録音の版（名前の順、新しい版から） / every version, by name, the newest first"""
    after = asked.after(str, int)
    with service_of(request).engine.connect() as connection:
        rows = recordings.recordings(
            connection, (after[0], after[1]) if after else None, asked.take
        )
    return asked.page(rows, lambda row: row, lambda row: (row.name, row.version))


@router.post(
    "", status_code=201, summary="録音を渡す / hand in a recording", max_body_size=MOST_BYTES
)
def hand_in(
    request: Request,
    file: UploadFile,
    name: Annotated[str, Form(pattern=AUDIO_NAME)],
    caller: Actor = MAKES,
) -> Made:
    """WAV、MP3、M4A。検査し、音量をそろえ、電話の音質にする / checked, levelled, made into what
    telephones carry"""
    # the sound's libraries take a second to load
    from providers.audio.files import UnreadableSound, read_bytes

    try:
        prepared = read_bytes(file.file.read(MOST_BYTES))
    except UnreadableSound as error:
        raise HTTPException(422, str(error)) from None
    service = service_of(request)
    return recordings.add(service, caller, name, prepared, None, service.clock.now())


@router.post("/speak", status_code=201, summary="文から作る / speak a text")
def speak(request: Request, body: Words, caller: Actor = MAKES) -> Made:
    """合成音声で読み上げる（この機械の中だけで） / spoken offline"""
    from providers.audio import speech

    try:
        prepared = speech.speak(body.words)
    except speech.CannotSpeak as error:
        raise HTTPException(422, str(error)) from None
    service = service_of(request)
    return recordings.add(service, caller, body.name, prepared, body.words, service.clock.now())


@router.post("/versions/{recording_id}/use", status_code=204, summary="使う / put to use")
def use(request: Request, recording_id: int, caller: Actor = USES) -> None:
    """作った人とは別の承認者が、聞いて確かめてから。次の電話からこの版を流す / by an approver who
    did not make it and has listened to it: from now on calls play this version"""
    service = service_of(request)
    recordings.use(service, caller, recording_id, service.clock.now())


@router.get(
    "/versions/{recording_id}.wav",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}, "description": "8 kHz mono, 16 bits"}},
    summary="聞く / one version's sound",
)
def sound(request: Request, recording_id: int, caller: Actor = HEARS) -> Response:
    """一つの版の音 / the sound of one version"""
    with service_of(request).engine.connect() as connection:
        found = recordings.sound(connection, recording_id)
    if found is None:
        raise HTTPException(404, "この録音はありません / there is no such recording")
    return Response(found, media_type="audio/wav")


@router.get("/in-use", summary="使っている録音 / recordings in use")
def used(request: Request, asked: Asked, caller: Actor = HEARS) -> ApiPage[InUse]:
    """いま電話で流れる録音の名前（見本の録音も、名前の順） / what calls play now, ready-made ones
    included, by name"""
    found = [InUse(name=name) for name in recordings.files(service_of(request).settings)]
    return asked.listed(found, lambda one: (one.name,), str)


@router.get(
    "/in-use/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}}, "description": "8 kHz mono, 16 bits"}},
    summary="使っている録音を聞く / the one in use",
)
def in_use(
    request: Request, name: Annotated[str, Path(pattern=AUDIO_NAME)], caller: Actor = HEARS
) -> FileResponse:
    """いま電話で流れる録音（見本の録音も） / what calls play now, ready-made ones included"""
    path = service_of(request).settings.recording(name)
    if path is None:
        raise HTTPException(404, "この録音はありません / there is no such recording")
    return FileResponse(path, media_type="audio/wav")
