"""SIGKILL to the web process while reports come in: what was answered is on disk."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from contact_service.settings import Settings
from contact_service.stack import Stack
from tests.dispatch.conftest import Floor, floor
from tests.web.test_doors import Door, door_settings, sms

__all__ = ["door_settings", "floor"]

SENDERS, ANSWERS_BEFORE = 8, 80


@pytest.fixture
def door(door_settings: Settings) -> Iterator[Door]:
    """The web application as a process, which can be killed."""
    stack = Stack(door_settings, workers=0, carrier=False, report=lambda text: None)
    try:
        stack.start()
        stack.wait_ready(60)
        yield Door(stack)
    finally:
        stack.stop()


def test_every_answered_report_survives_the_kill(floor: Floor, door: Door) -> None:
    answered, asked = set[str](), set[str]()
    enough = threading.Event()

    def send_on() -> None:
        while True:
            sid = f"SM{uuid4().hex}"
            asked.add(sid)
            try:
                status, _ = door.report(f"/webhooks/simulated/receipts/{uuid4()}", sms(sid))
            except (OSError, http.client.HTTPException):
                return  # it is dead: this report was not answered
            assert status == 204
            answered.add(sid)
            if len(answered) >= ANSWERS_BEFORE:
                enough.set()

    senders = [threading.Thread(target=send_on) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    assert enough.wait(60)
    door.stack.kill("web")
    for sender in senders:
        sender.join(60)
    stored = {row[0] for row in floor.ledger.rows("SELECT provider_ref FROM event")}
    assert len(answered) >= ANSWERS_BEFORE
    assert asked - answered, "it was killed with reports in hand"
    assert answered - stored == set()
