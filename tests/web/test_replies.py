"""Replies by SMS on the desk, and the way back for who wanted no more contacts."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from contact_service.clock import FileClock
from contact_service.domain.actors import Role
from providers.base import Accepted, Call, Contact, Provider, Refused, Result
from providers.vocabulary import Cause, Outcome
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile
from tests.web.people import signed_in
from tests.web.test_desk import at, attempt_on, operator
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]


def writes(door: Door, n: int, body: str) -> str:
    """Somebody writes; what they are answered."""
    form = {
        "MessageSid": f"SM{uuid4().hex}",
        "From": mobile(n),
        "To": "+815000000000",
        "Body": body,
    }
    status, answer = door.report("/webhooks/simulated/messages", form)
    assert status == 200
    return answer


def test_stop_paid_and_call_me_are_heeded_and_the_rest_is_read_by_one(
    floor: Floor, door: Door
) -> None:
    for n in range(5):
        floor.ledger.person([mobile(n)])
    floor.start()
    floor.drain()  # each gets a message
    now = FileClock(door.stack.settings.state_dir / "clock.json").now()
    floor.ledger.run(
        "UPDATE attempt SET submitted_at = :at WHERE channel = 'sms'",
        at=now - timedelta(minutes=95),
    )
    assert "停止します" in writes(door, 0, "停止")
    writes(door, 1, "支払いました")
    writes(door, 2, "電話ください")
    writes(door, 3, "半分なら払えます")
    assert floor.ledger.one("SELECT count(*) FROM restriction WHERE kind = 'opted_out'") == 1
    assert floor.ledger.rows(
        "SELECT e.outcome, e.via FROM event e JOIN attempt a ON a.id = e.attempt_id "
        "JOIN inbound_message m ON m.phone_id = a.phone_id AND m.says = 'paid'"
    ) == [("confirmed", "reply")]
    assert floor.ledger.rows("SELECT state, asked, provider FROM inbound_call") == [
        ("call_back", True, "simulated")
    ]
    sato, suzuki = operator(floor, door), operator(floor, door, "suzuki")
    assert sato.page.count("/take") == 1 and "半分なら" not in sato.page
    for each in (sato, suzuki):  # it appears by itself, as a call does
        assert "読まれていない返信が1件あります" in each.open("/desk/calls").page
    sato.open("/desk")
    # whoever reads it is told whose it is, and what it answers
    assert "世田谷太郎" not in sato.page and "のSMS「試験」の" not in sato.page
    take = re.search(r'action="(/desk/replies/\d+)/take"', sato.page)
    assert take
    sato.send(f"{take[1]}/take")
    assert "半分なら払えます" in sato.page and "世田谷太郎" in sato.page
    assert "09:25のSMS「試験」の1時間35分後" in sato.page
    assert "読まれていない返信" not in sato.open("/desk/calls").page + suzuki.open("/desk").page
    sato.open("/desk")
    suzuki.send(f"{take[1]}/take")
    assert "ほかの人が読んでいます" in suzuki.page and "半分なら" not in suzuki.page
    suzuki.send(f"{take[1]}/done", became="stop")
    assert suzuki.status == 422
    sato.send(f"{take[1]}/done", became="call_me")
    assert "読み取れなかった返信" not in sato.page
    assert floor.ledger.one("SELECT count(*) FROM inbound_call WHERE asked") == 2


def test_who_opted_out_may_come_back_by_two_people(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    writes(door, 1, "停止")
    sato = operator(floor, door)
    assert sato.open("/desk/contact-again").status == 403
    mori = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/desk/contact-again")
    good = {"number": "090-1000-0001", "asked_by": "sato", "reason": "11月9日の電話で本人が申出"}
    for change, says in (
        ({"asked_by": "mori"}, "別の人です"),
        ({"asked_by": "nobody"}, "サインインに使う名前を"),
        ({"reason": " "}, "どう申し出たか"),
        ({"asked_by": " "}, "利用者名を入力"),
        ({"number": "090-1000-0002"}, "番号を確かめて"),
        ({"number": "x"}, "市外局番から入力"),
        ({"number": ""}, "市外局番から入力"),
    ):
        mori.send("/desk/contact-again", **(good | change))
        assert (mori.status, says in mori.page) == (422, True), says
    left = "SELECT count(*) FROM restriction WHERE kind = 'opted_out' AND lifted_at IS NULL"
    assert floor.ledger.one(left) == 1
    # whoever is named has said nothing yet: somebody else decides
    assert "依頼しました" in mori.send("/desk/contact-again", **good).page
    assert floor.ledger.one(left) == 1
    mori.open("/desk/contact-again").send("/desk/contact-again", **good)
    assert mori.status == 422 and "もう依頼されています" in mori.page
    wish = floor.ledger.rows("SELECT id, reason, asked_by FROM restriction_lift")
    assert [row[1:] for row in wish] == [("sato: 11月9日の電話で本人が申出", "mori")]
    decides = f"/do-not-contact/lifts/{wish[0][0]}"
    mori.open("/do-not-contact").send(decides, lift="true")
    assert mori.status == 422 and "依頼した人は" in mori.page and floor.ledger.one(left) == 1
    abe = signed_in(floor, door, "abe", Role.APPROVER).open("/do-not-contact")
    assert "11月9日の電話で本人が申出" in abe.page
    abe.send(decides, lift="true")
    assert floor.ledger.one(left) == 0
    writes(door, 1, "停止")  # and again
    assert floor.ledger.one(left) == 1


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Contact]:
    """What the carrier is handed; a number ending in 9 it refuses."""
    handed: list[Contact] = []

    async def submit(self: Provider, contact: Contact) -> Result:
        handed.append(contact)
        if contact.to.endswith("9"):
            return Refused(Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER)
        return Accepted(f"CA{len(handed):032}")

    monkeypatch.setattr("providers.twilio.adapter.TwilioProvider.submit", submit)
    return handed


def test_a_call_by_click_rings_the_operator_first_and_once(
    floor: Floor, door: Door, submitted: list[Contact]
) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    desk = operator(floor, door).send("/desk/next")
    who = attempt_on(desk)
    assert "自分の電話を鳴らしてつなぐ" not in desk.page  # no telephone of one's own yet
    press = str(uuid4())
    desk.send(f"/desk/{who}/place", press=press)
    assert desk.status == 422 and "自分の電話番号を入力" in desk.page
    desk.send("/desk/telephone", number="12")
    assert desk.status == 422 and "市外局番から" in desk.page
    desk.send("/desk/telephone", number="03-5432-1191")
    assert "自分の電話を鳴らしてつなぐ" in desk.page
    for _ in range(2):  # pressed twice
        desk.send(f"/desk/{who}/place", press=press)
    (call,) = submitted
    assert isinstance(call, Call) and call.to == "+81354321191" and mobile(1) not in repr(call)
    assert "通話中" in desk.page
    assert floor.ledger.rows("SELECT operator, result, provider FROM placed_call") == [
        ("sato", "accepted", "simulated")
    ]
    path = call.instructions_url.removeprefix(door.stack.settings.public_url)
    form = {"CallSid": "CA" + "0" * 32, "CallStatus": "in-progress", "Direction": "outbound-api"}
    assert door.report(path, form, signature="")[0] == 403
    assert f"<Number>{mobile(1)}</Number>" in door.report(path, form)[1]
    # what was paid meanwhile stops the call, whichever way it is made
    floor.ledger.pays(person)
    assert mobile(1) not in door.report(path, form)[1]
    for way, more in (("call", {}), ("place", {"press": str(uuid4())})):
        desk.send(f"/desk/{who}/{way}", **more)
        assert desk.status == 422 and "納付が確認されました" in desk.page
    assert len(submitted) == 1


def test_what_the_carrier_refuses_and_what_is_not_allowed_is_not_placed(
    floor: Floor, door: Door, submitted: list[Contact]
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    desk, other = operator(floor, door).send("/desk/next"), operator(floor, door, "suzuki")
    who = attempt_on(desk)
    other.send("/desk/telephone", number="03-5432-1192")
    other.send(f"/desk/{who}/place", press=str(uuid4()))
    assert other.status == 422 and "あなたの担当ではありません" in other.page and not submitted
    desk.send("/desk/telephone", number="03-5432-1199")
    desk.send(f"/desk/{who}/place", press=str(uuid4()))
    assert desk.status == 422 and "受け付けませんでした" in desk.page and "通話中" not in desk.page
    at(door, hours=12)
    desk.send(f"/desk/{who}/call")
    assert desk.status == 422 and "かけてよい時間ではありません" in desk.page
