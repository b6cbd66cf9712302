"""Campaigns and their versions for other systems of the office: read, checked, submitted,
decided about, scheduled, and what one would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import BackgroundTasks, Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from campaigns.difference import Difference
from campaigns.explain import Section, explain
from campaigns.faults import Fault
from campaigns.messages import office_values
from campaigns.source import MAX_SIZE
from campaigns.vocabulary import Language
from contact_service.dispatch import own_texts
from contact_service.dispatch.own_texts import OwnText
from contact_service.domain.actors import Actor
from contact_service.domain.life import MOVES, Action
from contact_service.identity.tokens import Scope
from contact_service.planning import overview, preview, runs, versions
from contact_service.planning.computed import Computed
from contact_service.planning.definitions import definition_of_version
from contact_service.planning.overview import Overview, RunLine
from contact_service.planning.transitions import Transition, transitions
from contact_service.planning.versions import Version
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.campaigns import NOT_THERE, Key, Number, find_version
from contact_service.web.carrier import service_of
from contact_service.web.editor import checked
from contact_service.web.previews import preview_of

router = api_router("/api/campaigns", "campaigns")
READS = Depends(may(Scope.CAMPAIGNS_READ, *preview.READERS))
SUBMITS = Depends(may(Scope.CAMPAIGNS_WRITE, *MOVES[Action.SUBMIT].roles))
SCHEDULES = Depends(may(Scope.CAMPAIGNS_WRITE, *MOVES[Action.SCHEDULE].roles))
TESTS = Depends(may(Scope.CAMPAIGNS_WRITE, *own_texts.ASKERS))
Lang = Annotated[
    Literal["ja", "en"], Query(description="どの言語で / in which language it is told")
]
FirstOpen = Annotated[
    date | None,
    Query(
        description="初日（省くと、連絡できる最初の日） / "
        "the first day; left out: the first that is open"
    ),
]


class Source(BaseModel):
    """A definition as it is written."""

    text: str = Field(max_length=MAX_SIZE, description="YAML: docs/reference/campaign-definition")


class Submission(Source):
    """A definition for a second person's approval."""

    reason: str = Field("", max_length=200, description="what the approver is told")


class Reason(BaseModel):
    """Why."""

    reason: str = Field("", max_length=200)


class ToOneself(BaseModel):
    """Which message, and one's own number, twice."""

    message: str = Field(max_length=40)
    language: Language = Language.JA
    number: str = Field(max_length=30)
    again: str = Field(max_length=30)


class FirstDay(Reason):
    """On which day a run begins."""

    first_day: date


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a definition, and what it would do in plain words."""

    valid: bool
    faults: Sequence[Fault]
    explained: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign: its versions and runs, newest first, and all that happened to it."""

    versions: Sequence[Version]
    runs: Sequence[RunLine]
    history: Sequence[Transition]


