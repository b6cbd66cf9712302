"""The API's own description: OpenAPI 3.1 for programs, a page for people. Nothing is loaded from
anywhere else: a closed network has no elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from contact_service.domain.actors import Actor
from contact_service.identity.sessions import Session
from contact_service.web.api_base import ANY_TOKEN, WRITES, ApiRoute, Rule, api_router
from contact_service.web.api_examples import DAYS, example, resolved
from contact_service.web.problems import MEDIA_TYPE
from contact_service.web.rendering import page
from contact_service.web.session import signed_in

router = api_router("/api", "api")
page_router = APIRouter(include_in_schema=False)
#: What the statuses mean that are no success.
REFUSED: dict[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "トークンがないか、終わっている / no token, or one that has ended",
    HTTPStatus.FORBIDDEN: "トークンの範囲・役割・所管課ではできない / the token's scopes, role or "
    "office may not",
    HTTPStatus.NOT_FOUND: "ない / there is no such thing",
    HTTPStatus.CONFLICT: "今の状態ではできない / it does not fit the state that things are in",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "本文が大きすぎる / the body is too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "本文の種類（Content-Type）が違う / a body of another kind",
    HTTPStatus.UNPROCESSABLE_ENTITY: "値が正しくない（errorsに一つずつ） / faulty values, each in "
    "`errors`",
    HTTPStatus.TOO_MANY_REQUESTS: "要求が多すぎる。Retry-Afterの秒数を待つ / too many requests: "
    "wait for `Retry-After`",
    HTTPStatus.INTERNAL_SERVER_ERROR: "こちらの誤り / a fault of ours",
    HTTPStatus.SERVICE_UNAVAILABLE: "データベースに届かない。しばらくして送り直す / the database "
    "cannot be reached: send it again later",
}
#: What the groups of operations are called, in the order of the page.
TAGS = {
    "campaigns": "催告計画と実施 / campaigns and runs",
    "files": "ファイル / files",
    "people": "納付者と連絡しない方 / people and leaving them alone",
    "records": "結果・事業者・報告書・事例 / outcomes, providers, reports, library",
    "centre": "電話交換機 / the telephone system",
    "supervisor": "センター管理者 / the centre's supervisor",
    "audit": "監査記録 / audit log",
    "api": "この説明 / this description",
}
METHODS = ("get", "post", "put", "patch", "delete")

ABOUT = (
    "JSON in and out; times are ISO 8601 with their offset; errors are problems (RFC 9457). "
    "Send `Authorization: Bearer TOKEN`. A write may carry an `Idempotency-Key`: sent again "
    "within a day, it is done once. Lists come in pages: pass `next` back as `cursor`."
)


@router.get("/openapi.json", response_model=None, summary="APIの記述 / this description")
def openapi(request: Request, caller: Actor = ANY_TOKEN) -> Response:
    """OpenAPI 3.1での記述 / this description, by OpenAPI 3.1"""
    return Response(_written(request.app), media_type="application/json")


@page_router.get("/api-docs")
def show(request: Request, session: Session = Depends(signed_in)) -> Response:
    """The same, to read."""
    return page(request, "api_docs.html", operations=_told(request.app), tags=TAGS)


@cache
def _written(app: FastAPI) -> bytes:
    """The description as it is sent: it is the same as long as the process lives."""
    return json.dumps(description(app), ensure_ascii=False).encode()


@cache
def _told(app: FastAPI) -> Sequence[Operation]:
    """The same for the page."""
    return tuple(_operations(description(app)))


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with who may use what."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            description=ABOUT,
            routes=app.routes,
        )
        found.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"}
        }
        for route in api_routes(app):
            for method in route.methods or ():
                operation = found["paths"][route.path][method.lower()]
                _add_rule(operation, route, method)
                answers = operation["responses"]
                last = answers.pop("default")
                statuses = sorted(_may_answer(operation, route.path, method))
                answers |= _refused(statuses) | {"default": last}
                _add_examples(found, operation)
                operation["description"] = " ".join(operation["description"].split())
                for answer in answers.values():
                    if answer["description"] == "Successful Response":
                        answer["description"] = "できた / done"
        app.openapi_schema = found
    return app.openapi_schema


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of the application, also those of its routers."""
    waiting: list[BaseRoute] = list(app.routes)
    while waiting:
        route = waiting.pop(0)
        if isinstance(route, APIRoute):
            yield route
        else:
            within = getattr(route, "original_router", route)
            waiting += getattr(within, "routes", None) or []


