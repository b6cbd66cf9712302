"""Somebody of another office (所管課) gives every command with the identifiers of an office's people,
campaigns and contacts: each is refused, tells nothing, and no table changes.

A new command is a row of :data:`COMMANDS` or :data:`LISTS`, or says in :data:`NOBODYS` why it names
nothing that is an office's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

from contact_service.cli import _assemble, rules
from contact_service.domain.actors import Role
from contact_service.identity import accounts
from tests.dispatch.conftest import floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import definition
from tests.web.offices import NURSERY, Asking, asking
from tests.web.test_doors import door, door_settings
from tests.web.world import TITLE

__all__ = ["_quick_hashes", "asking", "door", "door_settings", "floor"]

TEXT = definition(arms=[{"name": "contact"}], title="秋の催告").model_dump_json()
#: Commands, with the identifiers of another office's.
COMMANDS: Mapping[str, str] = {
    "person export": "{code} --output {folder}/person.json",
    "person hold": "{code} --reason x",
    "person release": "{code}",
    "bulk-access decide": "{asked_id} --refuse",
    "campaign submit": "{definition}",
    "campaign approve": "{key}@2 --yes",
    "campaign send-back": "{key}@2 --reason x",
    "campaign withdraw": "{key}@2 --reason x",
    "campaign schedule": "{key}@1 --first-day 2026-12-07",
    "campaign start": "{run}",
    "campaign pause": "{run} --reason x",
    "campaign resume": "{run}",
    "campaign stop": "{run} --reason x",
    "campaign history": "{key}",
    "campaign preview": "{definition} --first-day 2026-12-07",
    "campaign settle": "{unknown} --taken --reason x",
    "campaign letters": "{run} --step letters",
    "report trial": "{run} --output {folder}/trial.html",
    "report run": "{run} --output {folder}/run",
    "report rows": "{run} claims",
    "report by": "kinds {run}",
    "library add": "{run} --lessons x",
    "trial replay": "{run}",
}
#: Commands that name nothing and tell of the own office alone.
LISTS = (
    "bulk-access list", "campaign status", "campaign unknown", "campaign list", "report collection",
    "report trial", "report rows", "report run", "trial replay", "intake unmatched",
)  # fmt: skip
_MACHINE = "of whoever runs the machine"
_FILE = "a file of whoever gives the command"
#: The others, and why.
NOBODYS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "doctor", "up", "trunk", "demo", "migrate", "certificate", "user add", "user reset", "user disable",
            "user enable", "user assign", "user sign-out",
            "user list", "retention run", "keys list", "keys rotate", "keys rotate-index", "keys resume", "keys retire",
            "audit verify", "audit export", "token issue", "token list", "token revoke",
            "stop-all", "resume-all",
        ),
        _MACHINE,
    ),
    **dict.fromkeys(
        (
            "campaign check", "campaign explain", "campaign diff", "campaign fields",
            "campaign schema", "trial estimate", "trial power proportions", "trial power means",
            "trial power time", "audio check", "audio convert", "audio speak", "centre staffing",
        ),
        _FILE,
    ),
    **dict.fromkeys(
        ("intake claims", "intake payments", "intake restrictions", "intake calls"),
        "takes in the own kinds alone: tests/web/test_other_office.py",
    ),
    **dict.fromkeys(
        ("library list", "library search", "library show", "library copy"),
        "lessons are shown to every office",
    ),
    "campaign calendar": "days and counts, no names: tests/web/test_other_office.py",
    "bulk-access ask": "a wish: what was granted is asked for again where it is used",
    **dict.fromkeys(
        ("report load", "centre load", "centre forecast", "centre shift"),
        "counts of the whole centre's calls; names: tests/web/test_other_office.py",
    ),
}  # fmt: skip


#: What somebody is told for whom it is not there.
NOT_THEIRS = (
    "not of the office", "another office", "there is no run", "there is no campaign",
    "nobody has the code", "decided already", "nobody has to decide", "not held",
)  # fmt: skip


def test_every_command_says_what_of_an_office_it_names() -> None:
    named = {path for path, _ in rules.commands(_assemble())}
    said = set(COMMANDS) | set(LISTS) | set(NOBODYS)
    assert named - said == set(), "add it to COMMANDS or LISTS, or to NOBODYS and why"
    assert said - named == set()


def test_no_command_tells_or_changes_anything_of_another_office(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = asking.floor.service
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    own = tmp_path / "own.yaml"
    own.write_text(TEXT, encoding="utf-8")
    places = {**asking.places, "folder": str(tmp_path), "definition": str(own)}
    whole = get_command(_assemble())
    asking.floor.ledger.run(  # calls of nobody known, by a file
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "deduplication_key, source_file_id, source_line) SELECT 'operator', 'outbound', now(), 1, "
        "1, 'talked', 'k' || id, id, 7 FROM source_file"
    )
    names = [str(name) for (name,) in asking.floor.ledger.rows("SELECT name FROM source_file")]
    assert names
    secret = (TITLE, places["code"], places["key"], *names)
    for role in Role:
        if role is not Role.SYSTEM:
            accounts.add(service, ADMINISTRATOR, f"o-{role}", "x", role, NURSERY)
            accounts.add(service, ADMINISTRATOR, f"a-{role}", "x", role)

    def run(command: str, words: str, who: str) -> tuple[int, str]:
        monkeypatch.setenv("CONTACT_ACTOR", who)
        done = CliRunner().invoke(whole, [*command.split(), *words.format_map(places).split()])
        return done.exit_code, f"{done.output}{done.exception}"

    wrong: list[tuple[object, ...]] = []
    before = asking.digest()
    for command, words in [*COMMANDS.items(), *((each, "") for each in LISTS)]:
        for role in rules.RULES[command]:
            code, said = run(command, words, f"o-{role}")
            given = words.format_map(places)  # what somebody has typed is told them again
            told = [mark for mark in secret if mark in said and mark not in given]
            if told or (words and code not in (1, 2)) or "Traceback" in said:
                wrong.append((command, role.value, code, told, said[-300:]))
        after = asking.digest()
        if changed := {name for name in after if after[name] != before[name]}:
            wrong.append((command, "changed", sorted(changed)))
        before = after
    assert not wrong, "\n".join(map(str, wrong))
    # to who sees every office it is there
    for command, mark in (("campaign unknown", places["key"]), ("intake unmatched", names[0])):
        assert mark in run(command, "", f"a-{rules.RULES[command][0]}")[1]
    for command, words in COMMANDS.items():
        code, said = run(command, words, f"a-{rules.RULES[command][0]}")
        if code and any(word in said for word in NOT_THEIRS):
            wrong.append((command, code, said[-300:]))
    assert not wrong, "\n".join(map(str, wrong))
