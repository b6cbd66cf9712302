"""Console pages. For now one: what runs, in counts, without anybody's name or number."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from contact_service.dispatch.switches import switches
from contact_service.identity.sessions import Session
from contact_service.planning.progress import run_progress
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import signed_in

router = APIRouter(include_in_schema=False)

CHANNEL_WORDS = {
    "sms": "SMS",
    "auto_call": translatable("オートコール"),
    "operator": translatable("オペレーター架電"),
    "letter": translatable("催告書"),
}
STATE_WORDS = {
    "scheduled": translatable("開始待ち"),
    "running": translatable("実施中"),
    "paused": translatable("一時停止"),
    "cancelled": translatable("中止"),
    "completed": translatable("完了"),
}


@router.get("/")
def start(request: Request, session: Session = Depends(signed_in)) -> Response:
    """What runs now."""
    with service_of(request).engine.connect() as connection:
        runs = run_progress(connection)
        stopped = switches(connection)
    return page(
        request,
        "start.html",
        runs=runs,
        stopped=stopped,
        channel_words=CHANNEL_WORDS,
        state_words=STATE_WORDS,
    )