def api_routes(app: FastAPI) -> Iterator[ApiRoute]:
    """The routes of the JSON API."""
    return (route for route in routes_of(app) if isinstance(route, ApiRoute))


def depends_on(route: APIRoute) -> list[object]:
    """Everything that a route asks for first, directly or through others."""
    found: list[object] = []
    waiting = [route.dependant]
    while waiting:
        here = waiting.pop()
        found.append(here.call)
        waiting += here.dependencies
    return found


def _refused(statuses: Iterable[HTTPStatus]) -> dict[str, Any]:
    """What each of these statuses means here."""
    return {
        str(int(status)): {
            "description": REFUSED[status],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": {
                        "type": "about:blank", "title": status.phrase, "status": int(status),
                        "detail": REFUSED[status], "instance": "/api/…",
                    },
                }
            },
        }
        for status in statuses
    }  # fmt: skip


def _may_answer(operation: dict[str, Any], path: str, method: str) -> set[HTTPStatus]:
    """Which refusals an operation may answer with, beside those that every one may."""
    found = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS,
             HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}  # fmt: skip
    if operation["x-roles"]:
        found.add(HTTPStatus.FORBIDDEN)
    if "{" in path:
        found.add(HTTPStatus.NOT_FOUND)
    if method in WRITES:
        found |= {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
    if operation.get("parameters"):
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if "requestBody" in operation:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    return found


def _add_examples(document: dict[str, Any], operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        days = {"example": DAYS[name]} if name in DAYS else parameter["schema"]
        parameter["example"] = example(document, days, name)
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for content in (body["content"] for body in bodies):
        for kind in content.values():
            kind["example"] = example(document, kind["schema"])
    for answer in operation["responses"].values():
        kind = answer.get("content", {}).get("application/json")
        if kind and kind.get("schema"):
            kind["example"] = example(document, kind["schema"], whole=True)


def _add_rule(operation: dict[str, Any], route: ApiRoute, method: str) -> None:
    rules = [call for call in depends_on(route) if isinstance(call, Rule)]
    operation["security"] = [{"token": [rule.scope.value for rule in rules]}]
    # the framework describes every answer as plain JSON too
    operation["responses"]["default"]["content"].pop("application/json", None)
    operation["x-roles"] = sorted(role.value for rule in rules for role in rule.roles)
    if method in WRITES:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "1日以内に同じキーで送り直しても一度だけ行われる / "
                "sent again within a day, the write is done once",
            }
        )


@dataclass(frozen=True)
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    tag: str
    summary: str
    description: str
    scopes: list[str]
    roles: list[str]
    parameters: list[dict[str, Any]]
    body: str
    answers: list[tuple[str, str, str]]
    """Status, words, and an example of what comes with it."""
    refused: list[tuple[str, str]]
    curl: str


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(document, path, method, item[method])


def _operation(document: dict[str, Any], path: str, method: str, said: dict[str, Any]) -> Operation:
    content = said.get("requestBody", {}).get("content", {})
    schema = next((kind["schema"] for kind in content.values()), None)
    kind = next(iter(content), "")
    body = content[kind]["example"] if kind else None
    curl = [f"curl -X {method.upper()} $SERVICE{path}", '-H "Authorization: Bearer $TOKEN"']
    if method.upper() in WRITES:
        curl.append('-H "Idempotency-Key: $(uuidgen)"')
    if kind == "application/json":
        curl += [f"-H 'Content-Type: {kind}'", f"-d '{json.dumps(body, ensure_ascii=False)}'"]
    elif body:
        curl += [
            f"-F {name}={json.dumps(value, ensure_ascii=False)}" for name, value in body.items()
        ]
    return Operation(
        method.upper(),
        path,
        said["tags"][0],
        said.get("summary", ""),
        said.get("description", ""),
        [scope for needed in said["security"] for scope in needed["token"]],
        said["x-roles"],
        said.get("parameters", []),
        json.dumps(resolved(document, schema), ensure_ascii=False, indent=2) if schema else "",
        [
            (status, answer["description"], _shown(answer))
            for status, answer in said["responses"].items()
            if status.startswith("2")
        ],
        [
            (status, answer["description"])
            for status, answer in said["responses"].items()
            if status[0] in "45"
        ],
        " \\\n  ".join(curl),
    )


def _shown(answer: dict[str, Any]) -> str:
    """An example of an answer's body."""
    for kind, content in answer.get("content", {}).items():
        if "example" in content:
            return json.dumps(content["example"], ensure_ascii=False, indent=2)
        return str(kind)
    return ""
