"""The way of a contact through real processes: SMS, auto-call with key presses, operators."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import phonenumbers
import pytest
import yaml

from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.demo.drive import MORNING, drive, stops
from contact_service.dispatch.providers import simulated
from contact_service.embedded.process import free_port
from contact_service.settings import Settings
from tests.ledger import Ledger, Owed, mobile
from tests.system.ward import Ward, until, ward

PEOPLE = 60
STEPS = [
    {"name": "sms-1", "channel": "sms", "message": "m"},
    {"name": "call-1", "channel": "auto_call", "script": "s", "start": {"after_days": 1},
     "retries": [{"on": "busy", "after": "5 min", "most": 2},
                 {"on": "no_answer", "after": "2 h", "most": 2}]},
    {"name": "operators", "channel": "operator", "start": {"after_days": 2},
     "unless": ["confirmed", "transferred"]},
]  # fmt: skip


def add_people(ledger: Ledger) -> None:
    for n in range(PEOPLE):
        ledger.person([mobile(n)], [Owed(yen=10_000 + n)])


def without_webhooks(settings: Settings, folder: Path, carrier_port: int) -> Settings:
    """The same carrier, but it cannot reach us with its reports."""
    state = folder / "state"
    config = simulated(
        settings.model_copy(
            update={"state_dir": state, "carrier_url": f"http://127.0.0.1:{carrier_port}"}
        )
    ).model_copy(update={"webhook": False, "per_second": {Channel.SMS: 200.0}})
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump({"providers": [json.loads(config.model_dump_json())]}))
    return settings.model_copy(update={"providers_file": path})


def pass_days(here: Ward, last: date) -> None:
    """Every morning, and every second hour of working days."""
    every = stops(date(2026, 10, 26), last, last)
    instants = [at for at in every if at.time() == MORNING or (at.minute, at.hour % 2) == (0, 0)]
    begins = datetime(2026, 10, 26, 10, 0, tzinfo=TOKYO)
    outbox = here.state / "outbox"
    drive(
        here.service, here.clock, outbox, [at for at in instants if at >= begins], lambda at: None
    )


def test_sms_then_calls_then_operators(settings: Settings, tmp_path: Path) -> None:
    with ward(settings, tmp_path, add_people) as here:
        run_id = here.launch(steps=STEPS)
        pass_days(here, date(2026, 10, 30))

        counts = dict(
            here.ledger.rows(
                "SELECT channel, count(*) FROM attempt WHERE state = 'finished' GROUP BY 1"
            )
        )
        assert counts["sms"] > PEOPLE * 0.8
        assert counts["auto_call"] > PEOPLE * 0.8
        assert counts["operator"] > 0
        assert not here.ledger.rows(
            "SELECT 1 FROM attempt WHERE state IN ('leased', 'accepted', 'unknown')"
        )
        outcomes = {row[0] for row in here.ledger.rows("SELECT DISTINCT outcome FROM attempt")}
        assert {"delivered", "confirmed", "no_answer"} <= outcomes
        # whoever confirmed pressed a key, and the page that heard it wrote it down
        assert here.ledger.one("SELECT count(*) FROM event WHERE via = 'keypad'")
        # one log for all calls, in both directions
        directions = dict(here.ledger.rows("SELECT origin, count(*) FROM call GROUP BY 1"))
        assert set(directions) == {"auto_call", "operator", "resident"}
        assert directions["auto_call"] == here.ledger.one(
            "SELECT count(*) FROM attempt WHERE channel = 'auto_call' AND state = 'finished' "
            "AND provider_ref IS NOT NULL"
        )
        # each attempt was taken once
        assert here.ledger.one("SELECT count(*) FROM attempt WHERE submitted_at IS NOT NULL "
                               "AND channel <> 'operator'") == sum(here.accepted().values())  # fmt: skip
        # nobody was contacted outside office hours
        assert not here.ledger.rows(
            "SELECT submitted_at FROM attempt WHERE channel <> 'operator' AND "
            "(submitted_at::time < '09:00' OR submitted_at::time >= '17:00')"
        )
        assert here.ledger.one("SELECT state FROM run WHERE id = :r", r=run_id) == "running"
        logs = here.logs()
    assert_no_personal_data(logs)


def assert_no_personal_data(logs: str) -> None:
    lines = logs.splitlines()
    assert sum(line.startswith("{") for line in lines) > 10
    assert any(json.loads(line).get("event") == "dispatch.recorded" for line in lines
               if line.startswith("{"))  # fmt: skip
    assert "世田谷太郎" not in logs
    for n in range(PEOPLE):
        parsed = phonenumbers.parse(mobile(n))
        national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        for form in (mobile(n), mobile(n)[1:], national, national.replace("-", "")):
            assert form not in logs


@pytest.mark.parametrize("lost", [0.0, 1.0], ids=["polling only", "all callbacks lost"])
def test_outcomes_come_without_callbacks(settings: Settings, tmp_path: Path, lost: float) -> None:
    port = free_port()
    chosen = settings if lost else without_webhooks(settings, tmp_path, port)
    with ward(chosen, tmp_path, add_people, carrier_port=port) as here:
        here.carrier("faults", {"drop_callbacks": lost})
        here.launch(steps=STEPS[:1])
        pass_days(here, date(2026, 10, 27))
        # who was asked about too early is asked about again
        until(lambda: here.states() == {"finished": PEOPLE})
        assert here.ledger.rows("SELECT DISTINCT via FROM event") == [("poll",)]
