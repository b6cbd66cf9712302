"""Every door and every command has a rule, and the doors keep to theirs: who is asked for is let
in, and nobody else."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest
import typer
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.routing import Match, Mount, Route

from benchmarks.pages import PLACES
from contact_service.bootstrap import Service
from contact_service.cli import _assemble, rules
from contact_service.domain.actors import Role
from contact_service.identity import accounts, sessions, tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import ApiRoute, Rule, with_any_token
from contact_service.web.api_docs import depends_on, description, routes_of
from contact_service.web.app import app
from contact_service.web.locale import LANGUAGES
from contact_service.web.session import (
    PageRule,
    own_form,
    signed_in,
    signed_in_with_any_password,
    signed_in_with_own_password,
)
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.pages import PAGES, PARTS
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

#: What needs no session: the entrance itself, what carriers sign, and whether we are alive.
OPEN = {
    "/sign-in", "/sign-in/oidc", "/sign-in/oidc/answer", "/language/{language}", "/healthz",
}  # fmt: skip
SIGNED = "/webhooks/"
EVERYBODY = frozenset(accounts.ROLES)


def kind_of_rule(route: APIRoute) -> frozenset[Role] | None:
    """Whom a page lets in; ``None`` when it says nothing."""
    asked = depends_on(route)
    for rule in asked:
        if isinstance(rule, PageRule):
            return rule.roles
    return (
        EVERYBODY
        if {signed_in, signed_in_with_own_password, signed_in_with_any_password} & set(asked)
        else None
    )


def pages() -> Iterator[APIRoute]:
    for route in routes_of(app):
        inside = isinstance(route, ApiRoute) or route.path.startswith(SIGNED)
        if not inside and route.path not in OPEN:
            yield route


def test_every_page_has_a_rule_and_takes_only_its_own_forms() -> None:
    seen = 0
    for route in pages():
        seen += 1
        assert kind_of_rule(route) is not None, f"{route.path} has no rule: see web/session.py"
        if route.methods != {"GET"}:
            assert own_form in depends_on(route), f"{route.path} takes forms from anywhere"
    assert seen > 15


def test_every_page_is_in_the_table_of_pages() -> None:
    asked = [re.sub(r"{\w+}", "1", address.partition("?")[0]) for _, address, _ in PAGES]
    routes = list(routes_of(app))
    seen = {first_of(routes, address) for address in asked}
    shown = {r.path for r in routes_of(app) if "GET" in (r.methods or ()) and not_a_program(r)}
    assert shown - seen - PARTS == set(), "add the page to tests/web/pages.py"
    assert PARTS - shown == set()
    named = {name for _, address, _ in PAGES for name in re.findall(r"{(\w+)", address)}
    assert named <= PLACES, "benchmarks/pages.py asks every page with a million claims: say where"


def test_the_manual_shows_every_page_in_both_languages() -> None:
    pictures = ROOT / "docs" / "images" / "console"
    manual = (ROOT / "docs" / "how-to" / "use-the-console.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(\.\./images/console/([\w-]+\.\w\w\.png)\)", manual)
    wanted = sorted(f"{name}.{language}.png" for name, _, _ in PAGES for language in LANGUAGES)
    assert sorted(shown) == wanted, "a section of the manual for each page"
    assert sorted(each.name for each in pictures.iterdir()) == wanted, "make screenshots"


def first_of(routes: list[APIRoute], address: str) -> str:
    """The route that answers for an address."""
    scope = {"type": "http", "method": "GET", "path": address}
    return next(route.path for route in routes if route.matches(scope)[0] is Match.FULL)


def not_a_program(route: APIRoute) -> bool:
    return not isinstance(route, ApiRoute) and not route.path.startswith(SIGNED)


def test_what_is_no_route_with_rules_is_signed_or_a_file() -> None:
    plain = [route.path for route in app.routes if type(route) in (Route, Mount)]
    assert [path for path in plain if not path.startswith(SIGNED)] == ["/static"]


def test_every_route_of_the_api_has_a_rule_and_says_it() -> None:
    seen = 0
    for route in routes_of(app):
        if route.path.startswith("/api/"):
            seen += 1
            assert isinstance(route, ApiRoute), f"{route.path}: its router is no api_router"
            asked = depends_on(route)
            found = [rule for rule in asked if isinstance(rule, Rule)]
            assert found or with_any_token in asked, f"{route.path} has no rule: web/api_base.py"
            for method in route.methods or ():
                said = description(app)["paths"][route.path][method.lower()]
                assert said["x-roles"] == sorted(r.value for rule in found for r in rule.roles)
    assert seen > 3


def test_every_command_has_a_rule_and_no_rule_is_of_no_command() -> None:
    named = {path for path, _ in rules.commands(_assemble())}
    assert named - set(rules.RULES) == set(), "add the command to cli/rules.py"
    assert set(rules.RULES) - named == set()


def filled(route: APIRoute) -> str:
    """The route's address with something in every place."""
    found: dict[str, Any] = {}
    for place in route.dependant.path_params:
        kind = place.field_info.annotation
        if kind is UUID:
            found[place.name] = UUID(int=0)
        elif kind is int:
            found[place.name] = 0
        elif isinstance(kind, type) and issubclass(kind, str) and hasattr(kind, "__members__"):
            found[place.name] = next(iter(kind.__members__.values())).value  # type: ignore[attr-defined]
        else:
            found[place.name] = "x"
    # a place that a rule reads, not the function itself, is a number
    for name in re.findall(r"{(\w+)", route.path):
        found.setdefault(name, 0)
    return route.path.format(**found)


