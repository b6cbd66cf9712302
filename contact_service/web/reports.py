"""Reports: made by a worker, opened in the browser or kept as a file; and broken down by a
field."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from campaigns.conditions import FIELDS
from contact_service.evaluation import report_files
from contact_service.evaluation.by_field import label
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.forms import READERS, Format
from contact_service.evaluation.wording import name, number, percent, yen
from contact_service.identity.sessions import Session
from contact_service.web.carrier import service_of
from contact_service.web.locale import language_of
from contact_service.web.pages import STATE_WORDS
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/reports")
reads = may(*READERS)
FORMS = [Depends(own_form)]

#: A report is one page with its own styles and pictures inside; nothing in it runs or goes out.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; sandbox"
)
TYPES = {
    Format.HTML: "text/html",
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}


@router.get("")
def show(
    request: Request,
    session: Session = Depends(reads),
    before: datetime | None = Query(None),
    last: UUID = Query(UUID(int=0)),
) -> Response:
    """Every run, and its report."""
    return _list(request, session, (before, last) if before else None)


@router.post("/{run_id}", dependencies=FORMS)
def make(request: Request, run_id: UUID, session: Session = Depends(reads)) -> Response:
    """Have a run's report made, in the reader's language."""
    try:
        report_files.ask_for_report(
            service_of(request), session.account.actor, run_id, language_of(request)
        )
    except NoSuchRun as error:
        raise HTTPException(404, str(error)) from None
    return RedirectResponse("/reports", 303)


@router.get("/files/{job_id}/report.{form}")
def file(
    request: Request, job_id: UUID, form: Format, session: Session = Depends(reads)
) -> Response:
    """A report: the page is opened, the others are kept."""
    path = report_files.report_file(service_of(request), session.account.actor, job_id, form)
    if path is None:
        raise HTTPException(404, "この報告書はまだ、またはもうありません / no such report")
    if form is Format.HTML:
        headers = {"Content-Security-Policy": REPORT_POLICY}
        return FileResponse(path, media_type=TYPES[form], headers=headers)
    return FileResponse(path, media_type=TYPES[form], filename=path.name)


@router.get("/{run_id}/by")
def fields(request: Request, run_id: UUID, session: Session = Depends(reads)) -> Response:
    """By what a run can be broken down."""
    report_files.must_be_own(service_of(request), session.account.actor, run_id)
    return page(request, "report_by.html", run_id=run_id, job=None, fields=_fields())


@router.post("/{run_id}/by", dependencies=FORMS)
def break_down(
    request: Request,
    run_id: UUID,
    session: Session = Depends(reads),
    field: str = Form("", max_length=60),
) -> Response:
    """Have payment broken down by a field."""
    if field not in FIELDS:
        raise HTTPException(422, "項目を選んでください / choose a field")
    try:
        job = report_files.ask_by_field(service_of(request), session.account.actor, run_id, field)
    except NoSuchRun as error:
        raise HTTPException(404, str(error)) from None
    return RedirectResponse(f"/reports/{run_id}/by/{job}", 303)


@router.get("/{run_id}/by/{job_id}")
def broken_down(
    request: Request, run_id: UUID, job_id: UUID, session: Session = Depends(reads)
) -> Response:
    """Payment by arm, broken down by a field; or how far it is."""
    job = report_files.breakdown(service_of(request), session.account.actor, job_id)
    if job is None or job.arguments["run"] != str(run_id):
        raise HTTPException(404, "この集計はありません / no such breakdown")
    return page(
        request,
        "report_by.html",
        run_id=run_id,
        job=job,
        fields=_fields(),
        group_of=label,
        name=name,
        number=number,
        percent=percent,
        yen=yen,
    )


def _fields() -> list[tuple[str, dict[str, str]]]:
    return [(field.name, {"ja": field.ja, "en": field.en}) for field in FIELDS.values()]


def _list(request: Request, session: Session, before: tuple[datetime, UUID] | None) -> Response:
    rows, more = report_files.reportable(
        service_of(request), session.account.actor, language_of(request), before
    )
    return page(
        request,
        "reports.html",
        rows=rows,
        more=more,
        before=before,
        state_words=STATE_WORDS,
    )
