"""Unknown outcomes: what only a person can settle, with what the carrier says."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from contact_service.dispatch import providers
from contact_service.dispatch.asking import Said, look
from contact_service.dispatch.decide import DECIDERS, decide_all, waiting
from contact_service.domain.life import CannotDo
from contact_service.identity.sessions import Session
from contact_service.web.carrier import adapters_of, service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/unknown")
decides = may(*DECIDERS)
FORMS = [Depends(own_form)]

WHY_WORDS = {
    "unknown": translatable("渡した後、事業者の返事が途切れた"),
    "lease_expired": translatable("渡している途中で処理が止まった"),
    "their_fault": translatable("事業者の側で障害が起きた"),
}


@router.get("")
def show(
    request: Request,
    session: Session = Depends(decides),
    at: datetime | None = Query(None),
    after: UUID | None = Query(None),
    chosen: str = Query("", max_length=5),
) -> Response:
    """What waits for a person, the oldest first; with ``chosen=all`` all of the page is chosen."""
    whole = chosen == "all"
    return _list(request, session, after=(at, after) if at and after else None, whole=whole)


@router.post("/{attempt_id}/ask", dependencies=FORMS)
async def ask(request: Request, attempt_id: UUID, session: Session = Depends(decides)) -> Response:
    """Ask the carrier about one. Nothing is changed by it."""
    service = service_of(request)
    configs = {config.name: config for config in providers.configured(service.settings)}
    try:
        said = await look(service, session.account.actor, attempt_id, configs, adapters_of(request))
    except CannotDo as error:
        return await run_in_threadpool(_list, request, session, wrong=str(error))
    return await run_in_threadpool(_list, request, session, asked={attempt_id: said})


@router.post("", dependencies=FORMS)
def settle(
    request: Request,
    session: Session = Depends(decides),
    attempt: list[UUID] = Form([]),
    taken: str = Form("", max_length=5),
    reason: str = Form("", max_length=200),
) -> Response:
    """Write down what became of some of them."""
    if not attempt or taken not in ("yes", "no") or not reason.strip():
        return _list(
            request, session, chosen=attempt, reason=reason,
            wrong="どれを、どう決めるか、その理由をすべて入れてください / choose which, what "
            "became of them, and say how you know",
        )  # fmt: skip
    service = service_of(request)
    done = decide_all(
        service.engine, session.account.actor, attempt, taken=taken == "yes",
        now=service.clock.now(), reason=reason,
    )  # fmt: skip
    return RedirectResponse(f"/unknown?done={taken}&n={done}", 303)


def _list(
    request: Request,
    session: Session,
    *,
    after: tuple[datetime, UUID] | None = None,
    asked: dict[UUID, Said] | None = None,
    chosen: list[UUID] | None = None,
    reason: str = "",
    wrong: str = "",
    whole: bool = False,
) -> Response:
    rows, more = waiting(service_of(request), session.account.actor, after)
    return page(
        request,
        "unknown.html",
        422 if wrong else 200,
        rows=rows,
        more=more,
        after=after,
        asked=asked or {},
        chosen=[row.attempt_id for row in rows] if whole else chosen or list(asked or ()),
        reason=reason,
        wrong=wrong,
        done=request.query_params.get("done", ""),
        n=request.query_params.get("n", ""),
        why_words=WHY_WORDS,
    )
