"""The API's own description: OpenAPI 3.1 for programs, a page for people. Nothing is loaded from
anywhere else: a closed network has no elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from contact_service.domain.actors import Actor
from contact_service.identity.sessions import Session
from contact_service.web.api_base import ANY_TOKEN, WRITES, ApiRoute, Rule, api_router
from contact_service.web.rendering import page
from contact_service.web.session import signed_in

router = api_router("/api", "api")
page_router = APIRouter(include_in_schema=False)
METHODS = ("get", "post", "put", "patch", "delete")

ABOUT = (
    "JSON in and out; times are ISO 8601 with their offset; errors are problems (RFC 9457). "
    "Send `Authorization: Bearer TOKEN`. A write may carry an `Idempotency-Key`: sent again "
    "within a day, it is done once. Lists come in pages: pass `next` back as `cursor`."
)


@router.get("/openapi.json", response_model=None)
def openapi(request: Request, caller: Actor = ANY_TOKEN) -> dict[str, Any]:
    """This description (OpenAPI 3.1)."""
    return description(request.app)


@page_router.get("/api-docs")
def show(request: Request, session: Session = Depends(signed_in)) -> Response:
    """The same, to read."""
    return page(request, "api_docs.html", operations=list(_operations(description(request.app))))


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
                _add_rule(found["paths"][route.path][method.lower()], route, method)
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
                "description": "sent again within a day, the write is done once",
            }
        )


@dataclass(frozen=True)
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    summary: str
    description: str
    scopes: list[str]
    roles: list[str]
    parameters: list[dict[str, Any]]
    body: str
    answers: list[tuple[str, str, str]]
    curl: str


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(document, path, method, item[method])


def _operation(document: dict[str, Any], path: str, method: str, said: dict[str, Any]) -> Operation:
    content = said.get("requestBody", {}).get("content", {})
    schema = next((kind["schema"] for kind in content.values()), None)
    example = _example(document, schema) if schema else None
    kind = next(iter(content), "")
    curl = [f"curl -X {method.upper()} $SERVICE{path}", '-H "Authorization: Bearer $TOKEN"']
    if method.upper() in WRITES:
        curl.append('-H "Idempotency-Key: $(uuidgen)"')
    if kind == "application/json":
        curl += [f"-H 'Content-Type: {kind}'", f"-d '{json.dumps(example, ensure_ascii=False)}'"]
    elif kind:
        curl += [f"-F {name}=@FILE" for name in _resolved(document, schema).get("properties", {})]
    return Operation(
        method.upper(),
        path,
        said.get("summary", ""),
        said.get("description", ""),
        [scope for needed in said["security"] for scope in needed["token"]],
        said["x-roles"],
        said.get("parameters", []),
        json.dumps(_resolved(document, schema), ensure_ascii=False, indent=2) if schema else "",
        [
            (status, answer["description"], _name(answer))
            for status, answer in said["responses"].items()
        ],
        " \\\n  ".join(curl),
    )


def _name(answer: dict[str, Any]) -> str:
    """What the answer's body is called."""
    for kind in answer.get("content", {}).values():
        schema = kind.get("schema", {})
        return str(schema.get("$ref", schema.get("title", ""))).rpartition("/")[2]
    return ""


def _resolved(document: dict[str, Any], schema: Any) -> Any:
    """A schema with what it refers to in its place."""
    if isinstance(schema, list):
        return [_resolved(document, part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolved(document, document["components"]["schemas"][name])
    return {name: _resolved(document, part) for name, part in schema.items()}


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A body that has the schema's form."""
    found = _resolved(document, schema)
    for given in ("example", "const", "default"):
        if given in found:
            return found[given]
    if found.get("examples"):
        return found["examples"][0]
    if "enum" in found:
        return found["enum"][0]
    if "anyOf" in found:
        return _example(document, found["anyOf"][0])
    kind = found.get("type")
    if kind == "object":
        needed = found.get("required", [])
        return {
            name: _example(document, part)
            for name, part in found.get("properties", {}).items()
            if name in needed
        }
    if kind == "array":
        return [_example(document, found["items"])]
    if kind in ("integer", "number"):
        return found.get("minimum", found.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return False
    return {
        "date": "2026-11-09",
        "date-time": "2026-11-09T10:00:00+09:00",
        "uuid": "00000000-0000-0000-0000-000000000000",
    }.get(found.get("format", ""), "…")
