"""Messages from residents, machines that answer, and what an operator hears before a transfer."""

from __future__ import annotations

from tests.dispatch.conftest import Floor, floor
from tests.ledger import definition, mobile
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

CALL = {"CallSid": "CA" + "1" * 32, "CallStatus": "in-progress"}


def test_what_residents_and_machines_say(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    nodes = {
        "greeting": {"say": "{office}です。", "then": "transfer"},
        "left": {"say": "{office}です。お電話ください。"},
    }
    scripts = {"s": {"start": "greeting", "voicemail": "left", "nodes": nodes}}
    floor.start(definition(arms=[{"name": "contact"}], scripts=scripts))
    # a message: stored, heeded, confirmed; a stranger's hand changes nothing
    path = "/webhooks/simulated/messages"
    form = {
        "MessageSid": "SM" + "2" * 32,
        "From": mobile(1),
        "To": "+81354321111",
        "Body": "配信停止",
    }
    assert door.report(path, form, signature="AAAA")[0] == 403
    assert floor.ledger.one("SELECT count(*) FROM inbound_message") == 0
    status, said = door.report(path, form)
    assert status == 200
    assert "停止します" in said
    assert floor.ledger.rows("SELECT kind FROM restriction") == [("opted_out",)]
    other = form | {"MessageSid": "SM" + "3" * 32, "Body": "明日払います"}
    assert "<Message" not in door.report(path, other)[1]
    assert floor.ledger.one("SELECT count(*) FROM inbound_message") == 2
    # who answered: a machine is recorded at once, a person is not
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")
    here = f"/webhooks/simulated/detected/{attempt}"
    assert door.report(here, CALL | {"AnsweredBy": "human"})[0] == 204
    assert floor.ledger.one("SELECT count(*) FROM event") == 0
    assert door.report(here, CALL | {"AnsweredBy": "machine_end_beep"}, signature="A")[0] == 403
    # the carrier is away, so nothing can be left; the report counts all the same
    assert door.report(here, CALL | {"AnsweredBy": "machine_end_beep"})[0] == 204
    assert floor.ledger.rows("SELECT outcome, final FROM event") == [("machine", False)]
    # the operator hears where the call comes from
    greeting = door.report(f"/webhooks/simulated/voice/{attempt}/greeting", CALL)[1]
    assert f"/webhooks/simulated/whisper/{attempt}" in greeting
    assert "転送" in door.report(f"/webhooks/simulated/whisper/{attempt}", CALL)[1]
