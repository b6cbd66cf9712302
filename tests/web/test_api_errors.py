"""Whatever goes wrong, the API says it as a problem (RFC 9457), and says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import create_engine

from contact_service.domain.actors import Role
from contact_service.web.app import app
from contact_service.web.limits import Limits
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.web.api import Api
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]


def refused(
    door: Door, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A refusal, which is a problem with words in both languages."""
    status, said = door.ask(method, path, body, dict(headers or {}))
    found: dict[str, Any] = json.loads(said)
    assert found["status"] == status and found["type"] == "about:blank"
    assert found["instance"] == path and found["title"]
    japanese, _, english = found["detail"].partition(" / ")
    assert not japanese.isascii() and english.isascii() and english, found
    return found


def test_every_refusal_is_a_problem(floor: Floor, door: Door) -> None:
    staff = Api(floor, door, Role.STAFF)
    known = {"Authorization": f"Bearer {staff.token}"}
    spoken = known | {"Content-Type": "application/json"}
    for status, method, path, body, headers in (
        (401, "GET", "/api/files", "", {}),
        (403, "GET", "/api/audit", "", known),
        (404, "GET", "/api/nowhere", "", known),
        (404, "GET", "/api/files/999", "", known),
        (405, "PUT", "/api/files", "", known),
        (409, "POST", "/api/stops", '{"scope": "channel:x", "reason": "a"}', spoken),
        (413, "POST", "/api/people/search", '{"wanted": "' + "a" * 1_000_000 + '"}', spoken),
        (415, "POST", "/api/people/search", '{"wanted": "a"}', known | {"Content-Type": "text/csv"}),
        (415, "POST", "/api/people/search", '{"wanted": "a"}', known),
        (415, "POST", "/api/files", "a=b", spoken),
        (422, "POST", "/api/people/search", "{}", spoken),
        (422, "POST", "/api/people/search", "{", spoken),
        (422, "POST", "/api/people/search", '{"wanted": "\\u0000"}', spoken),
        (422, "GET", "/api/files/none", "", known),
    ):  # fmt: skip
        assert refused(door, method, path, body, headers)["status"] == status, (path, body[:30])
    too_large = known | {"Content-Type": "multipart/form-data; boundary=x",
                         "Content-Length": "600000000"}  # fmt: skip
    assert refused(door, "POST", "/api/files", "", too_large)["status"] == 413


def test_who_asks_too_often_is_told_how_long_to_wait(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = Api(floor, door, Role.STAFF)

    async def never(*_: object) -> bool:
        return False

    monkeypatch.setattr(Limits, "admits", never)
    known = {"Authorization": f"Bearer {staff.token}"}
    assert refused(door, "GET", "/api/files", "", known)["status"] == 429


def test_without_its_database_it_says_so(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = Api(floor, door, Role.STAFF)
    browser = signed_in(floor, door, "kato", Role.STAFF)
    # a server that is not there
    nothing = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(
        app.state, "service", type(app.state.service)(
            app.state.service.settings, nothing, app.state.service.vault, app.state.service.clock)
    )  # fmt: skip
    known = {"Authorization": f"Bearer {staff.token}", "Content-Type": "application/json"}
    key = {"Idempotency-Key": "a"}
    assert refused(door, "GET", "/api/files", "", known)["status"] == 503
    assert refused(door, "POST", "/api/stops", "{}", known | key)["status"] == 503
    assert (browser.open("/files").status, "データベースに届きません" in browser.page) == (
        503,
        True,
    )
    assert "the database cannot be reached" not in browser.page
    assert door.ask("GET", "/healthz")[0] == 503
