"""Files: handed in, checked or imported by a worker, mended and handed in again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from contact_service.domain.actors import Role
from contact_service.identity.sessions import Session
from contact_service.intake import history, uploads
from contact_service.intake.calls import Unmatched, unmatched
from contact_service.intake.fields import FileKind
from contact_service.store import jobs
from contact_service.store.jobs import CannotBeDone
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.people import FILE_WORDS
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/files")
reads = may(*history.READERS, contractors=False)
hands_in = may(Role.STAFF)

REMARK_WORDS = {
    "people_with_bad_number": translatable("読めない電話番号のある人"),
    "older_than_ledger": translatable("台帳の方が新しい行"),
    "without_claim": translatable("債権がまだ届いていない収納"),
    "without_debtor": translatable("台帳にまだいない人の制限"),
    "without_phone": translatable("番号が台帳にない通話"),
}
#: Of calls of which it is not known whose they are.
CALL_WORDS = {
    "inbound": translatable("受電"),
    "outbound": translatable("架電"),
    "talked": translatable("通話"),
    "absent": translatable("不在"),
    "busy": translatable("話し中"),
    "voicemail": translatable("留守番電話"),
    "wrong_number": translatable("番号違い"),
    "complaint": translatable("苦情"),
    "abandoned": translatable("放棄"),
    "other": translatable("その他"),
    "unknown": translatable("番号が非通知か、台帳にない"),
    "shared": translatable("番号を複数の人が使う"),
}
COUNT_WORDS = {
    "rows": translatable("行"),
    "accepted": translatable("新しい"),
    "updated": translatable("変わる"),
    "unchanged": translatable("変わらない"),
    "rejected": translatable("エラー"),
    "skipped": translatable("合計行・重複"),
}


@router.get("")
def show(
    request: Request, session: Session = Depends(reads), before: int | None = Query(None, ge=1)
) -> Response:
    """What came, and a form for more."""
    return _files(request, session, before=before)


# who it is comes first: a stranger's file is not even read
@router.post(
    "",
    dependencies=[Depends(hands_in), Depends(own_form)],
    max_body_size=uploads.MOST_BYTES + 1_000_000,
)
async def hand_in(request: Request, session: Session = Depends(hands_in)) -> Response:
    """A file, to be checked or imported."""
    form = await request.form()  # read by the rule above, onto the disk
    try:
        job = await run_in_threadpool(_hand_in, request, session, form)
    except CannotBeDone as error:
        return await run_in_threadpool(_files, request, session, None, str(error))
    return RedirectResponse(f"/files/jobs/{job}", 303)


def _hand_in(request: Request, session: Session, form: FormData) -> UUID:
    def said(name: str) -> str:
        return str(form.get(name) or "").strip()

    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise CannotBeDone("ファイルを選んでください / choose a file")
    if said("kind") not in list(FileKind):
        raise CannotBeDone("何のファイルかを選んでください / choose what the file is about")
    try:
        as_of = date.fromisoformat(said("as_of")) if said("as_of") else None
        mends = int(said("mends")) if said("mends") else None
    except ValueError:
        raise CannotBeDone(
            "基準日を 2026-09-30 の形で入れてください / write the day like 2026-09-30"
        ) from None
    return uploads.hand_in(
        service_of(request), session.account.actor, FileKind(said("kind")), file.filename,
        file.file, training=said("training") == "yes", as_of=as_of,
        dry_run=said("do") != "import", mends=mends,
    )  # fmt: skip


@router.get("/jobs/{job_id}")
def job(request: Request, job_id: UUID, session: Session = Depends(reads)) -> Response:
    """How far one file is, and what would become, or became, of its rows."""
    return _job(request, session, job_id)


@router.post("/jobs/{job_id}/import", dependencies=[Depends(own_form)])
def import_(request: Request, job_id: UUID, session: Session = Depends(hands_in)) -> Response:
    """What was only checked goes into the ledger."""
    try:
        made = uploads.import_checked(service_of(request), session.account.actor, job_id)
    except CannotBeDone as error:
        return _job(request, session, job_id, wrong=str(error))
    return RedirectResponse(f"/files/jobs/{made}", 303)


@router.get("/jobs/{job_id}/rejects")
def rejects(request: Request, job_id: UUID, session: Session = Depends(hands_in)) -> Response:
    """The rejected rows as a file to mend."""
    path = uploads.rejects_of(service_of(request), session.account.actor, job_id)
    return _attached(path)


@router.get("/{file_id}")
def file(
    request: Request,
    file_id: int,
    session: Session = Depends(reads),
    after: int = Query(0, ge=0),
    calls_after: int = Query(0, ge=0),
) -> Response:
    """One file of the ledger: what became of its rows, and what is wrong with the others."""
    service, actor = service_of(request), session.account.actor
    found = history.file_of(service, actor, file_id)
    if found is None:
        raise HTTPException(404, "このファイルはありません / there is no such file")
    cells, more = history.rejected(service, actor, file_id, after)
    job = (
        uploads.one(service, actor, UUID(found.details["job"])) if "job" in found.details else None
    )
    strangers: list[Unmatched] = []
    if found.kind == FileKind.CALLS:
        with service.engine.connect() as connection:
            strangers = unmatched(connection, actor, file_id, calls_after, history.MOST + 1)
    return page(
        request,
        "file.html",
        file=found,
        strangers=strangers[: history.MOST],
        more_strangers=len(strangers) > history.MOST,
        calls_after=calls_after,
        call_words=CALL_WORDS,
        cells=cells,
        faults=history.faults(service, actor, file_id) if more or after else (),
        more=more,
        after=after,
        job=job,
        may_hand_in=_may_hand_in(session),
        file_words=FILE_WORDS,
        count_words=COUNT_WORDS,
        remark_words=REMARK_WORDS,
        most_mb=uploads.MOST_BYTES // 1_000_000,
    )


def _files(
    request: Request, session: Session, before: int | None = None, wrong: str = ""
) -> Response:
    service, actor = service_of(request), session.account.actor
    found, more = history.files(service, actor, before)
    recent = uploads.latest(service, actor, most=20)
    return page(
        request,
        "files.html",
        422 if wrong else 200,
        files=found,
        more=more,
        before=before,
        unfinished=[one for one in recent if one.open or one.message or _only_checked(one, recent)],
        wrong=wrong,
        may_hand_in=_may_hand_in(session),
        file_words=FILE_WORDS,
        most_mb=uploads.MOST_BYTES // 1_000_000,
    )


def _only_checked(one: jobs.Job, recent: list[jobs.Job]) -> bool:
    """Whether a file was checked and nobody has imported it since."""
    imported = {job.arguments.get("checked") for job in recent}
    return bool(one.arguments["dry_run"]) and str(one.id) not in imported


def _job(request: Request, session: Session, job_id: UUID, wrong: str = "") -> Response:
    found = uploads.one(service_of(request), session.account.actor, job_id)
    if found is None:
        raise HTTPException(404, "このファイルはありません / there is no such file")
    return page(
        request,
        "file_job.html",
        422 if wrong else 200,
        job=found,
        wrong=wrong,
        may_hand_in=_may_hand_in(session),
        file_words=FILE_WORDS,
        count_words=COUNT_WORDS,
        remark_words=REMARK_WORDS,
    )


def _may_hand_in(session: Session) -> bool:
    return session.account.role in (Role.STAFF, Role.ADMINISTRATOR)


def _attached(path: Path | None) -> Response:
    if path is None:
        raise HTTPException(
            404, "このファイルはもうありません。元のファイルを直してください / this file is gone"
        )
    return FileResponse(path, filename=path.name, media_type="text/csv")
