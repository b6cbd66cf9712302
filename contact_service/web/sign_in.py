"""Signing in and out, and one's own account."""

from __future__ import annotations

import segno
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.identity import second_factor, sessions, signing_in
from contact_service.identity.accounts import CannotDo
from contact_service.identity.sessions import Session
from contact_service.web.carrier import service_of
from contact_service.web.locale import COOKIE, HOST_COOKIE, LANGUAGES
from contact_service.web.rendering import page
from contact_service.web.session import (
    browser_cookie,
    by_tls,
    cookie_name,
    drop_cookie,
    from_here,
    local,
    own_form,
    second_factor_missing,
    session_of,
    set_browser_cookie,
    set_cookie,
    signed_in,
    signed_in_with_any_password,
    signed_in_with_own_password,
)

router = APIRouter(include_in_schema=False)
#: What anybody may open.
entrance = APIRouter(include_in_schema=False)


@entrance.get("/sign-in")
def ask(request: Request, to: str = "/") -> Response:
    """The sign-in page; whoever is in already goes on."""
    if session_of(request):
        return _to(local(to))
    return sign_in_page(request, to=local(to))


@entrance.post("/sign-in", dependencies=[Depends(from_here)])
def sign_in(
    request: Request,
    name: str = Form("", max_length=200),
    password: str = Form("", max_length=1000),
    code: str = Form("", max_length=20),
    to: str = Form("/", max_length=500),
) -> Response:
    """Let somebody in, or say that it did not work."""
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    browser = request.cookies.get(browser_cookie(request), "")
    opened = signing_in.sign_in(service_of(request), name, password, code, address, agent, browser)
    if isinstance(opened, signing_in.Refusal):
        return sign_in_page(request, 401, to=local(to), refused=opened.value, name=name)
    response = _to(local(to))
    set_cookie(request, response, opened.session)
    set_browser_cookie(request, response, opened.browser)
    return response


@entrance.get("/language/{language}")
def choose_language(request: Request, language: str, to: str = "/") -> Response:
    """Japanese or English, remembered by the browser."""
    response = _to(local(to))
    if language in LANGUAGES:
        response.set_cookie(
            HOST_COOKIE if by_tls(request) else COOKIE,
            language,
            max_age=365 * 86_400,
            samesite="lax",
            httponly=True,
            secure=by_tls(request),
        )
    return response


@router.post("/sign-out", dependencies=[Depends(own_form)])
def sign_out(request: Request, session: Session = Depends(signed_in_with_any_password)) -> Response:
    """End this session."""
    service = service_of(request)
    sessions.end(service, session.account.actor, session.account.id, session.id)
    response = _to("/sign-in")
    drop_cookie(request, response, cookie_name(request))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get("/account")
def account(request: Request, session: Session = Depends(signed_in_with_own_password)) -> Response:
    """One's own settings: password, second factor, sessions."""
    return _account(request, session)


@router.get("/account/password")
def ask_password(
    request: Request, session: Session = Depends(signed_in_with_any_password)
) -> Response:
    """A password of one's own."""
    return page(request, "password.html", wrong="")


@router.post("/account/password", dependencies=[Depends(own_form)])
def change_password(
    request: Request,
    session: Session = Depends(signed_in_with_any_password),
    old: str = Form("", max_length=1000),
    new: str = Form("", max_length=1000),
    again: str = Form("", max_length=1000),
) -> Response:
    """Set it, or say what is wrong with it."""
    if new != again:
        wrong = "新しいパスワードの2つの入力が違います / the two new passwords differ"
        return page(request, "password.html", 422, wrong=wrong)
    try:
        signing_in.change_password(service_of(request), session, old, new)
    except CannotDo as error:
        return page(request, "password.html", 422, wrong=str(error))
    return _to("/account?done=password")


@router.post("/account/second-factor", dependencies=[Depends(own_form)])
def begin_second_factor(
    request: Request, session: Session = Depends(signed_in_with_own_password)
) -> Response:
    """Show the code for an authenticator."""
    try:
        secret = signing_in.begin_second_factor(service_of(request), session)
    except CannotDo as error:
        return _account(request, session, wrong=str(error))
    return _second_factor(request, session, secret, "")


@router.post("/account/second-factor/confirm", dependencies=[Depends(own_form)])
def confirm_second_factor(
    request: Request,
    session: Session = Depends(signed_in_with_own_password),
    code: str = Form("", max_length=20),
    password: str = Form("", max_length=1000),
) -> Response:
    """Put it in force with a first code."""
    service = service_of(request)
    try:
        signing_in.confirm_second_factor(service, session, code, password)
    except CannotDo as error:
        secret = signing_in.begin_second_factor(service, session)
        return _second_factor(request, session, secret, str(error))
    return _to("/account?done=second-factor")


@router.post("/account/sessions/{session_id}/end", dependencies=[Depends(own_form)])
def end_session(
    request: Request, session_id: int, session: Session = Depends(signed_in)
) -> Response:
    """Sign out somewhere else."""
    sessions.end(service_of(request), session.account.actor, session.account.id, session_id)
    return _to("/account?done=session")


def _account(request: Request, session: Session, wrong: str = "") -> Response:
    with service_of(request).engine.connect() as connection:
        found = sessions.open_sessions(connection, session.account.id)
    done = request.query_params.get("done", "")
    return page(
        request,
        "account.html",
        sessions=found,
        done=done,
        wrong=wrong,
        demanded=second_factor_missing(request, session),
    )


def _second_factor(request: Request, session: Session, secret: str, wrong: str) -> Response:
    service = service_of(request)
    address = second_factor.address(secret, session.account.name, service.settings.office_name)
    picture = segno.make(address, error="m").svg_inline(scale=5, border=2, omitsize=True)
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    status = 422 if wrong else 200
    return page(request, "second_factor.html", status, picture=picture, secret=grouped, wrong=wrong)


def sign_in_page(
    request: Request, status: int = 200, to: str = "/", refused: str = "", name: str = ""
) -> Response:
    """The page where one signs in; ``refused`` says what did not work."""
    provider = request.app.state.identity_provider
    return page(
        request,
        "sign_in.html",
        status,
        to=to,
        refused=refused,
        name=name,
        provider=provider.config.label if provider else "",
    )


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)
