"""Marked people go through every path; none of them turns up where nobody's data may be."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from contact_service import logs
from contact_service.callcentre.dispositions import Conversation, record_disposition
from contact_service.callcentre.list import next_person
from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Actor, Role
from contact_service.domain.references import NoReference
from contact_service.domain.states import DispositionKind
from contact_service.intake.faults import FileRefused
from contact_service.intake.importing import import_file
from contact_service.people.opening import OpenReason, open_person
from contact_service.people.person import person
from contact_service.people.search import search
from contact_service.store import audit_chain
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.intake.conftest import CLAIM, STAFF, write_csv
from tests.web.browser import Browser
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

NAME, KANA, NUMBER = "標識花子", "ヒョウシキハナコ", "09077771234"
NOTE = "標識のメモ"
#: The same in every form in which it could be written somewhere.
MARKS = [NAME, KANA, "標識", NUMBER, "9077771234", "090-7777-1234", "77771234", "7777-1234"]
MARKS += [json.dumps(word)[1:-1] for word in (NAME, KANA)]


def marked(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


def test_marked_people_turn_up_nowhere(
    floor: Floor, door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service = floor.service
    logged = io.StringIO()
    logs.configure("json", stream=logged)  # every library's too, as in production
    # files in: a good row, a bad one, and one that is no file of the kind at all
    phone = next(heading for heading in CLAIM if "電話" in heading)
    name = next(
        heading for heading in CLAIM if heading.startswith("氏名") and "カナ" not in heading
    )
    row = CLAIM | {phone: "090-7777-1234", name: NAME}
    kana = [heading for heading in CLAIM if "カナ" in heading]
    row |= dict.fromkeys(kana, KANA)
    bad = row | {"宛名番号": NAME, "納期限": NUMBER}
    import_file(
        service,
        STAFF,
        "claims",
        write_csv(tmp_path / "滞納_20260930.csv", [row, bad]),
        training=True,
    )
    with pytest.raises(FileRefused) as refused:
        import_file(service, STAFF, "claims", write_csv(tmp_path / "x.csv", [{NAME: NUMBER}]))
    assert marked(str(refused.value)) == []
    # contacted, talked to, looked at
    floor.start()
    floor.drain()
    operator = Actor("201", Role.OPERATOR)
    now = floor.clock.now() + timedelta(days=14)
    given = next_person(service, operator, now)
    assert given is not None
    record_disposition(
        service, operator,
        Conversation(
            attempt_id=given.attempt_id, kind=DispositionKind.ABSENT, started_at=now,
            talk_seconds=1, wrap_seconds=1, promise=None, note=f"{NOTE} {NAME} {NUMBER}",
        ), now,
    )  # fmt: skip
    found = search(service, STAFF, NUMBER).people[0]
    with pytest.raises(NoReference) as told:
        open_person(service, STAFF, found.id, OpenReason.OTHER, f"電話 {NUMBER}")
    assert marked(str(told.value)) == []
    open_person(service, STAFF, found.id, OpenReason.OTHER, "受付12")
    assert person(service, STAFF, found.id).name == NAME  # it is they who went through
    # doors: sign-in, API, webhooks, pages; also where it fails
    browser = Browser(door.stack.web_url).open("/sign-in")
    browser.send("/sign-in", name=NUMBER, password=NAME)
    for path in (f"/people?wanted={NUMBER}", f"/{NUMBER}", f"/api/{NUMBER}"):
        browser.open(path)
        assert browser.status < 500
    answers = [
        door.api("/api/calls", [{"key": NUMBER, "from": NUMBER, "result": NAME}]),
        door.api("/api/operator/next", {"operator": NUMBER, "x": NAME}),
        door.api("/api/operator/dispositions", {"note": "\0" + NAME}),
        door.api("/api/calls", [], token=NUMBER),
    ]
    sms = {
        "MessageSid": "SM" + "1" * 32,
        "From": "+819077771234",
        "To": "+81300000000",
        "Body": NAME,
    }
    assert door.report("/webhooks/simulated/messages", sms)[0] < 300
    door.report("/webhooks/simulated/messages", sms, signature="forged")
    call = {
        "CallSid": "CA" + "1" * 32,
        "CallStatus": "ringing",
        "From": "+819077771234",
        "To": "+81300000000",
    }
    door.report("/webhooks/simulated/inbound", call)
    report = {
        "MessageSid": "SM" + "2" * 32,
        "MessageStatus": "delivered",
        "To": "+819077771234",
        "Body": NAME,
    }
    door.report("/webhooks/simulated/receipts", report)
    for _, answer in answers:
        assert marked(answer.replace("\\u", "")) == [], answer
    # nothing of it in what was logged and printed
    out, err = capfd.readouterr()
    assert marked(out + err + logged.getvalue()) == []
    assert "webhook.forged" in logged.getvalue()  # it was listened to
    # nothing in the audit log and its export, nothing in plain columns that carry words
    audit_chain.seal(service.engine)
    for statement in (
        "SELECT string_agg(l::text, ' ') FROM audit_log l",
        "SELECT string_agg(e.raw::text || e.deduplication_key, ' ') FROM event e",
        "SELECT string_agg(j::text, ' ') FROM job j",
        "SELECT string_agg(concat(a.detail, a.reason), ' ') FROM attempt a",
        "SELECT string_agg(m::text, ' ') FROM inbound_message m",
        "SELECT string_agg(i::text, ' ') FROM inbound_call i",
        "SELECT string_agg(c::text, ' ') FROM call c",
        "SELECT string_agg(d::text, ' ') FROM debtor d",
        "SELECT string_agg(r::text, ' ') FROM rejected_row r",
        "SELECT string_agg(k::text, ' ') FROM idempotency_key k",
    ):
        told = str(floor.ledger.one(statement))
        assert marked(told) == [], (statement, re.findall("|".join(MARKS), told)[:3])
    # nor in the queue
    client = redis_client(service.settings.broker_url)
    for key in client.scan_iter():
        dumped = client.dump(key) or b""
        assert not any(mark.encode() in bytes(key) + dumped for mark in MARKS)
