"""Nobody's name or number is on a screen, in an answer, in a file or at a shell unless it is written
down who saw it: every page, every operation and every command, asked by everybody who may."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import requests
from click import Command
from click.testing import CliRunner
from typer.main import get_command

from contact_service.cli import _assemble, rules
from contact_service.domain.actors import Actor, Role
from contact_service.identity import accounts
from contact_service.people.search import LISTED
from contact_service.retention.subject_access import subject_access
from tests.dispatch.conftest import floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.browser import Browser
from tests.web.offices import Asking, asking
from tests.web.people import signed_in
from tests.web.test_doors import door, door_settings
from tests.web.test_evaluator import Marks, answers_of_api, pages_of, token_of
from tests.web.test_other_office_commands import COMMANDS, LISTS

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]


def recorded(asking: Asking, name: str, after: int = 0) -> set[str]:
    """What it is said that somebody has seen or done."""
    rows = asking.floor.ledger.rows(
        "SELECT action || ' ' || subject FROM audit_log WHERE actor = :name AND id > :after",
        name=name, after=after,
    )  # fmt: skip
    return {str(row[0]) for row in rows}


def seen(asking: Asking, name: str) -> set[str]:
    """Of whom it is written that somebody has seen them, and not masked."""
    lines = recorded(asking, name)
    return {line for line in lines if " debtor:" in line and not line.startswith(LISTED)}


def test_no_page_and_no_operation_shows_who_was_not_opened(asking: Asking) -> None:
    """Whoever has opened nobody sees nobody; after opening one, that one's page shows them, and it
    is written down before."""
    marks = Marks.of(asking.floor)
    answered: list[int] = []
    for role in accounts.ROLES:
        looks = signed_in(asking.floor, asking.door, f"looks-{role}", role)
        shown = [(address, *looks.fetch(address)) for address in pages_of(asking, role)]
        if role is not Role.ADMINISTRATOR:  # no token has it
            held = token_of(asking, role)
            shown += answers_of_api(asking, role, held, {"GET"})
            if role is Role.STAFF:
                _opens(asking, marks, looks, held)
        told = [(what, marks.told(content)) for what, _, content in shown if marks.told(content)]
        assert (role, told) == (role, [])
        answered.append(sum(status == 200 for _, status, _ in shown))
    assert min(answered) > 5 and sum(answered) > 250, answered


def by_token(asking: Asking, held: str, method: str, path: str) -> tuple[int, bytes]:
    answer = requests.request(
        method, asking.door.stack.web_url + path, timeout=60,
        headers={"Authorization": f"Bearer {held}"}, json={"reason": "check"},
    )  # fmt: skip
    return answer.status_code, answer.content


def _opens(asking: Asking, marks: Marks, looks: Browser, held: str) -> None:
    person = asking.places["opened"]
    page = looks.open("/people").open(f"/people/{person}")
    assert marks.told(page.page.encode()) == [] and seen(asking, "looks-staff") == set()
    page.send(f"/people/{person}/open", reason="check")
    assert marks.told(page.page.encode()) != []
    assert seen(asking, "looks-staff") == {f"person.open debtor:{person}"}
    assert by_token(asking, held, "POST", f"/api/people/{person}/open")[0] < 300
    assert marks.told(by_token(asking, held, "GET", f"/api/people/{person}")[1]) != []
    assert seen(asking, "token:of-staff") == {f"person.open debtor:{person}"}


def test_whoever_is_given_somebody_at_the_desk_is_written_down(asking: Asking) -> None:
    marks = Marks.of(asking.floor)
    person = asking.places["at_the_desk"]
    assert marks.told(asking.operator.open("/desk").page.encode()) != []
    assert f"person.shown {asking.places['held']}" in recorded(asking, "sato")
    # and whoever asks what is kept of them is told of it
    code = asking.floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=int(person))
    told = subject_access(asking.floor.service, Actor("abe", Role.APPROVER), str(code))
    assert ("sato", "person.shown") in {(one["actor"], one["action"]) for one in told["looked_at"]}


def test_a_command_that_tells_who_writes_it_down(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever may do everything: what a command prints or writes with a name in it, and what it
    has said of that."""
    service = asking.floor.service
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "admin")
    folder = tmp_path / "written"
    folder.mkdir()
    monkeypatch.chdir(folder)
    accounts.add(service, ADMINISTRATOR, "admin", "admin", Role.ADMINISTRATOR)
    places = {**asking.places, "folder": str(folder), "definition": ""}
    whole = cast(Command, get_command(_assemble()))
    marks = Marks.of(asking.floor)
    tells: dict[str, set[str]] = {}
    export = [("person export", f"{{code}} --output {folder}/her.json")]
    for command, words in [*export, *COMMANDS.items(), *((each, "") for each in LISTS)]:
        before = asking.floor.ledger.one("SELECT max(id) FROM audit_log")
        done = CliRunner().invoke(whole, [*command.split(), *words.format_map(places).split()])
        written = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
        for file in folder.rglob("*"):
            if file.is_file():
                file.unlink()
        if marks.told(done.output.encode() + written):
            tells[command] = recorded(asking, "admin", int(str(before)))
    assert set(tells) <= set(rules.RULES)
    assert tells["person export"] == {f"person.disclosed debtor:{asking.places['person']}"}
    assert [command for command, lines in tells.items() if not lines] == []
