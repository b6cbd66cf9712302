"""Definitions that are being written, for other systems of the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import BackgroundTasks, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from campaigns.faults import Fault
from campaigns.parse import read_file
from campaigns.ready_made import library as ready_made
from campaigns.source import MAX_SIZE
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation import library
from contact_service.identity.tokens import Scope
from contact_service.planning import drafts, preview
from contact_service.planning.drafts import Draft
from contact_service.planning.versions import Version
from contact_service.web.api_base import api_router, may
from contact_service.web.api_campaigns import FirstOpen, Reason, Worked, worked
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of
from contact_service.web.editor import FAULTY, GONE, checked, source_of, submitted, title_of
from contact_service.web.previews import preview_of

router = api_router("/api/drafts", "campaigns")
WRITES = Depends(may(Scope.CAMPAIGNS_WRITE, Role.STAFF))
Text = Annotated[str, Field(max_length=MAX_SIZE)]


class FromText(BaseModel):
    """A draft with this text."""

    start: Literal["text"]
    text: Text


class FromReadyMade(BaseModel):
    """A draft that starts as a ready-made campaign."""

    start: Literal["ready_made"]
    name: str = Field(max_length=60)


class FromVersion(BaseModel):
    """A draft of a campaign's next version."""

    start: Literal["version"]
    version: str = Field(max_length=80, description="three-arm-trial@2")


class FromLibrary(BaseModel):
    """A draft that starts as what worked elsewhere, under a name of its own."""

    start: Literal["library"]
    entry: int
    name: str = Field(max_length=60)


Beginning = Annotated[
    FromText | FromReadyMade | FromVersion | FromLibrary, Field(discriminator="start")
]


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A campaign that comes with the service."""

    name: str
    title: str
    purpose: str | None


class Change(BaseModel):
    """A draft's new text, and the revision that it was made from."""

    revision: int
    text: Text


@dataclass(frozen=True, slots=True)
class Written:
    """A draft, and what is wrong with it."""

    draft: Draft
    valid: bool
    faults: Sequence[Fault]


@router.get("", summary="書きかけ / drafts")
def all_(request: Request, asked: Asked, caller: Actor = WRITES) -> ApiPage[Draft]:
    """書きかけの計画（新しい順） / what is being written, the last begun first"""
    before = asked.after(int)
    with service_of(request).engine.connect() as connection:
        rows = drafts.newest(connection, caller, before[0] if before else None, asked.take)
    return asked.page(rows, lambda row: row, lambda row: (row.id,))


@router.post("", status_code=201, summary="書き始める / begin a draft")
def begin(request: Request, body: Beginning, caller: Actor = WRITES) -> Written:
    """本文、見本、版、または事例から書き始める / begin one from a text, a ready-made campaign, a
    version, or an entry of the library"""
    service = service_of(request)
    copied = (
        library.copied(service, caller, body.entry, body.name)
        if isinstance(body, FromLibrary)
        else None
    )
    with service.engine.begin() as connection:
        match body:
            case FromText(text=text):
                pass
            case FromReadyMade(name=name):
                if name not in ready_made():
                    raise HTTPException(404, "この見本はありません / there is no such sample")
                text = source_of(connection, caller, name, "")
            case FromVersion(version=version):
                text = source_of(connection, caller, "", version)
            case _:
                text = copied or ""
        made = drafts.begin(connection, caller, text, title_of(text), service.clock.now())
    return _written(request, caller, made)


@router.get("/ready-made", summary="見本 / ready-made campaigns")
def ready(request: Request, asked: Asked, caller: Actor = WRITES) -> ApiPage[ReadyMade]:
    """計画の見本（名前の順） / what a draft may start from, by name"""
    found = [
        ReadyMade(name, found.title, found.purpose)
        for name, path in ready_made().items()
        for found in [read_file(path).definition]
    ]
    return asked.listed(found, lambda one: (one.name,), str)


@router.get("/{draft_id}", summary="書きかけ / one draft")
def one(request: Request, draft_id: int, caller: Actor = WRITES) -> Written:
    """書きかけの本文と誤り / its text and its faults"""
    return _written(request, caller, draft_id)


@router.put("/{draft_id}", summary="書き換える / change a draft")
def change(request: Request, draft_id: int, body: Change, caller: Actor = WRITES) -> Written:
    """本文を置き換える（ほかの人が先に変えていれば409） / its new text; 409 when somebody else was
    first"""
    service = service_of(request)
    _draft(request, caller, draft_id)
    with service.engine.begin() as connection:
        drafts.save(
            connection, caller, draft_id, body.revision, body.text, title_of(body.text),
            service.clock.now(),
        )  # fmt: skip
    return _written(request, caller, draft_id)


@router.delete("/{draft_id}", status_code=204, summary="捨てる / throw a draft away")
def discard(request: Request, draft_id: int, caller: Actor = WRITES) -> None:
    """捨てる / throw it away"""
    service = service_of(request)
    _draft(request, caller, draft_id)
    with service.engine.begin() as connection:
        drafts.discard(connection, caller, draft_id, service.clock.now())


@router.post("/{draft_id}/submit", status_code=201, summary="提出する / submit a draft")
def submit(request: Request, draft_id: int, body: Reason, caller: Actor = WRITES) -> Version:
    """承認を求めて提出する / hand it in for a second person's approval"""
    return submitted(service_of(request), caller, _draft(request, caller, draft_id), body.reason)


@router.get("/{draft_id}/preview", summary="試算 / what a draft would do")
@router.post("/{draft_id}/preview", summary="試算し直す / work it out anew")
def preview_draft(
    request: Request,
    background: BackgroundTasks,
    draft_id: int,
    day: FirstOpen = None,
    caller: Actor = WRITES,
) -> Worked:
    """だれに、何件、いくらで（計算は別に進む） / whom, how many, at what cost; worked out beside"""
    service = service_of(request)
    draft = _draft(request, caller, draft_id)
    reading, _ = checked(service, draft.text)
    if reading is None:
        raise HTTPException(409, FAULTY)
    first = day or preview.first_open_day(reading.definition, service.clock.now().date())
    anew = request.method == "POST"
    found = preview_of(
        service, caller, background, reading.definition, draft.text, first, anew
    )  # fmt: skip
    return worked(found)


def _draft(request: Request, caller: Actor, draft_id: int) -> Draft:
    with service_of(request).engine.connect() as connection:
        found = drafts.draft(connection, caller, draft_id)
    if found is None:
        raise HTTPException(404, GONE)
    return found


def _written(request: Request, caller: Actor, draft_id: int) -> Written:
    draft = _draft(request, caller, draft_id)
    reading, faults = checked(service_of(request), draft.text)
    return Written(draft, reading is not None, faults)
