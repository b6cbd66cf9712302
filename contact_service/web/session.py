"""Who is at the door of a page: a session or the way to the sign-in page.

Every page names who may open it by ``signed_in`` or ``may(...)``; a test walks all routes and
fails for one that does neither and is not listed as open.
"""

from __future__ import annotations

import hmac
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from contact_service.domain.actors import Role, allowed
from contact_service.identity.sessions import LONGEST_HOURS, Session, resume
from contact_service.web.carrier import service_of

#: Where somebody goes whose password was given by another person.
CHANGE_PASSWORD = "/account/password"
#: Where somebody goes whose role demands a second factor that is not there yet.
SET_SECOND_FACTOR = "/account"


class SignInFirst(Exception):
    """Nobody is signed in, or somebody has to do something else first."""

    def __init__(self, to: str) -> None:
        self.to = to


def cookie_name(request: Request) -> str:
    """The session cookie's name: bound to this host where the console is served by TLS."""
    return "__Host-session" if by_tls(request) else "session"


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Hand a session to a browser."""
    _keep(request, response, cookie_name(request), token, LONGEST_HOURS * 3600)


def browser_cookie(request: Request) -> str:
    """The name of the cookie by which a browser is known again."""
    return "__Host-browser" if by_tls(request) else "browser"


def set_browser_cookie(request: Request, response: Response, token: str) -> None:
    """Have a browser keep by what it is known again: it opens nothing, and outlasts the session."""
    _keep(request, response, browser_cookie(request), token, 365 * 86_400)


def _keep(request: Request, response: Response, name: str, token: str, seconds: int) -> None:
    """Have a browser keep a token: unreadable to scripts, never sent from other sites."""
    response.set_cookie(
        name,
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=by_tls(request),
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Take a cookie of ours back. A browser heeds that of a ``__Host-`` one by its flags alone."""
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=by_tls(request))


def session_of(request: Request) -> Session | None:
    """The session that a request belongs to."""
    token = request.cookies.get(cookie_name(request))
    origin = request.client.host if request.client else ""
    return resume(service_of(request), token, origin) if token else None


def signed_in(request: Request) -> Session:
    """Somebody who is signed in, with a password of their own and whatever their role demands."""
    session = signed_in_with_own_password(request)
    if second_factor_missing(request, session):
        raise SignInFirst(SET_SECOND_FACTOR)
    return session


def signed_in_with_own_password(request: Request) -> Session:
    """Somebody who is signed in, perhaps without the second factor that their role demands."""
    session = signed_in_with_any_password(request)
    if session.account.must_change:
        raise SignInFirst(CHANGE_PASSWORD)
    return session


def second_factor_missing(request: Request, session: Session) -> bool:
    """Whether somebody's role demands a second factor that they have not set up. Who comes from
    the identity provider has theirs there."""
    account = session.account
    demanded = account.role in service_of(request).settings.second_factor_roles
    return demanded and not account.second_factor and not account.federated


def signed_in_with_any_password(request: Request) -> Session:
    """Somebody who is signed in, perhaps with a first password."""
    session = session_of(request)
    if session is None:
        here = request.url.path if request.method == "GET" else "/"
        raise SignInFirst(f"/sign-in?to={quote(here)}")
    request.state.session = session
    return session


class PageRule:
    """Who may open a page: these roles, and the administrator every page."""

    def __init__(self, roles: frozenset[Role], contractors: bool) -> None:
        self.roles = frozenset(r for r in Role if allowed(r, roles, contractors=contractors))

    def __call__(self, session: Session = Depends(signed_in)) -> Session:
        if session.account.role not in self.roles:
            raise HTTPException(
                403,
                "この画面を開く権限がありません。必要なときは管理者に相談してください / "
                "you may not open this page; ask the administrator if you need it",
            )
        return session


def may(*roles: Role, contractors: bool = True) -> PageRule:
    """A page for some roles (``domain.actors.allowed``), as a dependency that gives the
    session."""
    return PageRule(frozenset(roles), contractors)


async def own_form(request: Request) -> None:
    """Refuse a form that did not come from a page of ours (ASVS 5.0, V3.5)."""
    session = await run_in_threadpool(session_of, request)
    form = await request.form()
    given = str(form.get("form_token", ""))
    if session is None or not hmac.compare_digest(given.encode(), session.form_token.encode()):
        raise HTTPException(
            403,
            "画面が古くなりました。戻って、開き直してから、もう一度お試しください / "
            "this page is out of date: go back, reload it and try again",
        )


def from_here(request: Request) -> None:
    """Refuse a sign-in that another site's page sends."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != host):
        raise HTTPException(
            403,
            "サインインの画面を開き直して、もう一度お試しください / "
            "open the page for signing in again, and try once more",
        )


def local(path: str) -> str:
    """``path`` if it is one of ours, else the start page: no redirect leaves the house."""
    own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if own and path.isprintable() else "/"


def by_tls(request: Request) -> bool:
    """Whether the console is served by TLS."""
    return service_of(request).settings.public_url.startswith("https:")
