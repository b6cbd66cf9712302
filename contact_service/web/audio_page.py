"""Recordings for auto-calls: handed in or spoken from text, checked, listened to, put to use."""

from __future__ import annotations

import re

from fastapi import (
    APIRouter,
    Depends,
    File,
    Form,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
)
from fastapi.responses import FileResponse, RedirectResponse

from campaigns.definition import AUDIO_NAME
from contact_service.domain.actors import NotAllowed, Role, allowed
from contact_service.domain.life import CannotDo
from contact_service.identity.sessions import Session
from contact_service.planning import recordings
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form
from providers.audio.prompt import WORDS, Fault

router = APIRouter(include_in_schema=False, prefix="/recordings")
hears = may(Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.EVALUATOR)
plans = may(Role.STAFF, Role.APPROVER)
approves = may(Role.APPROVER)
FORMS = [Depends(own_form)]
#: A minute of uncompressed stereo at the usual rate is 10 MB.
MOST_BYTES = 30_000_000
BAD_NAME = (
    "名前は英小文字、数字、ハイフンで書いてください（例 notice-greeting） / "
    "name it with small letters, digits and hyphens (notice-greeting)"
)
NO_FILE = "ファイルを選んでください / choose a file"


@router.get("")
def show(
    request: Request,
    session: Session = Depends(plans),
    made: int | None = Query(None, ge=1, le=2**31 - 1),
) -> Response:
    """Every recording with its versions; ``made`` is the one that was made just now."""
    return _page(request, made=made)


@router.post("", dependencies=FORMS, max_body_size=MOST_BYTES)
def hand_in(
    request: Request,
    session: Session = Depends(plans),
    name: str = Form("", max_length=60),
    file: UploadFile | None = File(None),
) -> Response:
    """A recording from a file: WAV, MP3 or M4A."""
    # the sound's libraries take a second to load
    from providers.audio.files import UnreadableSound, read_bytes

    if (full := _named(name)) is None:
        return _page(request, BAD_NAME, name)
    if file is None or not file.filename:
        return _page(request, NO_FILE, name)
    service = service_of(request)
    try:
        prepared = read_bytes(file.file.read(MOST_BYTES))
        made = recordings.add(
            service, session.account.actor, full, prepared, None, service.clock.now()
        )
    except (UnreadableSound, CannotDo, NotAllowed) as error:
        return _page(request, str(error), name)
    return RedirectResponse(f"/recordings?made={made.id}", 303)


@router.post("/speak", dependencies=FORMS)
def speak(
    request: Request,
    session: Session = Depends(plans),
    name: str = Form("", max_length=60),
    words: str = Form("", max_length=2000),
) -> Response:
    """A recording spoken from text, offline."""
    from providers.audio import speech

    if (full := _named(name)) is None:
        return _page(request, BAD_NAME, name, words)
    service = service_of(request)
    try:
        prepared = speech.speak(words)
        made = recordings.add(
            service, session.account.actor, full, prepared, words, service.clock.now()
        )
    except (speech.CannotSpeak, CannotDo, NotAllowed) as error:
        return _page(request, str(error), name, words)
    return RedirectResponse(f"/recordings?made={made.id}", 303)


@router.post("/versions/{recording_id}/use", dependencies=FORMS)
def use(request: Request, recording_id: int, session: Session = Depends(approves)) -> Response:
    """From now on calls play this version, which somebody else made."""
    service = service_of(request)
    try:
        recordings.use(service, session.account.actor, recording_id, service.clock.now())
    except (CannotDo, NotAllowed) as error:
        return _page(request, str(error))
    return RedirectResponse("/recordings", 303)


@router.get("/versions/{recording_id}.wav")
def version(request: Request, recording_id: int, session: Session = Depends(hears)) -> Response:
    """One version, to listen to."""
    with service_of(request).engine.connect() as connection:
        found = recordings.sound(connection, recording_id)
    if found is None:
        raise HTTPException(404)
    return Response(found, media_type="audio/wav")


@router.get("/{name}")
def in_use(request: Request, name: str, session: Session = Depends(hears)) -> Response:
    """The one in use, to listen to. Only names that a definition may hold reach the disk."""
    named = re.fullmatch(AUDIO_NAME, name)
    path = service_of(request).settings.recording(name) if named else None
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type="audio/wav")


def _named(name: str) -> str | None:
    full = name.strip().removesuffix(".wav") + ".wav"
    return full if re.fullmatch(AUDIO_NAME, full) else None


def _page(
    request: Request, wrong: str = "", name: str = "", spoken: str = "", made: int | None = None
) -> Response:
    service = service_of(request)
    with service.engine.connect() as connection:
        found = recordings.recordings(connection)
    used = recordings.files(service.settings)
    latest = {}
    for each in sorted(found, key=lambda one: one.used_at or one.made_at):
        if each.used_at:
            latest[each.name] = each.id
    return page(
        request, "audio.html", 422 if wrong else 200, wrong=wrong, found=found, used=used,
        latest=latest, name=name, spoken=spoken,
        approves=allowed(request.state.session.account.role, [Role.APPROVER]),
        made=next((one for one in found if one.id == made), None),
        fault_words={fault.value: WORDS[fault] for fault in Fault},
    )  # fmt: skip
