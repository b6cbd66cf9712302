"""The administrator's page of accounts."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.domain.actors import Role
from contact_service.identity import accounts
from contact_service.identity.accounts import CannotDo
from contact_service.identity.sessions import Session
from contact_service.offices import names
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import may, own_form

router = APIRouter(include_in_schema=False, prefix="/users")
administrator = may(Role.ADMINISTRATOR)


@router.get("")
def users(request: Request, session: Session = Depends(administrator)) -> Response:
    """Everybody who has an account."""
    return _users(request)


@router.post("", dependencies=[Depends(own_form)])
def add(
    request: Request,
    session: Session = Depends(administrator),
    name: str = Form("", max_length=200),
    shown_name: str = Form("", max_length=100),
    role: Role = Form(...),
    office: str = Form("*", max_length=40),
) -> Response:
    """Make an account; its first password is shown once."""
    service = service_of(request)
    try:
        password = accounts.add(
            service, session.account.actor, name.strip(), shown_name.strip(), role, office or "*"
        )
    except CannotDo as error:
        return _users(request, wrong=str(error))
    return _users(request, given=(name.strip(), password))


@router.post("/{name}/reset", dependencies=[Depends(own_form)])
def reset(request: Request, name: str, session: Session = Depends(administrator)) -> Response:
    """A new first password."""
    try:
        password = accounts.reset(service_of(request), session.account.actor, name)
    except CannotDo as error:
        return _users(request, wrong=str(error))
    return _users(request, given=(name, password))


@router.post("/{name}/assign", dependencies=[Depends(own_form)])
def assign(
    request: Request,
    name: str,
    session: Session = Depends(administrator),
    role: Role = Form(...),
    office: str = Form("*", max_length=40),
) -> Response:
    """Another role or office, as after a transfer."""
    return _done(request, accounts.assign, session, name, role, office)


@router.post("/{name}/sign-out", dependencies=[Depends(own_form)])
def sign_out(request: Request, name: str, session: Session = Depends(administrator)) -> Response:
    """End all of somebody's sessions."""
    return _done(request, accounts.sign_out, session, name)


@router.post("/{name}/disable", dependencies=[Depends(own_form)])
def disable(request: Request, name: str, session: Session = Depends(administrator)) -> Response:
    """Nobody signs in under this name any more."""
    return _done(request, accounts.disable, session, name)


@router.post("/{name}/enable", dependencies=[Depends(own_form)])
def enable(request: Request, name: str, session: Session = Depends(administrator)) -> Response:
    """Somebody comes back."""
    return _done(request, accounts.enable, session, name)


def _done(
    request: Request, act: Callable[..., None], session: Session, name: str, *more: Role | str
) -> Response:
    try:
        act(service_of(request), session.account.actor, name, *more)
    except CannotDo as error:
        return _users(request, wrong=str(error))
    return RedirectResponse("/users", 303)


def _users(request: Request, wrong: str = "", given: tuple[str, str] | None = None) -> Response:
    service = service_of(request)
    with service.engine.connect() as connection:
        found = accounts.accounts(connection)
    status = 422 if wrong else 200
    return page(
        request,
        "users.html",
        status,
        accounts=found,
        roles=accounts.ROLES,
        offices=names(service.settings),
        wrong=wrong,
        given=given,
    )
