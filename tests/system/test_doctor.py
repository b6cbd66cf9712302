"""The doctor says what is there, what is wrong and what to do, and tells no secret."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner, Result

from contact_service import doctor
from contact_service import settings as settings_module
from contact_service.bootstrap import wire
from contact_service.cli import doctor as door
from contact_service.cli import migrate as migrate_door
from contact_service.dispatch.switches import set_switch
from contact_service.doctor import machine, stops
from contact_service.doctor.described import configuration
from contact_service.doctor.findings import Finding, Level
from contact_service.doctor.parts import BEAT_SECONDS
from contact_service.domain.actors import SYSTEM, Actor, NotAllowed, Role
from contact_service.embedded.process import free_port
from contact_service.settings import Settings
from contact_service.store.crypto import create_keys
from contact_service.store.engine import connect


@pytest.fixture
def here(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of this test alone: its own state folder, ports where nobody listens."""
    create_keys(tmp_path / "keys.json")
    (tmp_path / "carrier-token").write_text("secret-of-the-carrier")
    return settings.model_copy(
        update={
            "state_dir": tmp_path,
            "web_port": free_port(),
            "carrier_url": f"http://127.0.0.1:{free_port()}",
        }
    )


def _found(settings: Settings, subject: str) -> Finding:
    found = {finding.subject: finding for finding in doctor.examine(SYSTEM, settings)}
    return found[subject]


def test_a_sound_deployment_without_processes_has_nothing_wrong(here: Settings) -> None:
    levels = {finding.subject: finding.level for finding in doctor.examine(SYSTEM, here)}
    assert levels == {
        "state folder": Level.OK,
        "keys": Level.OK,
        "clock": Level.OK,
        "numbering plan": Level.OK,
        "audit log": Level.NOTE,  # the tests own their tables
        "office": Level.OK,
        "PostgreSQL": Level.OK,
        "schema": Level.OK,
        "Valkey": Level.OK,
        "carrier simulated": Level.NOTE,
        "stopped": Level.OK,
        "web": Level.NOTE,
        "workers": Level.NOTE,
        "beat": Level.NOTE,
    }


def test_what_is_stopped_is_listed_with_the_reason_and_how_to_go_on(here: Settings) -> None:
    service = wire(here)
    set_switch(service.engine, SYSTEM, "channel:sms", "苦情", service.clock.now(), [])
    service.engine.dispose()
    (found,) = stops.stopped(here)
    assert found.subject == "stopped: channel:sms"
    assert "苦情 (system" in found.detail
    assert found.remedy == "contact-service resume-all --scope channel:sms"


def test_only_an_administrator_may_ask(here: Settings) -> None:
    with pytest.raises(NotAllowed):
        doctor.examine(Actor("somebody", Role.OPERATOR), here)


def test_servers_that_cannot_be_reached_are_wrong_and_the_rest_is_still_looked_at(
    here: Settings,
) -> None:
    away = {
        "database_url": f"postgresql://contact:hunter2@127.0.0.1:{free_port()}/contact",
        "redis_url": f"redis://:hunter2@127.0.0.1:{free_port()}/0",
    }
    found = doctor.examine(SYSTEM, here.model_copy(update=away))
    wrong = [finding for finding in found if finding.level is Level.WRONG]
    assert [finding.subject for finding in wrong] == ["PostgreSQL", "Redis", "workers"]
    assert "CONTACT_DATABASE_URL" in wrong[0].remedy
    assert "CONTACT_REDIS_URL" in wrong[1].remedy
    assert "hunter2" not in repr(found)


