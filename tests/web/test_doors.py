"""The web application's doors: signatures, tokens, sizes, and what carriers are told to say."""

from __future__ import annotations

import http.client
import json
import re
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
import uvicorn
from twilio.request_validator import RequestValidator

from contact_service.bootstrap import Service
from contact_service.clock import FileClock
from contact_service.settings import Settings
from contact_service.stack import Stack
from contact_service.web.app import app
from tests.dispatch.conftest import Floor, floor
from tests.ledger import definition, mobile
from tests.system.ward import until

__all__ = ["door_settings", "floor"]


@dataclass
class Door:
    """The running web application, and how a carrier or another system speaks to it."""

    stack: Stack

    def ask(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        address = urlsplit(self.stack.web_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        connection.request(method, path, body.encode() if body else None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def report(
        self, path: str, form: dict[str, str], signature: str | None = None
    ) -> tuple[int, str]:
        """A signed form, as the carrier sends it."""
        token = (self.stack.settings.state_dir / "carrier-token").read_text()
        url = f"{self.stack.settings.public_url}{path}"
        signed = RequestValidator(token).compute_signature(url, form)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed if signature is None else signature,
        }
        return self.ask("POST", path, urlencode(form), headers)

    def api(self, path: str, body: object, token: str | None = None) -> tuple[int, str]:
        """An authorised JSON call."""
        own = (self.stack.settings.state_dir / "api-token").read_text()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or own}"}
        return self.ask("POST", path, json.dumps(body), headers)


@pytest.fixture
def door_settings(floor: Floor, tmp_path: Path) -> Settings:
    """Two weeks after the floor's day: what was to be sent first is long over."""
    state = tmp_path / "state"
    state.mkdir()
    clock = FileClock(state / "clock.json")
    clock.set(floor.clock.now() + timedelta(days=14, hours=1))
    return floor.service.settings.model_copy(
        update={
            "state_dir": state,
            "keys_file": floor.service.settings.keys_path,
            "clock": f"file:{clock.path}",
            "web_port": 0,
            "requests_per_second": 100_000,  # limits have tests of their own
        }
    )


@pytest.fixture
def door(door_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The web application on a port of its own, inside this process: it need not be killed."""
    stack = Stack(door_settings, workers=0, carrier=False, report=lambda text: None)
    monkeypatch.setattr("contact_service.web.app.settings", lambda: stack.settings)
    chosen = stack.settings
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=chosen.web_host, port=chosen.web_port, log_config=None, access_log=False
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        yield Door(stack)
    finally:
        server.should_exit = True
        thread.join()


def sms(sid: str = "SM" + "1" * 32, status: str = "delivered") -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": status, "AccountSid": "AC" + "0" * 32}


def test_only_signed_reports_are_believed_and_replays_change_nothing(
    floor: Floor, door: Door
) -> None:
    path = f"/webhooks/simulated/receipts/{uuid4()}"
    assert door.report(path, sms(), signature="")[0] == 403
    assert door.report(path, sms(), signature="AAAA")[0] == 403
    token = (door.stack.settings.state_dir / "carrier-token").read_text()
    other = RequestValidator(token).compute_signature(
        f"{door.stack.settings.public_url}{path}", sms(status="failed")
    )
    assert door.report(path, sms(), signature=other)[0] == 403
    assert floor.ledger.one("SELECT count(*) FROM event") == 0
    for _ in range(3):
        assert door.report(path, sms())[0] == 204
    assert floor.ledger.one("SELECT count(*) FROM event") == 1
    assert door.report(path, {"Signed": "but no report"})[0] == 403
    assert door.report("/webhooks/nobody/receipts/" + str(uuid4()), sms())[0] == 404
    assert door.report("/webhooks/simulated/receipts/none", sms())[0] == 404
    length = {"Content-Length": "99999999"}
    assert door.ask("POST", path, headers=length)[0] == 413


def test_an_auto_call_tells_nothing_before_the_person_has_confirmed(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")
    floor.ledger.run("UPDATE attempt SET provider = 'simulated' WHERE id = :id", id=attempt)
    base = f"/webhooks/simulated/voice/{attempt}"
    call = {"CallSid": "CA" + "1" * 32, "CallStatus": "in-progress"}
    status, greeting = door.report(f"{base}/greeting", call)
    assert status == 200
    assert "<Gather" in greeting
    assert f"{base}/greeting/key" in greeting
    assert not re.search("滞納|未納|保険料|円", greeting)
    assert "お電話ください" in door.report(f"{base}/greeting/key", call | {"Digits": "1"})[1]
    assert floor.ledger.rows("SELECT outcome, final FROM event") == [("confirmed", False)]
    assert "失礼します" in door.report(f"{base}/greeting/key", call)[1]
    assert "<Hangup" in door.report(f"{base}/goodbye/key", call | {"Digits": "1"})[1]
    door.report(f"{base}/greeting/key", call | {"Digits": "9"})
    assert floor.ledger.rows("SELECT kind FROM restriction") == [("opted_out",)]
    assert door.report(f"{base}/nowhere", call)[0] == 404
    assert door.report(f"/webhooks/simulated/voice/{uuid4()}/greeting", call)[0] == 404


def test_a_recording_is_played_where_there_is_one_and_spoken_where_not(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    nodes = {
        "greeting": {
            "say": "{office}です。", "audio": "notice-greeting.wav", "then": "keys",
            "keys": {"1": "lost"}, "otherwise": "lost",
        },
        "lost": {"say": "お電話ください。", "audio": "no-such.wav"},
    }  # fmt: skip
    scripts = {"s": {"start": "greeting", "nodes": nodes}}
    floor.start(definition(arms=[{"name": "contact"}], scripts=scripts))
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")
    base = f"/webhooks/simulated/voice/{attempt}"
    call = {"CallSid": "CA" + "1" * 32, "CallStatus": "in-progress"}
    greeting = door.report(f"{base}/greeting", call)[1]
    found = re.search(r"<Play>http://[^/]+(/[^<]+)</Play>", greeting)
    assert found and "<Say" not in greeting
    assert "お電話ください" in door.report(f"{base}/lost", call)[1]
    address = urlsplit(door.stack.web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.request("GET", found[1])
    with wave.open(connection.getresponse()) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (8000, 1)
    for name in ("../README.md", "README.md", "..%2F..%2F..%2Fpyproject.toml", "no-such.wav"):
        assert door.ask("GET", f"/webhooks/simulated/recordings/{name}")[0] == 404


def test_the_centre_speaks_with_a_token(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    assert door.ask("POST", "/api/operator/next", '{"operator": "201"}')[0] in (401, 403)
    assert door.api("/api/operator/next", {"operator": "201"}, token="wrong")[0] == 401
    status, text = door.api("/api/operator/next", {"operator": "201"})
    assert status == 200
    shown = json.loads(text)
    assert shown["phone"] == mobile(1)
    assert door.api("/api/operator/next", {"operator": "202"})[0] == 204
    said = {
        "attempt_id": shown["attempt_id"], "operator": "202", "disposition": "hardship",
        "started_at": "2026-11-09T11:00:00+09:00", "talk_seconds": 300, "wrap_seconds": 60,
        "promise": None, "note": "家計が苦しい",
    }  # fmt: skip
    assert door.api("/api/operator/dispositions", said)[0] == 409
    mine = said | {"operator": "201"}
    assert door.api("/api/operator/dispositions", mine)[0] == 204
    assert door.api("/api/operator/dispositions", mine)[0] == 204
    assert floor.ledger.rows("SELECT kind, debtor_id FROM restriction") == [("hardship", person)]
    assert floor.ledger.rows("SELECT desk FROM referral") == [("ぷらっとホーム世田谷",)]
    assert floor.ledger.one("SELECT count(*) FROM call WHERE origin = 'operator'") == 1
    assert "家計".encode() not in bytes(floor.ledger.one("SELECT note FROM disposition"))  # type: ignore[arg-type]
    assert door.api("/api/operator/dispositions", said | {"talk_seconds": -1})[0] == 422


def test_inbound_calls_count_once_and_are_matched(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    call = {
        "key": "pbx-1", "started_at": "2026-11-09T10:00:00+09:00", "from": mobile(1),
        "wait_seconds": 5, "talk_seconds": 60, "wrap_seconds": 10, "result": "talked",
        "extension": "201",
    }  # fmt: skip
    stranger = call | {"key": "pbx-2", "from": "+819099999999"}
    assert json.loads(door.api("/api/calls", [call, stranger])[1]) == {"added": 2}
    assert json.loads(door.api("/api/calls", [call])[1]) == {"added": 0}
    matched = floor.ledger.rows("SELECT phone_id IS NOT NULL FROM call ORDER BY id")
    assert matched == [(True,), (False,)]


def test_what_needs_no_session(floor: Floor, door: Door) -> None:
    assert door.ask("GET", "/static/console.css")[0] == 200
    assert door.ask("GET", "/docs")[0] == 404
    assert json.loads(door.ask("GET", "/healthz")[1])["status"] == "ok"


def test_services_are_told_who_acts(floor: Floor) -> None:
    from contact_service.callcentre.list import next_person
    from contact_service.domain.actors import Actor, NotAllowed, Role

    service: Service = floor.service
    with pytest.raises(NotAllowed):
        next_person(service, Actor("somebody", Role.EVALUATOR), floor.clock.now())


def test_what_the_centre_says_by_halves_is_refused_in_words(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    status, found = door.api("/api/operator/next", {"operator": "op1"})
    assert status == 200
    said = {
        "attempt_id": json.loads(found)["attempt_id"], "operator": "op1", "disposition": "callback",
        "started_at": "2026-11-09T11:00:00+09:00", "talk_seconds": 10, "wrap_seconds": 0,
    }  # fmt: skip
    status, answer = door.api("/api/operator/dispositions", said)
    assert (status, "かけ直す日時" in answer) == (422, True)
    late = said | {"disposition": "promised", "promise": {"on": "2026-11-01", "amount_yen": 1}}
    assert door.api("/api/operator/dispositions", late)[0] == 422
    assert floor.ledger.one("SELECT count(*) FROM disposition") == 0
