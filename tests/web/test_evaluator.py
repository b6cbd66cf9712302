"""Evaluators see nobody's name and nobody's number: every page, every answer of the API, every report
file and every command that is open to them, over people who are known by both."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from click.testing import CliRunner
from fastapi.routing import APIRoute
from typer.main import get_command

from contact_service.cli import _assemble, rules
from contact_service.domain.actors import Role
from contact_service.evaluation.rows_counted import Figure
from contact_service.identity import accounts, tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import ApiRoute, Rule
from contact_service.web.api_docs import depends_on, routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.offices import Asking, asking
from tests.web.people import signed_in
from tests.web.test_doors import door, door_settings
from tests.web.test_other_office_commands import COMMANDS, LISTS
from tests.web.test_records import work as report_work
from tests.web.test_rules import filled, kind_of_rule, pages

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]


#: The number in every example of the reference; the world's file has it, too.
EXAMPLE = "9012345678"


@dataclass(frozen=True)
class Marks:
    """Everybody's name, kana and numbers in the ledger, however they are written."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, floor: Floor) -> Marks:
        opened, found = floor.service.vault.open, set[str]()
        for column in ("name", "name_kana"):
            for (sealed,) in floor.ledger.rows(f"SELECT {column} FROM debtor"):
                if sealed:
                    name = opened(f"debtor.{column}", bytes(sealed))  # type: ignore[call-overload]
                    found |= {name, "".join(name.split())}
                    found |= {part for part in name.split() if len(part) > 1}
        for (sealed,) in floor.ledger.rows("SELECT number FROM phone"):
            digits = opened("phone.number", bytes(sealed))[3:]  # type: ignore[call-overload]
            if digits != EXAMPLE:
                found |= {digits, f"{digits[:2]}-{digits[2:6]}-{digits[6:]}"}
        return cls(tuple(sorted(found)))

    def told(self, content: bytes) -> list[str]:
        """Whose name or number is in what was answered; a workbook is unpacked."""
        if content[:4] == b"PK\3\4":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        text = content.decode("utf-8", "replace")
        text += re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
        return [word for word in self.words if word in text or quote(word) in text]


def pages_of(asking: Asking, role: Role) -> list[str]:
    """The address of every page that is open to a role, about what is in the world."""
    return [
        _address(asking, route) for route in pages()
        if role in (kind_of_rule(route) or ()) and "GET" in (route.methods or ())
    ]  # fmt: skip


def token_of(asking: Asking, role: Role) -> str:
    return tokens.issue(
        asking.floor.service, ADMINISTRATOR, f"of-{role}", role, frozenset(Scope), 1
    )  # fmt: skip


def answers_of_api(
    asking: Asking, role: Role, held: str, methods: Collection[str] | None = None
) -> Iterator[tuple[str, int, bytes]]:
    """What every operation that is open to a role answers to the token ``held``: what was asked,
    status, content."""
    for route in routes_of(app):
        asked = [rule for rule in depends_on(route) if isinstance(rule, Rule)]
        if not isinstance(route, ApiRoute) or any(role not in rule.roles for rule in asked):
            continue
        path = _address(asking, route)
        for method in (route.methods or set()) & (methods or route.methods or set()):
            answer = requests.request(
                method, asking.door.stack.web_url + path, timeout=60,
                headers={"Authorization": f"Bearer {held}"}, json=None if method == "GET" else {},
            )  # fmt: skip
            yield f"{method} {path}", answer.status_code, answer.content


def _address(asking: Asking, route: APIRoute) -> str:
    known = all(place.name in asking.places for place in route.dependant.path_params)
    return route.path.format_map(asking.places) if known else filled(route)


def test_no_page_file_or_answer_tells_an_evaluator_who(asking: Asking) -> None:
    floor, door = asking.floor, asking.door
    opened = signed_in(floor, door, "sumi", Role.STAFF).open("/people")
    opened.open(f"/people/{asking.places['opened']}")
    opened.send(f"/people/{asking.places['opened']}/open", reason="check")
    marks = Marks.of(floor)
    assert len(marks.words) > 25
    assert len(marks.told(opened.page.encode())) >= 2  # there is something to be seen
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open("/reports")
    evaluator.send(f"/reports/{asking.places['run']}")
    floor.ledger.run("DELETE FROM job WHERE kind = 'import' AND state = 'waiting'")
    report_work(floor, door.stack.settings)
    job = floor.ledger.one(
        "SELECT id FROM job WHERE kind = 'report' ORDER BY asked_at DESC LIMIT 1"
    )
    addresses = [f"/reports/files/{job}/report.{form}" for form in ("html", "json", "xlsx")]
    addresses += pages_of(asking, Role.EVALUATOR)
    found: list[tuple[str, int, list[str]]] = []
    answered = 0
    for address in addresses:
        status, content = evaluator.fetch(address)
        answered += status == 200
        if words := marks.told(content):
            found.append((address, status, words))
    for asked, status, content in answers_of_api(
        asking, Role.EVALUATOR, token_of(asking, Role.EVALUATOR)
    ):
        answered += status == 200
        if words := marks.told(content):
            found.append((asked, status, words))
    assert found == []
    assert answered >= 25, answered


def test_no_command_tells_an_evaluator_who(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = asking.floor.service
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "eva")
    folder = tmp_path / "written"
    folder.mkdir()
    monkeypatch.chdir(folder)
    accounts.add(service, ADMINISTRATOR, "eva", "eva", Role.EVALUATOR)
    places = {**asking.places, "folder": str(folder), "definition": ""}
    whole = get_command(_assemble())
    more = [("report rows", f"{{run}} {figure}") for figure in Figure]
    more += [("centre load", ""), ("centre forecast", ""), ("report load", "")]
    marks, ran = Marks.of(asking.floor), 0
    for command, words in [*COMMANDS.items(), *((each, "") for each in LISTS), *more]:
        if Role.EVALUATOR in rules.RULES[command]:
            done = CliRunner().invoke(whole, [*command.split(), *words.format_map(places).split()])
            ran += done.exit_code == 0
            assert marks.told(done.output.encode()) == [], (command, words)
    for file in folder.rglob("*"):
        if file.is_file():
            assert marks.told(file.read_bytes()) == [], file
    assert ran >= 12, ran
