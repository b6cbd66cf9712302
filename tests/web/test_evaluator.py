"""Evaluators see nobody's name and nobody's number: every page, every answer of the API, every report
file and every command that is open to them, over people who are known by both."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from click.testing import CliRunner
from typer.main import get_command

from contact_service.cli import _assemble, rules
from contact_service.domain.actors import Role
from contact_service.evaluation.rows_counted import Figure
from contact_service.identity import accounts, tokens
from contact_service.identity.tokens import Scope
from contact_service.web.api_base import ApiRoute, Rule
from contact_service.web.api_docs import depends_on, routes_of
from contact_service.web.app import app
from tests.dispatch.conftest import floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import mobile
from tests.web.offices import Asking, asking
from tests.web.people import signed_in
from tests.web.test_doors import door, door_settings
from tests.web.test_other_office_commands import COMMANDS, LISTS
from tests.web.test_records import work as report_work
from tests.web.test_rules import filled, kind_of_rule, pages

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]

#: Everybody's name in the ledger, and their numbers however they are written.
NAME = "太郎"
NUMBERS = [
    form
    for n in range(14)
    for digits in [mobile(n)[3:]]
    for form in (digits, f"{digits[:2]}-{digits[2:6]}-{digits[6:]}")
]


def told(content: bytes) -> list[str]:
    """Whose name or number is in what was answered; a workbook is unpacked."""
    if content[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
    text = content.decode("utf-8", "replace")
    text += re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return [mark for mark in (NAME, quote(NAME), *NUMBERS) if mark in text]


def test_no_page_file_or_answer_tells_an_evaluator_who(asking: Asking) -> None:
    floor, door = asking.floor, asking.door
    opened = signed_in(floor, door, "sumi", Role.STAFF).open("/people")
    opened.open(f"/people/{asking.places['opened']}")
    opened.send(f"/people/{asking.places['opened']}/open", reason="check")
    assert NAME in opened.page and told(opened.page.encode())  # there is something to be seen
    evaluator = signed_in(floor, door, "eva", Role.EVALUATOR).open("/reports")
    evaluator.send(f"/reports/{asking.places['run']}")
    floor.ledger.run("DELETE FROM job WHERE kind = 'import' AND state = 'waiting'")
    report_work(floor, door.stack.settings)
    job = floor.ledger.one(
        "SELECT id FROM job WHERE kind = 'report' ORDER BY asked_at DESC LIMIT 1"
    )
    addresses = [f"/reports/files/{job}/report.{form}" for form in ("html", "json", "xlsx")]
    for route in pages():
        if Role.EVALUATOR in (kind_of_rule(route) or ()) and "GET" in (route.methods or ()):
            places = [place.name for place in route.dependant.path_params]
            known = all(place in asking.places for place in places)
            addresses.append(route.path.format_map(asking.places) if known else filled(route))
    found: list[tuple[str, int, list[str]]] = []
    answered = 0
    for address in addresses:
        status, content = evaluator.fetch(address)
        answered += status == 200
        if marks := told(content):
            found.append((address, status, marks))
    held = tokens.issue(
        floor.service, ADMINISTRATOR, "eva", Role.EVALUATOR, frozenset(Scope), 1
    )  # fmt: skip
    for route in routes_of(app):
        asked = [rule for rule in depends_on(route) if isinstance(rule, Rule)]
        if not isinstance(route, ApiRoute) or any(Role.EVALUATOR not in r.roles for r in asked):
            continue
        known = all(place.name in asking.places for place in route.dependant.path_params)
        path = route.path.format_map(asking.places) if known else filled(route)
        for method in route.methods or ():
            answer = requests.request(
                method, door.stack.web_url + path, timeout=30,
                headers={"Authorization": f"Bearer {held}"}, json=None if method == "GET" else {},
            )  # fmt: skip
            answered += answer.status_code == 200
            if marks := told(answer.content):
                found.append((f"{method} {path}", answer.status_code, marks))
    assert found == []
    assert answered >= 25, answered


def test_no_command_tells_an_evaluator_who(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = asking.floor.service
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "eva")
    monkeypatch.chdir(tmp_path)
    accounts.add(service, ADMINISTRATOR, "eva", "eva", Role.EVALUATOR)
    places = {**asking.places, "folder": str(tmp_path), "definition": ""}
    whole = get_command(_assemble())
    more = [("report rows", f"{{run}} {figure}") for figure in Figure]
    more += [("centre load", ""), ("centre forecast", ""), ("report load", "")]
    ran = 0
    for command, words in [*COMMANDS.items(), *((each, "") for each in LISTS), *more]:
        if Role.EVALUATOR in rules.RULES[command]:
            done = CliRunner().invoke(whole, [*command.split(), *words.format_map(places).split()])
            ran += done.exit_code == 0
            assert told(done.output.encode()) == [], (command, words)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert told(file.read_bytes()) == [], file
    assert ran >= 12, ran
