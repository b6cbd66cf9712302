"""The JSON API's ground: tokens, problems, writes done once, pages of a list, its description."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.identity import tokens
from contact_service.identity.accounts import CannotDo
from contact_service.identity.tokens import Scope
from contact_service.web import api_docs
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import mobile
from tests.web.test_console import entered
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]


def token(floor: Floor, role: Role = Role.OPERATOR, *scopes: Scope, days: int = 1) -> str:
    return tokens.issue(
        floor.service, ADMINISTRATOR, "交換機", role, frozenset(scopes or {Scope.CENTRE}), days
    )


def call(
    door: Door, path: str, body: object, token: str, key: str | None = None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    if key:
        headers["Idempotency-Key"] = key
    status, said = door.ask("POST", path, json.dumps(body), headers)
    return status, json.loads(said) if said else None


def get(door: Door, path: str, token: str) -> tuple[int, Any]:
    status, said = door.ask("GET", path, headers={"Authorization": f"Bearer {token}"})
    return status, json.loads(said)


def an_hour_passes(floor: Floor, hours: int, table: str, column: str) -> None:
    """Let time pass for the database."""
    with floor.service.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {table} SET {column} = {column} - make_interval(hours => :h)"),
            {"h": hours},
        )


def test_tokens_are_issued_in_reason_kept_as_hashes_and_end(floor: Floor, door: Door) -> None:
    service = floor.service
    with pytest.raises(NotAllowed):
        tokens.issue(service, Actor("x", Role.STAFF), "x", Role.STAFF, frozenset({Scope.CENTRE}), 1)
    for faulty in (
        {"label": " "}, {"label": "deployment"}, {"label": "a\nb"}, {"days": 0}, {"days": 366},
        {"scopes": frozenset()}, {"role": Role.SYSTEM}, {"role": Role.ADMINISTRATOR},
    ):  # fmt: skip
        given: dict[str, Any] = {
            "label": "x", "role": Role.STAFF, "scopes": frozenset({Scope.CENTRE}), "days": 1,
        }  # fmt: skip
        with pytest.raises(CannotDo):
            tokens.issue(service, ADMINISTRATOR, **(given | faulty))
    held = token(floor)
    whole = floor.ledger.rows("SELECT api_token::text FROM api_token")
    assert held not in str(whole) and held.removeprefix(tokens.PREFIX) not in str(whole)
    assert held not in str(floor.ledger.rows("SELECT details::text FROM audit_log"))
    assert call(door, "/api/operator/next", {"operator": "1"}, held)[0] == 204
    with service.engine.connect() as connection:
        found = next(item for item in tokens.tokens(connection) if item.label == "交換機")
    assert found.used_at is not None
    an_hour_passes(floor, 24, "api_token", "expires_at")
    assert call(door, "/api/operator/next", {"operator": "1"}, held)[0] == 401
    other = token(floor)
    number = floor.ledger.one("SELECT max(id) FROM api_token")
    tokens.revoke(service, ADMINISTRATOR, int(str(number)))
    assert call(door, "/api/operator/next", {"operator": "1"}, other)[0] == 401
    with pytest.raises(CannotDo):
        tokens.revoke(service, ADMINISTRATOR, int(str(number)))


def test_who_was_put_out_does_not_come_back_by_a_restart(floor: Floor, door: Door) -> None:
    own = (door.stack.settings.state_dir / "api-token").read_text()
    assert call(door, "/api/operator/next", {"operator": "1"}, own)[0] == 204
    tokens.revoke(
        floor.service, ADMINISTRATOR, int(str(floor.ledger.one("SELECT id FROM api_token")))
    )
    tokens.register_own(floor.service, own)
    assert call(door, "/api/operator/next", {"operator": "1"}, own)[0] == 401


def test_errors_are_problems_and_say_nothing_back(floor: Floor, door: Door) -> None:
    held = token(floor)
    status, said = call(door, "/api/calls", [{"key": "k", "from": "090-1234-5678"}], held)
    assert (status, said["type"], said["status"]) == (422, "about:blank", 422)
    assert said["instance"] == "/api/calls"
    assert "#/0/from" in {fault["pointer"] for fault in said["errors"]}
    assert "1234" not in json.dumps(said)
    status, said = get(door, "/api/nowhere", held)
    assert (status, said["title"]) == (404, "Not Found")
    status, said = get(door, "/api/audit", held)
    assert (status, said["status"], "audit:read" in said["detail"]) == (403, 403, True)
    status, said = call(door, "/api/calls", [], "none")
    assert (status, "Bearer" in str(said), "管理者" in said["detail"]) == (401, False, True)


def test_a_write_with_a_key_is_done_once(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.ledger.person([mobile(2)])
    floor.start()
    held = token(floor)
    asked = "/api/operator/next", {"operator": "1"}
    status, first = call(door, *asked, held, "k1")
    assert (status, first["phone"] in (mobile(1), mobile(2))) == (200, True)
    assert call(door, *asked, held, "k1") == (200, first)
    other = "/api/operator/next", {"operator": "2"}
    assert call(door, *other, held, "k1")[0] == 422
    assert call(door, *other, token(floor), "k1")[0] == 200  # another holder's key
    kept = bytes(floor.ledger.one("SELECT body FROM idempotency_key WHERE status = 200 LIMIT 1"))  # type: ignore[arg-type]
    assert first["phone"].encode() not in kept
    # what was refused may be sent again with the same key, mended
    one = {
        "key": "p1", "started_at": "2026-11-09T10:00:00+09:00", "from": None, "wait_seconds": 5,
        "talk_seconds": 6, "wrap_seconds": 7, "result": "talked",
    }  # fmt: skip
    assert call(door, "/api/calls", [one | {"result": "?"}], held, "k2")[0] == 422
    assert call(door, "/api/calls", [one], held, "k2") == (200, {"added": 1})
    assert call(door, "/api/calls", [one], held, "k2") == (200, {"added": 1})
    assert call(door, "/api/calls", [one], held, "k3") == (200, {"added": 0})
    an_hour_passes(floor, 25, "idempotency_key", "begun_at")
    assert call(door, "/api/calls", [one], held, "k2") == (200, {"added": 0})
    # the process died while it was at work: nobody knows, so it is not done again on a guess
    with floor.service.engine.begin() as connection:
        connection.execute(text("UPDATE idempotency_key SET status = NULL WHERE key = 'k2'"))
    assert call(door, "/api/calls", [one], held, "k2")[0] == 409
    assert call(door, "/api/calls", [one], held, "x" * 256)[0] == 400


def test_a_list_comes_in_pages_without_gap_or_repetition(floor: Floor, door: Door) -> None:
    held = token(floor, Role.AUDITOR, Scope.AUDIT_READ)
    for _ in range(6):
        token(floor)
    seen: list[int] = []
    path: str | None = "/api/audit?limit=3"
    while path:
        status, said = get(door, path, held)
        assert status == 200
        seen += [item["id"] for item in said["items"]]
        token(floor)  # meanwhile something is added at the front
        path = f"/api/audit?limit=3&cursor={said['next']}" if said["next"] else None
    assert seen == list(range(7, 0, -1))
    for cursor in ("x", "bm9uZQ==", "WyJhIl0=", "W10=", "%00", "あ"):
        from urllib.parse import quote

        assert get(door, f"/api/audit?cursor={quote(cursor)}", held)[0] == 422
    assert get(door, "/api/audit?limit=201", held)[0] == 422


def test_the_api_describes_itself_without_anything_from_elsewhere(floor: Floor, door: Door) -> None:
    assert door.ask("GET", "/openapi.json")[0] == 404
    assert door.ask("GET", "/api/openapi.json")[0] == 401
    status, said = get(door, "/api/openapi.json", token(floor))
    assert (status, said["openapi"][:3]) == (200, "3.1")
    assert said == json.loads(json.dumps(api_docs.description(app)))
    operation = said["paths"]["/api/calls"]["post"]
    assert operation["security"] == [{"token": ["centre"]}]
    assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert "Idempotency-Key" in {item["name"] for item in operation["parameters"]}
    browser = entered(floor, door).open("/api-docs")
    assert (browser.status, "curl -X POST $SERVICE/api/calls" in browser.page) == (200, True)
    assert "https://" not in browser.page