def ask(door: Door, method: str, path: str, body: str, headers: dict[str, str]) -> int:
    """The status of an answer that is not read: some have no end."""
    address = urlsplit(door.stack.web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.request(method, path, body or None, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def session(service: Service, role: Role) -> dict[str, str]:
    """Somebody in this role who has signed in: what their browser sends."""
    name = f"a-{role.value.replace('_', '-')}"
    with service.engine.begin() as connection:
        known = connection.scalar(text("SELECT id FROM user_account WHERE name = :n"), {"n": name})
    if known is None:
        accounts.add(service, ADMINISTRATOR, name, name, role)
    with service.engine.begin() as connection:
        known = connection.scalar(
            text("UPDATE user_account SET must_change = false WHERE name = :n RETURNING id"),
            {"n": name},
        )
        cookie = sessions.open_session(connection, known or 0, "", "")
    found = sessions.resume(service, cookie)
    assert found is not None
    return {"cookie": f"session={cookie}", "token": found.form_token}


def test_doors_let_in_whom_their_rule_names(floor: Floor, door: Door) -> None:
    assert wrongly_answered_pages(floor, door) == []
    assert wrongly_answered_calls(floor, door) == []


def wrongly_answered_pages(floor: Floor, door: Door) -> list[tuple[object, ...]]:
    wrong: list[tuple[object, ...]] = []
    for role in accounts.ROLES:
        who = session(floor.service, role)
        for route in pages():
            allowed = kind_of_rule(route) or frozenset()
            for method in route.methods or ():
                if route.path == "/sign-out":
                    continue  # this session is needed for the others
                headers = {"Cookie": who["cookie"], "Accept": "text/html"}
                body = ""
                if method != "GET":
                    headers["Content-Type"] = "application/x-www-form-urlencoded"
                    body = urlencode({"form_token": who["token"]})
                status = ask(door, method, filled(route), body, headers)
                if (status == 403) == (role in allowed) or status >= 500:
                    wrong.append((role.value, method, route.path, status))
    return wrong


def wrongly_answered_calls(floor: Floor, door: Door) -> list[tuple[object, ...]]:
    wrong: list[tuple[object, ...]] = []
    everything = frozenset(Scope)
    for role in (role for role in accounts.ROLES if role is not Role.ADMINISTRATOR):
        held = {
            scopes: tokens.issue(floor.service, ADMINISTRATOR, "test", role, scopes, 1)
            for scopes in [everything, *(everything - {scope} for scope in Scope)]
        }
        for route in routes_of(app):
            if not isinstance(route, ApiRoute):
                continue
            named = [rule for rule in depends_on(route) if isinstance(rule, Rule)]
            for method in route.methods or ():
                # a scope is asked for whatever the role is: once is enough
                scopes = named if role is Role.STAFF else []
                for lacking in {frozenset[Scope](), *(frozenset({r.scope}) for r in scopes)}:
                    allowed = not lacking and all(role in rule.roles for rule in named)
                    headers = {
                        "Authorization": f"Bearer {held[everything - lacking]}",
                        "Content-Type": "application/json",
                    }
                    body = "" if method == "GET" else "{}"
                    status = ask(door, method, filled(route), body, headers)
                    if (status == 403) == allowed or status >= 500 or status == 401:
                        wrong.append((role.value, sorted(lacking), method, route.path, status))
    return wrong


def test_somebody_with_an_account_acts_as_it_has_them(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    monkeypatch.setattr("contact_service.cli.common.settings", lambda: floor.service.settings)
    accounts.add(floor.service, ADMINISTRATOR, "mori", "森", Role.EVALUATOR)
    whole: typer.Typer = _assemble()

    def run(*words: str, who: str) -> tuple[int, str]:
        monkeypatch.setenv("CONTACT_ACTOR", who)
        done = CliRunner().invoke(whole, list(words))
        return done.exit_code, f"{done.output}{done.exception}"

    assert run("campaign", "status", who="mori")[0] == 0
    code, said = run("user", "list", who="mori")
    assert (code, "必要な役割: auditor" in said) == (1, True)
    assert run("stop-all", who="mori")[0] == 1
    assert floor.ledger.one("SELECT count(*) FROM stop_switch") == 0
    assert run("user", "list", who="nobody-known")[0] == 0
    accounts.disable(floor.service, ADMINISTRATOR, "mori")
    assert "停止されています" in run("campaign", "status", who="mori")[1]
