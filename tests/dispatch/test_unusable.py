"""A worker that lacks a carrier's secret says so once, on the page too, and goes on with the
others."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from contact_service import logs, worker
from contact_service.clock import FileClock
from contact_service.dispatch import carriers_now, providers, unusable
from contact_service.dispatch.budgets import day
from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Actor, Role
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor

__all__ = ["floor"]

LOOKS = Actor("suzuki", Role.STAFF)
FILE = """
providers:
  - name: main
    adapter: twilio
    per_second: {{sms: 10, auto_call: 10}}
    options: {options}
  - name: other
    adapter: twilio
    per_second: {{sms: 10}}
    options: {{account_sid: AC11111111111111111111111111111111, auth_token: x, from_number: "+815000000000",
      base_url: "http://127.0.0.1:1"}}
"""
OPTIONS = (
    '{account_sid: AC00000000000000000000000000000000, auth_token: %s, from_number: "+815000000000", '
    'base_url: "http://127.0.0.1:1"}'
)


@pytest.fixture
def own(floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A worker's settings: two carriers; the secret of one is looked for in the environment."""
    listed = tmp_path / "providers.yaml"
    listed.write_text(FILE.format(options=OPTIONS % "{env: MAIN_TOKEN}"))
    clock = FileClock(tmp_path / "clock.json")
    clock.set(floor.clock.now())
    given = {"providers_file": listed, "clock": f"file:{clock.path}"}
    found = floor.service.settings.model_copy(
        update=given | {"keys_file": floor.service.settings.keys_path}
    )
    monkeypatch.delenv("MAIN_TOKEN", raising=False)
    monkeypatch.setattr(worker, "settings", lambda: found)
    worker.dispatcher.cache_clear()
    yield found
    worker.dispatcher().close()
    worker.dispatcher.cache_clear()


def tick() -> None:
    """Whatever the beat asks of workers about carriers, once."""
    for entry in worker._beat_table().values():
        if entry["task"] in NAMING or entry["task"] == "contact.recount":
            worker.app.tasks[entry["task"]](*entry["args"])


NAMING = {
    "contact.drain", "contact.urgent", "contact.poll", "contact.support_texts", "contact.reconcile",
}  # fmt: skip


def told(stream: io.StringIO) -> list[dict[str, str]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"].startswith("provider.")]


def another_process() -> None:
    """As after a fork, or a start."""
    worker.dispatcher().close()
    worker.dispatcher.cache_clear()


def shown(floor: Floor, own: Settings) -> dict[str, list[str]]:
    client = redis_client(own.broker_url)
    found = carriers_now.carriers(floor.service, LOOKS, providers.configured(own), client, {})
    return {one.name: list(one.unusable.values()) for one in found}


def test_a_missing_secret_is_said_once_for_each_change(
    floor: Floor, own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = io.StringIO()
    logs.configure("json", stream=logged)
    for _ in range(3):
        tick()
    another_process()
    tick()
    said = told(logged)
    assert len(said) == 1
    assert (said[0]["level"], said[0]["provider"]) == ("error", "main")
    assert said[0]["said"].count("main.auth_token: ") == 2  # in either language
    for word in ("main.auth_token", "MAIN_TOKEN", "set it and start anew"):
        assert word in said[0]["said"]
    assert "Traceback" not in logged.getvalue()
    assert shown(floor, own) == {"main": [said[0]["said"]], "other": []}
    # another fault is another line
    secret = tmp_path / "secret"
    listed = FILE.format(options=OPTIONS % f"{{file: {secret}}}")
    (own.providers_file or tmp_path).write_text(listed)
    another_process()
    tick()
    tick()
    assert [str(secret) in line["said"] for line in told(logged)] == [False, True]
    assert "put the secret there" in told(logged)[1]["said"]
    # the file comes: no start is needed
    secret.write_text("token\n")
    tick()
    tick()
    assert [line["event"] for line in told(logged)[2:]] == ["provider.usable"]
    assert shown(floor, own) == {"main": [], "other": []}
    assert worker.dispatcher().provider("main") is not None


def test_a_worker_that_is_gone_is_not_shown_for_long(floor: Floor, own: Settings) -> None:
    tick()
    client = redis_client(own.broker_url)
    assert 0 < int(client.ttl("unusable:main")) <= unusable.REMEMBERED_SECONDS  # type: ignore[arg-type]


def test_what_is_used_up_stays_counted_while_prices_are_unknown(
    floor: Floor, own: Settings
) -> None:
    today = day(floor.clock.now())
    with floor.service.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO spent (scope, period, amount) VALUES ('parts:main', :today, 7)"),
            {"today": today},
        )
    worker.app.tasks["contact.recount"]()
    assert floor.ledger.one("SELECT amount FROM spent") == 7
