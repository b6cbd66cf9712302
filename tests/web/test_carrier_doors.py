"""Messages from residents, machines that answer, and what an operator hears before a transfer."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, definition, mobile
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


def test_a_signature_is_over_the_public_address_and_no_other(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    settings, inside = door.stack.settings, door.stack.web_url
    settings.public_url = "https://contact.city.example"  # a proxy stands before us
    token = (settings.state_dir / "carrier-token").read_text()
    path = "/webhooks/simulated/messages"
    form = {"MessageSid": "SM" + "2" * 32, "From": mobile(1), "To": "+81354321111", "Body": "停止"}
    for signed_for in (inside, "http://contact.city.example", "https://other.city.example"):
        signature = RequestValidator(token).compute_signature(f"{signed_for}{path}", form)
        for host in (inside.removeprefix("http://"), "other.city.example", "contact.city.example"):
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": signature,
                "Host": host,
                "X-Forwarded-Host": host,
                "X-Forwarded-Proto": "http",
            }
            assert door.ask("POST", path, urlencode(form), headers)[0] == 403, (signed_for, host)
    assert floor.ledger.one("SELECT count(*) FROM inbound_message") == 0
    assert door.report(path, form)[0] == 200
    # what stands in the address is signed, too, as it was asked for
    assert door.report(f"{path}?a=%E5%8C%BA&b=1%2B2", form)[0] == 200


TOLD = {
    "greeting": {
        "say": {"ja": "{office}です。", "en": "This is {office}."},
        "audio": "notice-greeting.wav",
        "then": "keys", "keys": {"1": "told", "3": "wrong", "9": "stop"}, "otherwise": "bye",
    },
    "told": {
        "say": {
            "ja": "{kinds}、{fiscal_years}、{instalments}、{debtor_outstanding_yen}です。2で担当へ。",
            "en": "{kinds}, {fiscal_years}: {debtor_outstanding_yen}. Press 2.",
        },
        "then": "keys", "keys": {"2": "centre"}, "otherwise": "bye", "outcome": "confirmed",
    },
    "centre": {"say": {"ja": "{kinds}の担当です。", "en": "{kinds}."}, "then": "transfer",
               "outcome": "transferred"},
    "wrong": {"say": {"ja": "失礼します。", "en": "Sorry."}, "outcome": "wrong_person"},
    "stop": {"say": {"ja": "停止します。", "en": "Stopped."}, "outcome": "opted_out"},
    "bye": {"say": {"ja": "失礼します。", "en": "Goodbye."}},
}  # fmt: skip


def test_a_call_tells_the_person_of_their_own_claims_and_nobody_else(
    floor: Floor, door: Door
) -> None:
    """What is told is that of the moment, to one who has the number alone, in their language."""
    owes = [Owed(12_300), Owed(4_000, "nursery_fee", year=2025)]
    person = floor.ledger.person([mobile(1)], owes)
    other = floor.ledger.person([mobile(2)], [Owed(777)])
    scripts = {"s": {"start": "greeting", "nodes": TOLD}}
    floor.start(definition(arms=[{"name": "contact"}], scripts=scripts))
    attempts = dict(
        floor.ledger.rows(
            "SELECT t.addressee_id, a.id FROM attempt a JOIN target t ON t.id = a.target_id "
            "WHERE a.channel = 'auto_call'"
        )
    )

    def heard(node: str, whose: int = person) -> str:
        return door.report(f"/webhooks/simulated/voice/{attempts[whose]}/{node}", CALL)[1]

    assert "<Play" in heard("greeting")
    told = heard("told")
    assert "国民健康保険料、保育料、令和7年度、令和8年度、第1期、第2期、16,300円です" in told
    assert "<Gather" in told
    assert "国民健康保険料、777円" not in told
    assert "777円" in heard("told", other)
    floor.ledger.run("UPDATE claim SET outstanding_yen = 0 WHERE outstanding_yen = 12300")
    assert "保育料、令和7年度、第2期、4,000円です" in heard("told"), "what is paid is not told"
    floor.ledger.run("UPDATE debtor SET language = 'en' WHERE id = :id", id=person)
    greeting = heard("greeting")
    assert "<Play" not in greeting, "the recording is Japanese"
    assert '<Say language="en-US" voice="Polly.Joanna">This is ' in greeting
    assert "¥4,000. Press 2." in heard("told")
    # somebody else has the number too: nobody knows who pressed the key
    floor.ledger.run(
        "INSERT INTO debtor_phone (debtor_id, phone_id, rank) "
        "SELECT :new, phone_id, 9 FROM debtor_phone WHERE debtor_id = :id", new=other, id=person
    )  # fmt: skip
    withheld = heard("told")
    assert "For details, please call" in withheld
    assert "<Hangup" in withheld
    assert "<Gather" not in withheld
    assert not re.search("4,000|fee", withheld)
    assert "<Dial" in heard("centre")
    floor.ledger.restrict("lawyer_engaged", debtor_id=other)
    assert "くわしいことは" in heard("told", other)
