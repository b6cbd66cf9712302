"""Every command as every role: whom its rule does not name is refused before anything is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from typer.main import get_command

from contact_service.bootstrap import Service
from contact_service.cli import _assemble, rules
from contact_service.domain.actors import allowed
from contact_service.identity import accounts
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes

__all__ = ["_quick_hashes", "floor"]

NOBODY = "00000000-0000-0000-0000-000000000000"
#: What is said to each command that asks for something.
WORDS: Mapping[str, str] = {
    "user add": "x --role staff", "user reset": "x", "user disable": "x", "user enable": "x",
    "user assign": "x --role staff", "user sign-out": "x",
    "person export": "1 --output x.json", "person hold": "1 --reason x", "person release": "1",
    "bulk-access ask": "open_many --reason x", "bulk-access decide": "1 --grant",
    "keys retire": "1", "token issue": "x --role staff --scope centre", "token revoke": "1",
    "intake claims": "x.csv", "intake payments": "x.csv", "intake restrictions": "x.csv",
    "intake calls": "x.csv", "campaign submit": "three-arm-trial", "campaign approve": "x --yes",
    "campaign send-back": "x --reason x", "campaign withdraw": "x --reason x",
    "campaign schedule": "x --first-day 2026-12-07", "campaign start": NOBODY,
    "campaign pause": f"{NOBODY} --reason x", "campaign resume": NOBODY,
    "campaign stop": f"{NOBODY} --reason x", "campaign history": "x",
    "campaign preview": "three-arm-trial --first-day 2026-12-07",
    "campaign settle": f"{NOBODY} --taken", "campaign letters": f"{NOBODY} --step x",
    "report by": "kinds", "library add": f"{NOBODY} --lessons x", "library search": "x",
    "library show": "1", "library copy": "1 x",
}  # fmt: skip
#: They read a file of whoever gives the command and compute, or start the machine: no service is
#: asked, so there is no account either.
WITHOUT_A_SERVICE = frozenset({
    "doctor", "up", "trunk", "demo", "migrate", "certificate", "campaign check", "campaign explain",
    "campaign diff", "campaign list", "campaign fields", "campaign schema", "trial estimate",
    "trial power proportions", "trial power means", "trial power time", "audio check",
    "audio convert", "audio speak", "centre staffing",
})  # fmt: skip


def test_whom_no_rule_names_is_refused_by_every_command(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def running(_: object) -> Iterator[Service]:
        yield floor.service

    monkeypatch.setattr("contact_service.cli.common.running", running)
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: floor.service.settings)
    whole, refused, wrong = get_command(_assemble()), 0, []
    for role in accounts.ROLES:
        accounts.add(floor.service, ADMINISTRATOR, f"a-{role}", "x", role)
    written = floor.ledger.one("SELECT count(*) FROM audit_log")
    for command, roles in rules.RULES.items():
        if command in WITHOUT_A_SERVICE:
            continue
        for role in accounts.ROLES:
            if allowed(role, roles):
                continue
            monkeypatch.setenv("CONTACT_ACTOR", f"a-{role}")
            words = [*command.split(), *WORDS.get(command, "").split()]
            done = CliRunner().invoke(whole, words)
            refused += 1
            said = f"{done.output}{done.exception}"
            if done.exit_code != 1 or "必要な役割" not in said:
                wrong.append((command, role.value, done.exit_code, said[-200:]))
    assert not wrong, "\n".join(map(str, wrong))
    assert refused > 150
    assert floor.ledger.one("SELECT count(*) FROM audit_log") == written


def test_tables_name_commands_that_there_are() -> None:
    assert set(WORDS) | WITHOUT_A_SERVICE <= set(rules.RULES)
