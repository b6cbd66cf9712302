"""Files for other systems of the office: handed in, followed, and their rejected cells."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import Depends, Form, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel

from contact_service.domain.actors import Actor, Role
from contact_service.identity.tokens import Scope
from contact_service.intake import history, uploads
from contact_service.intake.fields import FileKind
from contact_service.intake.history import FaultCount, File, RejectedCell
from contact_service.store.jobs import Job, JobState
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of

router = api_router("/api/files", "files")
READS = Depends(may(Scope.FILES_READ, *history.READERS, contractors=False))
WRITES = Depends(may(Scope.FILES_WRITE, Role.STAFF))


class Work(BaseModel):
    """How far a piece of longer work is."""

    id: UUID
    kind: str
    state: JobState
    asked_at: datetime
    finished_at: datetime | None
    done: int
    total: int
    message: str | None
    result: dict[str, Any] | None


def work_of(job: Job | None, kind: str) -> Work:
    """A piece of work as the API tells it; 404 for none of this kind."""
    if job is None or job.kind != kind:
        raise HTTPException(404, "ありません / there is no such work")
    return Work(
        id=job.id, kind=job.kind, state=job.state, asked_at=job.asked_at,
        finished_at=job.finished_at, done=job.done, total=job.total, message=job.message,
        result=dict(job.result) if job.result is not None else None,
    )  # fmt: skip


@router.get("", summary="台帳に入ったファイル / files in the ledger")
def files(request: Request, asked: Asked, caller: Actor = READS) -> ApiPage[File]:
    """台帳に入ったファイル（新しい順） / files in the ledger, newest first"""
    before = asked.after(int)
    rows, more = history.files(
        service_of(request), caller, before[0] if before else None, asked.limit
    )
    return asked.ended(rows, (more,) if more else None)


@router.post(
    "",
    status_code=202,
    summary="ファイルを渡す / hand in a file",
    max_body_size=uploads.MOST_BYTES + 1_000_000,
)
def hand_in(
    request: Request,
    file: UploadFile,
    kind: FileKind = Form(...),
    training: bool = Form(False),
    as_of: date | None = Form(None),
    dry_run: bool = Form(True),
    mends: int | None = Form(None),
    caller: Actor = WRITES,
) -> Work:
    """ファイルを渡す（確かめるだけも可） / hand in a file; a dry run changes nothing"""
    service = service_of(request)
    made = uploads.hand_in(
        service, caller, kind, file.filename or "", file.file, training=training, as_of=as_of,
        dry_run=dry_run, mends=mends,
    )  # fmt: skip
    return _work(request, caller, made)


@router.get("/jobs", summary="渡されたファイル / what was handed in")
def jobs_(request: Request, asked: Asked, caller: Actor = READS) -> ApiPage[Work]:
    """渡されたファイルと、それぞれの進み（新しい順） / what was handed in, and how far each is,
    newest first"""
    before = asked.after(datetime, UUID)
    rows = uploads.latest(
        service_of(request), caller, asked.take, (before[0], before[1]) if before else None
    )
    return asked.page(
        rows, lambda row: work_of(row, uploads.KIND), lambda row: (row.asked_at, row.id)
    )


@router.get("/jobs/{job_id}", summary="どこまで進んだか / how far a file is")
def job(request: Request, job_id: UUID, caller: Actor = READS) -> Work:
    """どこまで進んだか / how far a file is"""
    return _work(request, caller, job_id)


@router.post("/jobs/{job_id}/import", status_code=202, summary="確かめたものを取り込む / import")
def import_(request: Request, job_id: UUID, caller: Actor = WRITES) -> Work:
    """確かめたものを取り込む / import what was checked"""
    return _work(request, caller, uploads.import_checked(service_of(request), caller, job_id))


@router.get(
    "/jobs/{job_id}/rejects",
    response_class=FileResponse,
    summary="取り込めなかった行 / rejected rows as a file",
)
def rejects(request: Request, job_id: UUID, caller: Actor = WRITES) -> FileResponse:
    """取り込めなかった行のCSV。直して、もう一度渡す / rejected rows to mend and hand in again"""
    path = uploads.rejects_of(service_of(request), caller, job_id)
    if path is None:
        raise HTTPException(404, "このファイルはもうありません / this file is gone")
    return FileResponse(path, media_type="text/csv", filename=path.name)


@router.get("/{file_id}", summary="ファイル / one file")
def file_(request: Request, file_id: int, caller: Actor = READS) -> File:
    """ファイル / one file"""
    found = history.file_of(service_of(request), caller, file_id)
    if found is None:
        raise HTTPException(404, "このファイルはありません / there is no such file")
    return found


@router.get("/{file_id}/rejected", summary="取り込めなかった欄 / rejected cells")
def rejected(
    request: Request, file_id: int, asked: Asked, caller: Actor = READS
) -> ApiPage[RejectedCell]:
    """取り込めなかった欄 / rejected cells"""
    after = asked.after(int)
    if history.file_of(service_of(request), caller, file_id) is None:
        raise HTTPException(404, "このファイルはありません / there is no such file")
    cells, more = history.rejected(
        service_of(request), caller, file_id, after[0] if after else 0, asked.limit
    )
    return asked.ended(list(cells), (more,) if more else None)


@router.get("/{file_id}/faults", summary="何が違うか / what is wrong, by kind")
def faults(
    request: Request, file_id: int, asked: Asked, caller: Actor = READS
) -> ApiPage[FaultCount]:
    """列と理由ごとの、取り込めなかった欄の数（列の順） / in how many cells of each column the same
    is wrong, by column"""
    if history.file_of(service_of(request), caller, file_id) is None:
        raise HTTPException(404, "このファイルはありません / there is no such file")
    found = history.faults(service_of(request), caller, file_id)
    return asked.listed(found, lambda one: (one.column, one.ja), str, str)


def _work(request: Request, caller: Actor, job_id: UUID) -> Work:
    return work_of(uploads.one(service_of(request), caller, job_id), uploads.KIND)
