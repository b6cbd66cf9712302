"""Signing in at the office's identity provider: out to it, and back."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_service.identity import federated
from contact_service.identity.oidc import MINUTES_AWAY, IdentityProvider, NotBelieved, Unreachable
from contact_service.web.carrier import service_of
from contact_service.web.rendering import page
from contact_service.web.session import by_tls, drop_cookie, local, set_cookie
from contact_service.web.sign_in import sign_in_page

entrance = APIRouter(include_in_schema=False)


@entrance.get("/sign-in/oidc")
def leave(request: Request, to: str = "/") -> Response:
    """To the provider's page. A link, not a form: our forms lead nowhere else."""
    provider = _provider(request)
    try:
        address, kept = provider.leave(service_of(request).vault, local(to))
    except (Unreachable, NotBelieved):
        return sign_in_page(request, 503, to=local(to), refused="oidc_unreachable")
    response = RedirectResponse(address, 303)
    # lax: the way back begins at another site
    response.set_cookie(
        _cookie(request),
        kept,
        max_age=MINUTES_AWAY * 60,
        path="/",
        httponly=True,
        samesite="lax",
        secure=by_tls(request),
    )
    return response


@entrance.get("/sign-in/oidc/answer")
def come_back(request: Request) -> Response:
    """Back with the provider's answer."""
    provider, service = _provider(request), service_of(request)
    address = request.client.host if request.client else ""
    kept = request.cookies.get(_cookie(request), "")
    try:
        person, to = provider.come_back(service.vault, kept, request.query_params)
    except Unreachable:
        return _refused(request, 503, "oidc_unreachable")
    except NotBelieved as error:
        federated.refuse(service, address, str(error))
        return _refused(request, 401, "oidc_not_believed")
    opened = federated.let_in(
        service, provider.config.issuer, person, address, request.headers.get("user-agent", "")
    )
    if isinstance(opened, federated.Unwanted):
        return _refused(request, 403, f"oidc_{opened.value}")
    # no redirect: what another site began is not sent our strict cookie; a page of ours goes on
    response = page(request, "signed_in.html", to=local(to))
    drop_cookie(request, response, _cookie(request))
    set_cookie(request, response, opened)
    return response


def _refused(request: Request, status: int, why: str) -> Response:
    response = sign_in_page(request, status, refused=why)
    drop_cookie(request, response, _cookie(request))
    return response


def _provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _cookie(request: Request) -> str:
    return "__Host-oidc" if by_tls(request) else "oidc"
