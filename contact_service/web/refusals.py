"""What somebody is told when something cannot be: a page for people, a problem for programs."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from starlette.exceptions import HTTPException

from contact_service import logs
from contact_service.callcentre.correcting import MayNot
from contact_service.callcentre.dispositions import Incomplete
from contact_service.callcentre.replies import CannotLift
from contact_service.dispatch.switches import UnknownScope
from contact_service.domain import life
from contact_service.domain.actors import NotAllowed
from contact_service.domain.references import NoReference
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.library import NotInLibrary
from contact_service.identity import accounts
from contact_service.people.opening import NoPerson, NotOpened
from contact_service.people.restricting import CannotRestrict
from contact_service.store.jobs import CannotBeDone
from contact_service.web.locale import side
from contact_service.web.problems import problem
from contact_service.web.rendering import page
from contact_service.web.session import SignInFirst

log = logs.log(__name__)

UNSTORABLE = (
    "保存できない文字が入っています。ブラウザーの「戻る」で前の画面に戻り、打ち直してください / "
    "a character cannot be stored: go back and type it again"
)
FAULTY = "正しくない値があります / some values are not right"
FAULTY_FORM = (
    "入力が長すぎるか、形が違います。ブラウザーの「戻る」で前の画面に戻り、直してください / "
    "something is too long, or not of the form that is asked for: go back and mend it"
)
BROKEN = (
    "この操作はできませんでした。しばらくしてもう一度試し、続くときは管理者に連絡してください / "
    "this did not work: try again later, and tell the administrator if it goes on"
)


#: What the framework says in one word of English.
PHRASES = {
    404: "ここには何もありません。アドレスを確かめてください / there is nothing here: look at the "
    "address",
    405: "この操作はここではできません / this method is not for this address",
    413: "送られたものが大きすぎます。分けて送ってください / what was sent is too large: "
    "send it in parts",
}
#: Without its database the service can do nothing, and anybody may send the same again.
NO_DATABASE = (
    "データベースに届きません。しばらくしてもう一度送り、続くときは管理者に連絡してください / the "
    "database cannot be reached: send it again later, and tell the administrator if it goes on"
)


def install(app: FastAPI) -> None:
    """Answer for ``app`` whatever is raised."""
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _faulty)
    app.add_exception_handler(NotAllowed, _not_allowed)
    for conflict in (
        life.CannotDo,
        accounts.CannotDo,
        CannotBeDone,
        CannotRestrict,
        NotOpened,
        UnknownScope,
        MayNot,
        CannotLift,
        Incomplete,
    ):
        app.add_exception_handler(conflict, _cannot_do)
    for gone in (NoPerson, NoSuchRun, NotInLibrary):
        app.add_exception_handler(gone, _gone)
    app.add_exception_handler(NoReference, _no_reference)
    # a value that passed its checks but is no text that can be stored (NUL, lone surrogates)
    for unstorable in (DataError, UnicodeEncodeError):
        app.add_exception_handler(unstorable, _unstorable)
    for unreachable in (OperationalError, InterfaceError, NoConnectionLeft):
        app.add_exception_handler(unreachable, _unreachable)
    app.add_exception_handler(Exception, _broken)


def _sign_in_first(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInFirst)
    return RedirectResponse(error.to, 303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = error.detail
    if words == HTTPStatus(error.status_code).phrase:
        words = PHRASES.get(error.status_code, words)
    return said(request, error.status_code, words, error.headers)


def _faulty(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _by_a_person(request):
        return said(request, 422, FAULTY_FORM)
    return problem(request, 422, FAULTY, faults=error.errors())


def _not_allowed(request: Request, error: Exception) -> Response:
    return said(request, 403, str(error))


def _cannot_do(request: Request, error: Exception) -> Response:
    return said(request, 409, str(error))


def _gone(request: Request, error: Exception) -> Response:
    return said(request, 404, str(error))


def _no_reference(request: Request, error: Exception) -> Response:
    return said(request, 422, str(error))


def _unstorable(request: Request, error: Exception) -> Response:
    return said(request, 422, UNSTORABLE)


def _unreachable(request: Request, error: Exception) -> Response:
    log.error("web.no_database", reason=type(error).__name__)
    return said(request, 503, NO_DATABASE, {"Retry-After": "5"})


def _broken(request: Request, error: Exception) -> Response:
    # the server's own log has the traceback
    return said(request, 500, BROKEN)


def said(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal, told as whoever asked reads it: a page, or a problem."""
    if status in (401, 403):
        # which door, never which person: the address of a page may hold a number
        route = request.scope.get("route")
        log.warning("access.refused", status=status, door=getattr(route, "path", "-"))
    if _by_a_person(request):
        answer: Response = page(
            request, "refused.html", status, reason=side(request, detail), gone=status == 404
        )
        answer.headers.update(headers or {})
        return answer
    return problem(request, status, detail, headers)


def _by_a_person(request: Request) -> bool:
    return not request.url.path.startswith(("/api/", "/webhooks/")) and "text/html" in (
        request.headers.get("accept", "")
    )