@dataclass(frozen=True, slots=True)
class WholeVersion:
    """What an approver reads of a version."""

    version: Version
    text: str
    explained: Sequence[Section]
    previous: Version | None
    difference: Difference | None
    lifted: Section | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A run on the calendar; ``new`` is false when it was there."""

    run_id: UUID
    new: bool


@dataclass(frozen=True, slots=True)
class Worked:
    """Figures that are worked out beside: ask again while ``done`` is false."""

    done: bool
    asked_at: datetime | None
    figures: dict[str, Any] | None
    wrong: str | None


def worked(found: Computed | None) -> Worked:
    """Figures as the API tells them."""
    if found is None:
        return Worked(False, None, None, None)
    return Worked(found.done, found.asked_at, found.figures, found.wrong or None)


@router.get("", summary="催告計画 / campaigns, newest first")
def campaigns(request: Request, asked: Asked, caller: Actor = READS) -> ApiPage[Overview]:
    """催告計画（新しい順）と、その実施 / campaigns, the last changed first, each with its run"""
    before = asked.after(int)
    with service_of(request).engine.connect() as connection:
        rows = overview.campaigns(
            connection, caller, asked.take, before=before[0] if before else None
        )
    return asked.page(rows, lambda row: row, lambda row: (row.version_id,))


@router.post("/check", summary="定義を検査する / check a definition")
def check(request: Request, body: Source, lang: Lang = "ja", caller: Actor = READS) -> Checked:
    """定義を検査する（何も登録しない） / check a definition; nothing is kept"""
    service = service_of(request)
    reading, faults = checked(service, body.text)
    office = office_values(service.settings.office_name, service.settings.office_phone)
    explained = explain(reading.definition, lang, office) if reading else ()
    return Checked(reading is not None, faults, explained)


@router.post("", status_code=201, summary="提出する / submit a definition")
def submit(request: Request, body: Submission, caller: Actor = SUBMITS) -> Version:
    """承認を求めて提出する（同じ本文は同じ版） / hand in for approval; the same text is the same
    version"""
    service = service_of(request)
    reading, _ = checked(service, body.text)
    if reading is None:
        raise HTTPException(
            422, "誤りがあるため提出できません。POST /api/campaigns/check で確かめてください / "
            "it has faults: ask POST /api/campaigns/check",
        )  # fmt: skip
    return versions.submit(
        service.engine, caller, reading.definition, body.text, service.clock.now(), body.reason
    )


@router.get("/{key}", summary="計画 / one campaign")
def campaign(request: Request, key: Key, caller: Actor = READS) -> Campaign:
    """計画の版・実施・これまでの操作 / its versions, runs and history"""
    with service_of(request).engine.connect() as connection:
        found = versions.versions_of(connection, caller, key)
        if not found:
            raise HTTPException(404, NOT_THERE)
        return Campaign(
            found, overview.runs_of(connection, key), transitions(connection, key)[::-1][:200]
        )


@router.get("/{key}/versions/{number}", summary="版 / one version")
def version(
    request: Request, key: Key, number: Number, lang: Lang = "ja", caller: Actor = READS
) -> WholeVersion:
    """版の本文、行うこと、承認済みの版との違い / its text, what it does, what is different"""
    service = service_of(request)
    office = office_values(service.settings.office_name, service.settings.office_phone)
    with service.engine.connect() as connection:
        found = find_version(connection, caller, key, number)
        shown = versions.for_approval(connection, found, lang, office)
        definition = definition_of_version(connection, found.id)
        return WholeVersion(
            found, versions.text_of(connection, found.id), explain(definition, lang, office),
            shown.previous, shown.difference, shown.lifted,
        )  # fmt: skip


@router.get("/{key}/versions/{number}/preview", summary="試算 / what a version would do")
@router.post("/{key}/versions/{number}/preview", summary="試算し直す / work it out anew")
def preview_version(
    request: Request,
    background: BackgroundTasks,
    key: Key,
    number: Number,
    day: FirstOpen = None,
    caller: Actor = READS,
) -> Worked:
    """だれに、何件、いくらで（計算は別に進む） / whom, how many, at what cost; worked out beside"""
    service = service_of(request)
    with service.engine.connect() as connection:
        found = find_version(connection, caller, key, number)
        definition = definition_of_version(connection, found.id)
        text = versions.text_of(connection, found.id)
    first = day or preview.first_open_day(definition, service.clock.now().date())
    anew = request.method == "POST"
    return worked(preview_of(service, caller, background, definition, text, first, anew))


@router.post(
    "/{key}/versions/{number}/schedule", status_code=201, summary="日程に入れる / schedule"
)
def schedule(
    request: Request, key: Key, number: Number, body: FirstDay, caller: Actor = SCHEDULES
) -> Planned:
    """日程に入れる（まだだれにも連絡しない） / onto the calendar; nobody is contacted yet"""
    service = service_of(request)
    with service.engine.connect() as connection:
        found = find_version(connection, caller, key, number)
    made = runs.schedule(
        service.engine, caller, found.id, body.first_day, service.clock.now(), body.reason
    )
    return Planned(made.run_id, made.new)


@router.get("/{key}/versions/{number}/test", summary="試し送信の結果 / what became of tests")
def tests(
    request: Request, key: Key, number: Number, asked: Asked, caller: Actor = TESTS
) -> ApiPage[OwnText]:
    """自分が頼んだ試し送信（新しい3件） / the last three tests that one has asked for"""
    with service_of(request).engine.connect() as connection:
        find_version(connection, caller, key, number)
        found = own_texts.latest(connection, caller)
    return asked.listed(found, lambda one: (-one.at.timestamp(),), float)


@router.post(
    "/{key}/versions/{number}/test", status_code=202, summary="自分に試し送信 / a test to oneself"
)
def test_send(
    request: Request, key: Key, number: Number, body: ToOneself, caller: Actor = TESTS
) -> None:
    """SMSを1通、自分の番号だけに（台帳にある番号には送らない） / one SMS to one's own number; none
    that is in the ledger"""
    service = service_of(request)
    with service.engine.connect() as connection:
        found = find_version(connection, caller, key, number)
    own_texts.ask(
        service, caller, found.id, body.message, body.language, body.number, body.again,
        service.clock.now(),
    )  # fmt: skip


def _decide(action: Action) -> Callable[..., Version]:
    def decide(
        request: Request,
        key: Key,
        number: Number,
        body: Reason,
        caller: Actor = Depends(may(Scope.CAMPAIGNS_WRITE, *MOVES[action].roles)),
    ) -> Version:
        service = service_of(request)
        with service.engine.connect() as connection:
            found = find_version(connection, caller, key, number)
        versions.DECISIONS[action](
            service.engine, caller, found.id, service.clock.now(), body.reason.strip()
        )
        with service.engine.connect() as connection:
            return versions.by_id(connection, found.id)

    return decide


for _action in versions.DECISIONS:
    router.add_api_route(
        "/{key}/versions/{number}/" + _action.replace("_", "-"),
        _decide(_action),
        methods=["POST"],
        summary=f"{MOVES[_action].ja} / {_action.replace('_', ' ')}",
        description="承認者は提出した人とは別の人です / somebody who submitted cannot approve",
    )
