"""The administrator's page of tokens, with which other systems use the JSON API."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.accounts import ROLES, CannotDo
from contact_service.identity.sessions import Session
from contact_service.identity.tokens import LONGEST_DAYS, Scope
from contact_service.offices import names
from contact_service.web.carrier import service_of
from contact_service.web.locale import translatable
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/tokens")
administrator = may(Role.ADMINISTRATOR)
#: What each scope opens.
SCOPE_WORDS = {
    Scope.CENTRE: translatable("電話センター（次の方、結果、通話の記録）"),
    Scope.CAMPAIGNS_READ: translatable("計画と実施を読む"),
    Scope.CAMPAIGNS_WRITE: translatable("計画を書き、実施を動かす・止める"),
    Scope.FILES_READ: translatable("ファイルの結果を読む"),
    Scope.FILES_WRITE: translatable("ファイルを取り込む"),
    Scope.PEOPLE_READ: translatable("納付者を探して開く"),
    Scope.PEOPLE_WRITE: translatable("連絡しない方を登録する"),
    Scope.REPORTS_READ: translatable("報告書を作って読む"),
    Scope.AUDIT_READ: translatable("監査記録を読む"),
}


@router.get("")
def show(request: Request, session: Session = Depends(administrator)) -> Response:
    """All tokens, those that are over too."""
    return _tokens(request)


@router.post("", dependencies=[Depends(own_form)])
def issue(
    request: Request,
    session: Session = Depends(administrator),
    label: str = Form("", max_length=200),
    role: Role = Form(...),
    scope: list[Scope] = Form([]),
    days: int = Form(90),
    office: str = Form("*", max_length=40),
) -> Response:
    """Make a token; it is shown once."""
    try:
        made = tokens.issue(
            service_of(request), session.account.actor, label, role, frozenset(scope), days,
            office.strip() or "*",
        )  # fmt: skip
    except CannotDo as error:
        return _tokens(request, wrong=str(error))
    return _tokens(request, given=made)


@router.post("/{token_id}/revoke", dependencies=[Depends(own_form)])
def revoke(request: Request, token_id: int, session: Session = Depends(administrator)) -> Response:
    """End a token from this moment."""
    try:
        tokens.revoke(service_of(request), session.account.actor, token_id)
    except CannotDo as error:
        return _tokens(request, wrong=str(error))
    return RedirectResponse("/tokens", 303)


def _tokens(request: Request, wrong: str = "", given: str = "") -> Response:
    service = service_of(request)
    with service.engine.connect() as connection:
        found = tokens.tokens(connection)
        now = tokens.now(connection)
    return page(
        request,
        "tokens.html",
        422 if wrong else 200,
        tokens=found,
        at=now,
        roles=[role for role in ROLES if role is not Role.ADMINISTRATOR],
        offices=names(service.settings),
        scopes=SCOPE_WORDS,
        longest=LONGEST_DAYS,
        wrong=wrong,
        given=given,
    )
