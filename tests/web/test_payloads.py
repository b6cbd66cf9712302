"""Statements, templates, scripts and line breaks in every text field by itself, all others being
valid: of every operation of the API by its OpenAPI document, of every form, of every webhook. None is
believed when it comes in, and none is when it is shown again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, get_args
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import requests
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from contact_service import logs
from contact_service.domain.actors import Role
from contact_service.identity import tokens
from contact_service.identity.tokens import Scope
from contact_service.store.tables import metadata
from contact_service.web.api_base import Rule
from contact_service.web.api_docs import depends_on, description, routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import floor
from tests.fuzz.test_bad_input import FIELD_NAMES
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.offices import Asking, asking
from tests.web.pages import PAGES
from tests.web.payloads import PAYLOADS
from tests.web.test_doors import door, door_settings
from tests.web.test_rules import pages, session

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]

#: Read by the route itself, so no field of its signature.
READ_BY_HAND = {"/drafts/{draft_id}": ("text", "reason", "new-name", "step", "do", "revision")}
ENDS_THE_SESSION = ("/sign-out", "/account/password", "/account/sessions/{session_id}/end")


def tables(asking: Asking) -> int:
    with asking.floor.service.engine.connect() as connection:
        found = connection.scalar(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        )  # fmt: skip
        return int(found or 0)


def payloads(most: int | None) -> list[str]:
    """All of them as one where there is room, else each by itself, as far as it goes."""
    whole = "".join(PAYLOADS)
    return [whole] if most is None or most >= len(whole) else [each[:most] for each in PAYLOADS]


@dataclass
class Sent:
    """What was sent, and what was wrong with the answers."""

    fields: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    wrong: list[tuple[object, ...]] = field(default_factory=list)

    def see(self, name: str, answer: requests.Response) -> None:
        """One answer to a payload in the field ``name``."""
        self.fields.add(name)
        if answer.status_code < 400:
            self.accepted.add(name)
        if answer.status_code >= 500 or believed(answer):
            self.wrong.append((name, answer.status_code, answer.text[-300:]))


def believed(answer: requests.Response) -> bool:
    page = answer.headers.get("content-type", "").startswith("text/html")
    return (
        "9359" in answer.text
        or (page and "<script>alert" in answer.text)
        or "x-injected" in answer.headers
        or not answer.headers.get("location", "/").startswith("/")
    )


def schema_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference or a choice comes to."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif choice := schema.get("anyOf") or schema.get("oneOf"):
            schema = next(each for each in choice if each.get("type") != "null")
        else:
            return schema


SAMPLES = {"uuid": str(uuid4()), "date": "2026-12-01", "date-time": "2026-11-23T10:00:00+09:00"}


def sample(document: Mapping[str, Any], schema: Mapping[str, Any], known: Mapping[str, str]) -> Any:
    """A value that is taken."""
    schema = schema_of(document, schema)
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"type": "object"}:
            return {
                name: known.get(name) or sample(document, each, known)
                for name, each in schema.get("properties", {}).items()
            }
        case {"type": "array"}:
            return [sample(document, schema["items"], known)]
        case {"type": "integer" | "number"}:
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case {"type": "boolean"}:
            return False
        case {"pattern": _}:
            return "+819012345678"
        case _:
            return SAMPLES.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))


def texts(
    document: Mapping[str, Any], schema: Mapping[str, Any], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], int | None]]:
    """Where free texts are in a body, and how long they may be."""
    schema = schema_of(document, schema)
    if schema.get("type") == "object":
        for name, each in schema.get("properties", {}).items():
            yield from texts(document, each, (*at, name))
    elif schema.get("type") == "array":
        yield from texts(document, schema["items"], (*at, 0))
    elif schema.get("type") == "string" and not {"enum", "const", "format"} & set(schema):
        yield at, schema.get("maxLength")


def put(body: Any, at: tuple[str | int, ...], value: str) -> Any:
    """``body`` with ``value`` in one place."""
    if not at:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[at[0]] = put(copy[at[0]], at[1:], value)
    return copy


def beginnings(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A body that has several shapes, each of them."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema.get("oneOf", [schema]))


def to_the_api(asking: Asking, sent: Sent) -> None:
    document = description(app)
    rules = {
        (route.path, method): next((r for r in depends_on(route) if isinstance(r, Rule)), None)
        for route in routes_of(app)
        for method in route.methods or ()
    }
    held: dict[Role, str] = {}
    places = {**asking.places, "attempt_id": asking.places["unknown"]}
    with requests.Session() as system:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                rule = rules[path, method.upper()]
                role = min(rule.roles - {Role.ADMINISTRATOR, Role.SYSTEM}) if rule else Role.STAFF
                if role not in held:
                    held[role] = tokens.issue(
                        asking.floor.service, ADMINISTRATOR, "x", role, frozenset(Scope), 1
                    )
                for name, address, said in of_operation(document, path, operation, places):
                    answer = system.request(
                        method, asking.door.stack.web_url + address, timeout=60,
                        headers={"Authorization": f"Bearer {held[role]}"}, **said,
                    )  # fmt: skip
                    sent.see(f"{method} {path} {name}", answer)


def of_operation(
    document: Mapping[str, Any],
    path: str,
    operation: Mapping[str, Any],
    places: Mapping[str, str],
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each field of an operation with each payload: its name, the address, and what is sent."""
    named = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"]
    places = dict.fromkeys(named, "1") | places
    usual = path.format_map(places)
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        for payload in PAYLOADS:
            if parameter["in"] == "query":
                yield name, usual, {"params": {name: payload}}
            elif parameter["in"] == "path":
                yield name, path.format_map({**places, name: quote(payload, safe="")}), {}
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        for shape in beginnings(document, content["schema"]):
            body = sample(document, shape, places)
            for at, most in texts(document, shape):
                for payload in payloads(most):
                    said = put(body, at, payload)
                    if kind == "multipart/form-data":
                        parts: dict[str, Any] = {n: (None, str(v)) for n, v in said.items()}
                        yield "/".join(map(str, at)), usual, {"files": parts | {"file": payload}}
                    else:
                        yield "/".join(map(str, at)), usual, {"json": said}


