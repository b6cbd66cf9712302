"""What concerns many people at once: asked for by one person, granted by another."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from contact_service.dispatch import letters
from contact_service.dispatch.letters import HandedOver
from contact_service.domain.actors import Actor, NotAllowed, Role, allowed
from contact_service.domain.life import CannotDo
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import ASKERS, DECIDERS, READERS, Asked, BulkKind
from contact_service.identity.sessions import Session
from contact_service.identity.tokens import Scope
from contact_service.web import api_base, api_pages
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/bulk-access")
reads = may(*READERS, contractors=False)
asks = may(*ASKERS, contractors=False)
decides = may(*DECIDERS)
FORMS = [Depends(own_form)]
#: In the order of Japanese / English, as ``page`` chooses.
KIND_WORDS = {
    kind: f"{ja} / {bulk_access.BULK_KIND_EN[kind]}"
    for kind, ja in bulk_access.BULK_KIND_JA.items()
}


@router.get("")
def show(request: Request, session: Session = Depends(reads)) -> Response:
    """What was asked for, undecided first."""
    return _list(request, session)


@router.post("", dependencies=FORMS)
def ask(
    request: Request,
    session: Session = Depends(asks),
    kind: BulkKind = Form(...),
    subject: str = Form("", max_length=200),
    reason: str = Form("", max_length=200),
) -> Response:
    """Ask a second person."""
    try:
        bulk_access.ask(service_of(request), session.account.actor, kind, subject, reason)
    except CannotDo as error:
        return _list(request, session, str(error))
    return RedirectResponse("/bulk-access", 303)


@router.post("/{asked_id}", dependencies=FORMS)
def decide(
    request: Request, asked_id: int, session: Session = Depends(decides), grant: bool = Form(...)
) -> Response:
    """Grant it for a day, or refuse it."""
    try:
        bulk_access.decide(service_of(request), session.account.actor, asked_id, grant=grant)
    except (CannotDo, NotAllowed) as error:
        return _list(request, session, str(error))
    return RedirectResponse("/bulk-access", 303)


def _list(request: Request, session: Session, wrong: str = "") -> Response:
    service, actor = service_of(request), session.account.actor
    with service.engine.connect() as connection:
        batches = letters.latest_batches(connection, actor)
    return page(
        request,
        "bulk_access.html",
        422 if wrong else 200,
        rows=bulk_access.asked(service, actor),
        kinds=KIND_WORDS,
        batches={one.subject: one for one in batches},
        most_opened=bulk_access.MOST_OPENED,
        may_write=allowed(actor.role, (Role.STAFF, Role.APPROVER), contractors=False),
        may_ask=allowed(actor.role, ASKERS, contractors=False),
        may_decide=allowed(actor.role, DECIDERS),
        me=actor.name,
        wrong=wrong,
    )


api = api_base.api_router("/api/bulk-access", "people")
API_READS = Depends(api_base.may(Scope.PEOPLE_READ, *READERS, contractors=False))
API_ASKS = Depends(api_base.may(Scope.PEOPLE_WRITE, *ASKERS, contractors=False))
API_DECIDES = Depends(api_base.may(Scope.PEOPLE_WRITE, *DECIDERS))


class BulkWish(BaseModel):
    """What is asked for, and why."""

    kind: BulkKind
    subject: str = Field("", max_length=200, description="RUN/STEP/BATCH of letters_again")
    reason: str = Field(min_length=1, max_length=200)


class BulkDecision(BaseModel):
    """What the second person says."""

    grant: bool


class BulkMade(BaseModel):
    """The number of the wish."""

    id: int


@api.get("", summary="まとめての閲覧・出力の依頼 / what was asked for in bulk")
def listed(
    request: Request, asked: api_pages.Asked, caller: Actor = API_READS
) -> api_pages.ApiPage[Asked]:
    """まとめての閲覧・出力の依頼（確認待ちが先、あとは新しい順） / undecided first, then the
    newest"""
    after = asked.after(bool, int)
    rows = bulk_access.asked(
        service_of(request), caller, after=(after[0], after[1]) if after else None, most=asked.take
    )
    return asked.page(rows, lambda one: one, lambda one: (one.decided_at is not None, one.id))


@api.get("/letters", summary="引き渡した催告書 / letters that were handed over")
def handed_over(
    request: Request, asked: api_pages.Asked, caller: Actor = API_READS
) -> api_pages.ApiPage[HandedOver]:
    """郵送へ引き渡した催告書（新しい順）。subject を letters_again の依頼に使う / letters handed
    over, the newest first; `subject` is what a wish for letters_again names"""
    before = asked.after(int)
    with service_of(request).engine.connect() as connection:
        rows = letters.latest_batches(connection, caller, asked.take, before[0] if before else None)
    return asked.page(rows, lambda one: one, lambda one: (one.id,))


@api.post("", status_code=201, summary="依頼する / ask a second person")
def wish(request: Request, body: BulkWish, caller: Actor = API_ASKS) -> BulkMade:
    """依頼する / ask a second person"""
    service = service_of(request)
    return BulkMade(id=bulk_access.ask(service, caller, body.kind, body.subject, body.reason))


@api.post("/{asked_id}", status_code=204, summary="確認する / decide")
def say(request: Request, asked_id: int, body: BulkDecision, caller: Actor = API_DECIDES) -> None:
    """確認する（依頼した人とは別の人） / decide: somebody else than who asked"""
    bulk_access.decide(service_of(request), caller, asked_id, grant=body.grant)
