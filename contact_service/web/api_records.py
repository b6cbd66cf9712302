"""Unknown outcomes, providers, reports and the library for other systems of the office."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import BaseModel, Field

from campaigns.conditions import FIELDS
from contact_service.dispatch import carriers_now, providers, switches
from contact_service.dispatch.asking import Said, look
from contact_service.dispatch.carriers_now import CarrierNow, Stopped
from contact_service.dispatch.decide import DECIDERS, Waiting, decide_all, waiting
from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation import library, report_files
from contact_service.evaluation.forms import READERS, Format
from contact_service.identity.tokens import Scope
from contact_service.store import jobs
from contact_service.web.api_base import api_router, may
from contact_service.web.api_campaigns import Lang
from contact_service.web.api_files import Work, work_of
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.reports import TYPES

router = api_router("/api", "records")
DECIDES = Depends(may(Scope.CAMPAIGNS_WRITE, *DECIDERS))
SEES = Depends(may(Scope.CAMPAIGNS_READ, *carriers_now.READERS, contractors=False))
STOPS = Depends(
    may(Scope.CAMPAIGNS_WRITE, Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
)
GOES_ON = Depends(may(Scope.CAMPAIGNS_WRITE, Role.APPROVER, Role.SUPERVISOR))
REPORTED = Depends(may(Scope.REPORTS_READ, *READERS))


class Settled(BaseModel):
    """What became of some attempts, and how one knows."""

    attempts: list[UUID] = Field(min_length=1, max_length=500)
    taken: bool = Field(description="whether the carrier has them; false: they are sent again")
    reason: str = Field(min_length=1, max_length=200)


class Count(BaseModel):
    """How many it was."""

    settled: int


class Stop(BaseModel):
    """What is stopped, and why."""

    scope: str = Field(max_length=60, description="all, provider:NAME or channel:NAME")
    reason: str = Field(min_length=1, max_length=200)


class EntryOfLibrary(BaseModel):
    """An entry of the library."""

    id: int
    campaign: str
    title: str
    lessons: str
    definition: str
    entry: dict[str, Any]
    training: bool
    added_at: datetime
    added_by: str


class ReportableRun(BaseModel):
    """A run, and the work that makes or made its report."""

    run_id: UUID
    title: str
    version: str
    state: str
    training: bool
    report: Work | None


@router.get("/unknown", summary="届いたか不明なもの / unknown outcomes")
def unknown(request: Request, asked: Asked, caller: Actor = DECIDES) -> ApiPage[Waiting]:
    """届いたか不明なもの（古い順） / attempts that wait for a person, oldest first"""
    after = asked.after(datetime, UUID)
    rows, more = waiting(
        service_of(request), caller, (after[0], after[1]) if after else None, asked.limit
    )
    return asked.ended(list(rows), more)


@router.post("/unknown/{attempt_id}/ask", summary="事業者に聞く / ask the carrier")
async def ask(request: Request, attempt_id: UUID, caller: Actor = DECIDES) -> Said:
    """事業者に聞く（何も変わらない） / ask the carrier; nothing is changed"""
    service = service_of(request)
    configs = {config.name: config for config in providers.configured(service.settings)}
    return await look(service, caller, attempt_id, configs, adapters_of(request))


@router.post("/unknown", summary="決める / settle")
def settle(request: Request, body: Settled, caller: Actor = DECIDES) -> Count:
    """決める / settle one or many"""
    service = service_of(request)
    done = decide_all(
        service.engine, caller, body.attempts, taken=body.taken, now=service.clock.now(),
        reason=body.reason,
    )  # fmt: skip
    return Count(settled=done)


@router.get("/providers", summary="事業者 / providers as they are now")
def carriers(request: Request, asked: Asked, caller: Actor = SEES) -> ApiPage[CarrierNow]:
    """事業者の状態（名前の順） / how providers are now, by name"""
    service = service_of(request)
    client = redis_client(service.settings.broker_url)
    try:
        found = carriers_now.carriers(
            service,
            caller,
            providers.configured(service.settings),
            client,
            adapters_of(request).why_not(),
        )
    finally:
        client.close()
    return asked.listed(found, lambda one: (one.name,), str)


@router.get("/stops", summary="止まっているもの / what is stopped")
def stops(request: Request, asked: Asked, caller: Actor = SEES) -> ApiPage[Stopped]:
    """止まっているものと、だれがなぜ止めたか / what is stopped, by whom and why"""
    found = list(carriers_now.stopped(service_of(request)).values())
    return asked.listed(found, lambda one: (one.scope,), str)


@router.post("/stops", status_code=204, summary="止める / stop")
def stop(request: Request, body: Stop, caller: Actor = STOPS) -> None:
    """止める（すべて・事業者・手段） / stop everything, a carrier or a channel"""
    service = service_of(request)
    switches.set_switch(
        service.engine, caller, body.scope, body.reason, service.clock.now(),
        adapters_of(request).configured,
    )  # fmt: skip


@router.delete("/stops/{scope}", status_code=204, summary="再開する / let go on")
def go_on(request: Request, scope: str, caller: Actor = GOES_ON) -> None:
    """再開する / let go on"""
    service = service_of(request)
    if not switches.lift_switch(service.engine, caller, scope, service.clock.now()):
        raise HTTPException(404, "止まっていません / it is not stopped")


@router.get("/reports", summary="実施と報告書 / runs and their reports")
def reports(
    request: Request, asked: Asked, lang: Lang = "ja", caller: Actor = REPORTED
) -> ApiPage[ReportableRun]:
    """実施と報告書（新しい順） / runs and their reports, newest first"""
    before = asked.after(datetime, UUID)
    rows, more = report_files.reportable(
        service_of(request), caller, lang, (before[0], before[1]) if before else None, asked.limit
    )
    found = [
        ReportableRun(
            run_id=row.run_id, title=row.title, version=row.version, state=row.state,
            training=row.training,
            report=work_of(row.job, report_files.KIND) if row.job else None,
        )
        for row in rows
    ]  # fmt: skip
    return asked.ended(found, more)


@router.post("/reports/{run_id}", status_code=202, summary="報告書を作る / make a report")
def make(request: Request, run_id: UUID, lang: Lang = "ja", caller: Actor = REPORTED) -> Work:
    """報告書を作る / have a report made"""
    service = service_of(request)
    made = report_files.ask_for_report(service, caller, run_id, lang)
    with service.engine.connect() as connection:
        return work_of(jobs.find(connection, made), report_files.KIND)


@router.get(
    "/reports/files/{job_id}/report.{form}",
    response_class=FileResponse,
    summary="報告書のファイル / a report as a file",
)
def file(request: Request, job_id: UUID, form: Format, caller: Actor = REPORTED) -> FileResponse:
    """報告書のファイル / a report as a file"""
    path = report_files.report_file(service_of(request), caller, job_id, form)
    if path is None:
        raise HTTPException(404, "この報告書はまだ、またはもうありません / no such report")
    return FileResponse(path, media_type=TYPES[form], filename=path.name)


@router.post("/reports/{run_id}/by", status_code=202, summary="項目別に数える / break down")
def break_down(
    request: Request,
    run_id: UUID,
    field: str = Query(
        description="抽出条件の項目 / a field of selections",
        json_schema_extra={"enum": sorted(FIELDS)},
    ),
    caller: Actor = REPORTED,
) -> Work:
    """項目別に数える / have payment broken down"""
    service = service_of(request)
    if field not in FIELDS:
        raise HTTPException(422, "項目を選んでください / choose a field")
    made = report_files.ask_by_field(service, caller, run_id, field)
    with service.engine.connect() as connection:
        return work_of(jobs.find(connection, made), report_files.KIND_BY)


@router.get("/reports/by/{job_id}", summary="項目別の納付 / a breakdown")
def broken_down(request: Request, job_id: UUID, caller: Actor = REPORTED) -> Work:
    """項目別の納付 / a breakdown"""
    return work_of(
        report_files.breakdown(service_of(request), caller, job_id), report_files.KIND_BY
    )


@router.get("/library", summary="事例を探す / search the library")
def entries(
    request: Request,
    asked: Asked,
    words: str = Query(
        "", max_length=100, description="すべて含むもの / all of them must be there"
    ),
    caller: Actor = REPORTED,
) -> ApiPage[EntryOfLibrary]:
    """事例を探す（新しい順） / search the library, the latest first"""
    before = asked.after(int)
    found = library.search(
        service_of(request), caller, words, before[0] if before else None, asked.take
    )
    return asked.page(found, EntryOfLibrary.model_validate, lambda one: (one["id"],))


@router.get("/library/{entry}", summary="事例 / one entry")
def entry_(request: Request, entry: int, caller: Actor = REPORTED) -> EntryOfLibrary:
    """事例 / one entry"""
    return EntryOfLibrary.model_validate(library.show(service_of(request), caller, entry))


@router.get(
    "/library/{entry}/copy",
    response_class=PlainTextResponse,
    summary="事例を写した計画 / its definition under another name",
)
def copy(
    request: Request,
    entry: int,
    name: str = Query(max_length=60, description="新しい計画の名前 / of the new campaign"),
    caller: Actor = REPORTED,
) -> PlainTextResponse:
    """事例を写した計画 / its definition under another name"""
    return PlainTextResponse(library.copied(service_of(request), caller, entry, name))
