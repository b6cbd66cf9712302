"""What every route of the JSON API shares: a token, a scope, a role, and writes done once.

A room's routes are on a router of :func:`api_router`; each names what it takes::

    router = api_router("/api/campaigns", "campaigns")

    @router.get("")
    def campaigns(request: Request, asked: Asked, caller: Actor = Depends(
        may(Scope.CAMPAIGNS_READ, Role.STAFF, Role.APPROVER))) -> ApiPage[CampaignBody]: ...

``caller`` is who acts, for the rooms below, which check it again. A route without such a rule
answers nobody, and ``tests/web/test_rules.py`` fails for it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response, params
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from contact_service.domain.actors import Actor, Role, allowed
from contact_service.identity import tokens
from contact_service.identity.accounts import ROLES
from contact_service.identity.tokens import Scope, Token
from contact_service.web.carrier import service_of
from contact_service.web.once import once
from contact_service.web.problems import RESPONSES

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ApiRoute(APIRoute):
    """A route whose caller holds a token, and whose writes may carry an ``Idempotency-Key``."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            token = await run_in_threadpool(_holder, request)
            request.state.token = token
            self._must_be_readable(request)
            if request.method in WRITES and "idempotency-key" in request.headers:
                return await once(request, token, handle)
            return await handle(request)

        return answer

    def _must_be_readable(self, request: Request) -> None:
        """Refuse a body of another kind than the route reads, before any of it is read."""
        if self.body_field is None or request.headers.get("content-length") == "0":
            return
        form = isinstance(self.body_field.field_info, params.Form)
        wanted = "multipart/form-data" if form else "application/json"
        for asked in self.dependant.dependencies:
            if isinstance(asked.call, Rule):  # who may not is told so first
                asked.call(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != wanted:
            raise HTTPException(
                415,
                f"本文は {wanted} で送ってください（Content-Type） / send the body as {wanted} "
                "(Content-Type)",
                {"Accept": wanted},
            )


def api_router(prefix: str, tag: str) -> APIRouter:
    """A router for routes of the API under ``prefix``, which begins with ``/api``."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=ApiRoute, responses=RESPONSES)


class Rule:
    """Who may use a route: a token with this scope, whose role is one of these."""

    def __init__(self, scope: Scope, roles: frozenset[Role], contractors: bool) -> None:
        self.scope = scope
        # no token has the role of the administrator
        self.roles = frozenset(
            role for role in ROLES if allowed(role, roles, contractors=contractors)
        ) - {Role.ADMINISTRATOR}

    def __call__(self, request: Request) -> Actor:
        token: Token = request.state.token
        if self.scope not in token.scopes:
            raise HTTPException(
                403,
                f"このトークンでは使えません。必要な範囲: {self.scope} / "
                f"this token lacks the scope {self.scope}",
            )
        if token.role not in self.roles:
            raise HTTPException(
                403,
                f"このトークンの役割（{token.role}）ではできません / "
                f"a token with the role {token.role} may not do this",
            )
        return token.actor(origin_of(request))


def may(scope: Scope, *roles: Role, contractors: bool = True) -> Rule:
    """The rule of a route, as a dependency: gives the caller whom it lets in."""
    return Rule(scope, frozenset(roles), contractors)


def with_any_token(request: Request) -> Actor:
    """The rule of what every holder may read."""
    token: Token = request.state.token
    return token.actor(origin_of(request))


def origin_of(request: Request) -> str:
    """From where a request comes, as the audit log has it: the address that connected to us."""
    return request.client.host if request.client else ""


def _holder(request: Request) -> Token:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    found = tokens.holder(service_of(request), token) if kind.lower() == "bearer" else None
    if found is None:
        raise HTTPException(
            401,
            "有効なトークンが必要です。管理者に発行を頼んでください / a valid bearer token is "
            "required: ask the administrator for one",
            {"WWW-Authenticate": "Bearer"},
        )
    return found


ANY_TOKEN = Depends(with_any_token)