def test_an_old_schema_is_wrong_and_migrating_mends_it(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(here)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    schema = _found(here, "schema")
    assert schema.level is Level.WRONG
    assert schema.remedy.endswith("run: contact-service migrate")
    monkeypatch.setattr(migrate_door, "settings", lambda: here)
    for expected in ("migrated", "is current"):
        result = _run(migrate_door.command)
        assert (result.exit_code, expected in result.output) == (0, True)
    assert _found(here, "schema").level is Level.OK
    with engine.connect() as connection:
        actions = connection.execute(text("SELECT action FROM audit_log")).scalars().all()
    engine.dispose()
    assert actions == ["migrate"]


def test_keys_that_others_can_read_or_nobody_can_use_are_wrong(here: Settings) -> None:
    here.keys_path.chmod(0o640)
    assert (_found(here, "keys").level, "0640" in _found(here, "keys").detail) == (
        Level.WRONG,
        True,
    )
    here.keys_path.write_text("{}")
    assert _found(here, "keys").level is Level.WRONG
    here.keys_path.unlink()
    assert _found(here, "keys").level is Level.NOTE


def test_a_driven_clock_is_noted_and_a_lost_one_is_wrong(here: Settings, tmp_path: Path) -> None:
    lost = here.model_copy(update={"clock": f"file:{tmp_path / 'clock.json'}"})
    assert _found(lost, "clock").level is Level.WRONG
    (tmp_path / "clock.json").write_text('{"at": "2026-10-26T01:00:00Z", "since": 0, "rate": 0}')
    clock = _found(lost, "clock")
    assert (clock.level, clock.detail) == (Level.NOTE, "driven, 2026-10-26 10:00:00 JST")


def test_a_state_folder_that_is_none_and_a_full_disk_are_wrong(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    nowhere = here.model_copy(update={"state_dir": tmp_path / "file"})
    assert [f.level for f in machine.state_folder(nowhere)] == [Level.WRONG]
    free = machine.shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(machine, "LITTLE_DISK", free * 2)
    assert [f.level for f in machine.state_folder(here)] == [Level.NOTE]
    monkeypatch.setattr(machine, "LEAST_DISK", free * 2)
    assert [f.level for f in machine.state_folder(here)] == [Level.WRONG]


def test_a_numbering_plan_without_the_060_range_is_wrong(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "NEWEST_MOBILE_RANGE", "+81312345678")
    assert [f.level for f in machine.numbers(here)] == [Level.WRONG]


@pytest.mark.parametrize("change", [{"office_name": " "}, {"office_phone": "03-5432-1111"}])
def test_an_office_without_a_name_or_a_number_is_wrong(
    here: Settings, change: dict[str, str]
) -> None:
    assert [f.level for f in machine.office(here.model_copy(update=change))] == [Level.WRONG]


def test_a_bad_providers_file_is_wrong_and_names_itself(here: Settings, tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text("providers: [{name: x}]")
    carriers = _found(here.model_copy(update={"providers_file": path}), "carriers")
    assert carriers.level is Level.WRONG
    assert str(path) in carriers.detail


def test_a_live_carrier_that_does_not_answer_is_wrong(here: Settings, tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    options = {
        "account_sid": "AC" + "1" * 32,
        "auth_token": "secret-of-the-carrier",
        "base_url": here.carrier_url,
        "from_number": "+81354321111",
    }
    entry = {"name": "main", "adapter": "twilio", "per_second": {"sms": 1}, "options": options}
    path.write_text(json.dumps({"providers": [entry]}))
    carrier = _found(here.model_copy(update={"providers_file": path}), "carrier main")
    assert carrier.level is Level.WRONG
    assert "secret-of-the-carrier" not in repr(carrier)


@pytest.fixture
def health() -> Iterator[tuple[int, list[int]]]:
    """A web application that answers with the status it is told; its port and that status."""
    status = [200]

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0] if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, status
        server.shutdown()
        thread.join()


def test_the_web_application_is_asked_for_its_health(
    here: Settings, health: tuple[int, list[int]]
) -> None:
    port, status = health
    served = here.model_copy(update={"web_port": port})
    assert _found(served, "web").level is Level.OK
    status[0] = 503
    web = _found(served, "web")
    assert web.level is Level.WRONG
    assert "503" in web.detail


def test_a_beat_that_has_not_saved_for_long_is_noted(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "beat").write_text("")
    assert _found(here, "beat").level is Level.OK
    long_ago = time.time() - BEAT_SECONDS - 5
    os.utime(tmp_path / "beat", (long_ago, long_ago))
    assert _found(here, "beat").level is Level.NOTE


def test_secrets_are_masked_wherever_an_address_carries_them() -> None:
    chosen = Settings(
        database_url="postgresql://contact:hunter2@db/contact?password=hunter2",
        redis_url="redis://:hunter2@redis:6379/0",
        api_token="hunter2",  # type: ignore[arg-type]
        _env_file=None,  # type: ignore[call-arg]
    )
    shown = configuration(chosen)
    assert "hunter2" not in repr(shown)
    assert shown["CONTACT_DATABASE_URL"].startswith("postgresql://contact:********@db/contact")
    assert set(shown) == {f"CONTACT_{name.upper()}" for name in Settings.model_fields}


def _run(command: object, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)  # type: ignore[arg-type]
    return CliRunner().invoke(app, list(arguments))


def test_the_command_prints_json_and_exits_by_what_it_found(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "settings", lambda: here)
    result = _run(door.command, "--json")
    assert result.exit_code == 0
    printed = json.loads(result.output)
    assert printed["ok"] is True
    assert printed["servers"] == "configured"
    assert printed["versions"]["contact-service"]
    assert {"subject", "level", "detail", "remedy"} == set(printed["findings"][0])
    here.keys_path.chmod(0o644)
    result = _run(door.command)
    assert result.exit_code == 1
    assert f"chmod 600 {here.keys_path}" in result.output
    assert str(here.database_url) not in result.output


def test_with_nothing_configured_the_embedded_servers_are_started_for_the_look(
    here: Settings, monkeypatch: pytest.MonkeyPatch, running_servers: Settings
) -> None:
    for name in ("CONTACT_DATABASE_URL", "CONTACT_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    # the state folder of the test servers: the command joins those
    alone = here.model_copy(
        update={
            "database_url": None,
            "redis_url": None,
            "state_dir": running_servers.state_dir,
        }
    )
    monkeypatch.setattr(door, "settings", lambda: alone)
    result = _run(door.command, "--json")
    printed = json.loads(result.output)
    assert printed["servers"] == "embedded"
    levels = {item["subject"]: item["level"] for item in printed["findings"]}
    assert (levels["PostgreSQL"], levels["schema"], levels["Valkey"]) == ("ok", "ok", "ok")


def test_servers_that_cannot_start_are_a_finding(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    broken = here.model_copy(update={"database_url": None, "state_dir": tmp_path / "file"})
    monkeypatch.setattr(door, "settings", lambda: broken)
    result = _run(door.command)
    assert result.exit_code == 1
    assert "CONTACT_STATE_DIR" in result.output


def test_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACT_WEB_PORT", "hunter2")
    settings_module.settings.cache_clear()
    result = _run(door.command)
    settings_module.settings.cache_clear()
    assert result.exit_code == 1
    assert "CONTACT_WEB_PORT" in result.output
    assert "hunter2" not in result.output


def test_an_office_that_keeps_no_claims_is_noted_and_stops_nothing(here: Settings) -> None:
    """Whoever works with claims would see none; who keeps accounts or audits needs none."""
    secret = here.state_dir / "oidc-secret"
    secret.write_text("x")
    file = here.state_dir / "oidc.yaml"
    told = here.model_copy(update={"oidc_file": file})

    def noted(places: str) -> list[tuple[Level, str]]:
        file.write_text(
            "issuer: https://sso.test\nclient_id: x\n"
            "redirect_uri: https://console.test/sign-in/oidc/answer\n"
            f"client_secret_file: {secret}\nplaces:\n{places}"
        )
        found = doctor.examine(SYSTEM, told)
        return [(each.level, each.detail) for each in found if each.subject == "sign-in"]

    assert noted("- {group: it, role: administrator, office: 情報課}\n") == []
    assert noted("- {group: tax, role: staff, office: 納税担当課}\n") == []
    assert noted("- {group: t, role: staff, office: 納税課}\n") == [(Level.NOTE, "t: 納税課")]
    ((level, _),) = noted("- {group: t}\n")
    assert level is Level.WRONG