def form_of(route: APIRoute) -> Iterator[tuple[str, str | None, int | None]]:
    """The fields of a form with a value that is taken; ``None`` for a free text."""
    if route.path in READ_BY_HAND and route.methods != {"GET"}:
        yield from ((name, None, None) for name in READ_BY_HAND[route.path])
    for each in route.dependant.body_params:
        kind = each.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, inner in kind.model_fields.items():
                yield name, *taken(inner.annotation, inner)
        else:
            yield each.alias, *taken(kind, each.field_info)


def taken(kind: Any, info: Any) -> tuple[str | None, int | None]:
    kind = next((each for each in get_args(kind) if each is not type(None)), kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(next(iter(kind)).value), None
    if kind in (int, bool, date, UUID):
        return {int: "1", bool: "true", date: "2026-12-01", UUID: str(uuid4())}[kind], None
    most = next((m.max_length for m in info.metadata if hasattr(m, "max_length")), None)
    return None, most


def to_the_pages(asking: Asking, sent: Sent) -> None:
    who = session(asking.floor.service, Role.ADMINISTRATOR)
    places = {**asking.places, "attempt_id": asking.places["held"]}
    headers = {"Cookie": who["cookie"], "Accept": "text/html", "User-Agent": PAYLOADS[1]}
    with requests.Session() as browser:
        for route in pages():
            if route.path in ENDS_THE_SESSION or any(
                place.name not in places for place in route.dependant.path_params
            ):
                continue
            method = min(route.methods or {"GET"})
            for name, said in of_page(route, who["token"]):
                answer = browser.request(
                    method, asking.door.stack.web_url + route.path.format_map(places), timeout=60,
                    headers=headers, allow_redirects=False, **said,
                )  # fmt: skip
                sent.see(f"{method} {route.path} {name}", answer)


def of_page(route: APIRoute, token: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field of a page or form with each payload: its name, and what is sent."""
    for place in route.dependant.query_params:
        for payload in PAYLOADS:
            yield place.alias, {"params": {place.alias: payload}}
    fields = list(form_of(route))
    usual = {name: value or "x" for name, value, _ in fields} | {"form_token": token}
    for name, value, most in fields:
        for payload in payloads(most) if value is None else ():
            yield name, {"data": usual | {name: payload}}


def signed(
    asking: Asking, carrier: requests.Session, path: str, form: Mapping[str, str]
) -> requests.Response:
    """A form as the carrier sends it."""
    secret = (asking.door.stack.settings.state_dir / "carrier-token").read_text()
    url = f"{asking.door.stack.settings.public_url}{path}"
    signature = RequestValidator(secret).compute_signature(url, dict(form))
    return carrier.post(
        f"{asking.door.stack.web_url}{path}", dict(form), timeout=60,
        headers={"X-Twilio-Signature": signature},
    )  # fmt: skip


def to_the_webhooks(asking: Asking, sent: Sent) -> None:
    said = dict.fromkeys(FIELD_NAMES, "1") | {
        "From": "+819012345678", "To": "+815000000000", "CallStatus": "in-progress",
        "MessageStatus": "delivered", "Direction": "inbound", "CallSid": f"CA{99:032}",
        "MessageSid": f"SM{99:032}", "Timestamp": "Mon, 23 Nov 2026 01:00:00 +0000",
    }  # fmt: skip
    places = {
        "provider_name": "simulated", "attempt": asking.places["unknown"], "node_name": "greeting",
        "then": "call_back", "placed": str(uuid4()),
    }  # fmt: skip
    with requests.Session() as carrier:
        routes = [*app.routes, *routes_of(app)]
        paths = {
            str(getattr(route, "path", ""))
            for route in routes
            if "POST" in (getattr(route, "methods", None) or ())
        }
        for path in sorted(path for path in paths if path.startswith("/webhooks/")):
            path = path.format_map(places)
            usual = dict(said)
            if path.endswith("/ended"):
                usual |= {"CallStatus": "completed", "CallDuration": "1"}
            if path.endswith("/messages"):
                del usual["MessageStatus"]
            assert signed(asking, carrier, path, usual).status_code != 403, path
            for number, name in enumerate(FIELD_NAMES):
                for payload in payloads(None):
                    form = usual | {
                        "CallSid": f"CA{number:032}", "MessageSid": f"SM{number:032}", name: payload,
                    }  # fmt: skip
                    answer = signed(asking, carrier, path, form)
                    sent.see(f"{path} {name}", answer)


@pytest.mark.parametrize(
    ("send", "fields", "accepted"),
    [(to_the_api, 120, 20), (to_the_pages, 90, 20), (to_the_webhooks, 150, 100)],
)
def test_every_text_field(asking: Asking, send: Any, fields: int, accepted: int) -> None:
    logged = io.StringIO()
    logs.configure("json", stream=logged)
    before = tables(asking)
    sent = Sent()
    send(asking, sent)
    shown_again(asking, sent)
    assert not sent.wrong, "\n".join(map(str, sent.wrong))
    assert tables(asking) == before >= len(metadata.tables)
    logs.log(__name__).warning("listened")
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    events = {line["event"] for line in lines}
    assert "listened" in events and "injected" not in events
    assert len(sent.fields) >= fields, len(sent.fields)
    assert len(sent.accepted) >= accepted, (len(sent.accepted), sorted(sent.fields - sent.accepted))


def shown_again(asking: Asking, sent: Sent) -> None:
    """Every page, after what was sent has been kept."""
    who = session(asking.floor.service, Role.ADMINISTRATOR)
    with requests.Session() as browser:
        for name, address, role in PAGES:
            if role is not None:
                answer = browser.get(
                    asking.door.stack.web_url + address.format_map(asking.places), timeout=60,
                    headers={"Cookie": who["cookie"], "Accept": "text/html"},
                )  # fmt: skip
                if answer.status_code >= 500 or believed(answer):
                    sent.wrong.append((name, answer.status_code, "shown again"))
