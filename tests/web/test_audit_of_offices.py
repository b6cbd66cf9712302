"""An auditor of one office (所管課) sees that other offices did something, and not what their people
wrote of it in their own words: on the page, by the API and by the command alike."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from typer.main import get_command

from contact_service.cli import _assemble
from contact_service.dispatch.switches import pause_provider, set_switch
from contact_service.domain.actors import Role
from contact_service.identity import accounts, tokens
from contact_service.identity.tokens import Scope
from contact_service.people.opening import OpenReason, open_person
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.identity.offices import HEALTH, NURSERY, debtor, of
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "debtor", "door", "door_settings", "floor"]

NOTE, WHY = "受付45123", "国保の苦情のため"


@pytest.mark.parametrize(("office", "told"), [(NURSERY, False), (HEALTH, True), ("*", True)])
def test_what_another_office_wrote_is_left_out_of_its_lines(
    floor: Floor,
    door: Door,
    debtor: int,
    monkeypatch: pytest.MonkeyPatch,
    office: str,
    told: bool,
) -> None:
    service = floor.service
    goto = of(floor, HEALTH, Role.STAFF)
    open_person(service, goto, debtor, OpenReason.OTHER, NOTE)
    set_switch(service.engine, goto, "all", WHY, floor.clock.now(), [])

    with service.engine.begin() as connection:  # the service itself speaks to all
        pause_provider(connection, "main", "認証に失敗", floor.clock.now())

    page = signed_in(floor, door, "ai", Role.AUDITOR, office).open("/audit").page
    held = tokens.issue(
        service, ADMINISTRATOR, "siem", Role.AUDITOR, frozenset({Scope.AUDIT_READ}), 1, office
    )
    status, listed = door.ask("GET", "/api/audit", "", {"Authorization": f"Bearer {held}"})
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    accounts.add(service, ADMINISTRATOR, "aud", "x", Role.AUDITOR, office)
    monkeypatch.setenv("CONTACT_ACTOR", "aud")
    command = get_command(_assemble())
    exported = CliRunner().invoke(command, ["audit", "export"]).output
    syslog = CliRunner().invoke(command, ["audit", "export", "--format", "syslog"]).output
    for text in (page, listed, exported, syslog):
        assert (NOTE in text, WHY in text) == (told, told)
        assert "認証に失敗" in text
        assert f"debtor:{debtor}" in text and "switch.set" in text  # the lines themselves stay
    assert status == 200
    lines = {
        one["action"]: one["details"]
        for one in json.loads(listed)["items"]
        if one["role"] != "system"
    }
    assert lines["person.open"] == {"reason": "other", "note": NOTE if told else None}
    assert lines["switch.set"] == {"reason": WHY if told else None}
    # what proves the lines is of the whole of them, whoever asks
    verified = CliRunner().invoke(command, ["audit", "verify", "--json"])
    assert (verified.exit_code, json.loads(verified.output)["faults"]) == (0, [])
