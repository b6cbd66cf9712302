"""Looking people up: found by what is sealed, masked until opened, and left alone at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from campaigns.vocabulary import Channel
from contact_service.domain.actors import Role
from contact_service.intake.importing import import_file
from tests.dispatch.conftest import Floor, floor
from tests.intake.conftest import CLAIM, PAYMENT, STAFF, write_csv
from tests.ledger import mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["door", "door_settings", "floor"]

NUMBER = "090-1234-5678"


@pytest.fixture
def known(floor: Floor, tmp_path: Path) -> int:
    """山﨑健, with a claim, a payment and a number, as files told of them."""
    service = floor.service
    for name, kind, row in (("滞納_20260930", "claims", CLAIM), ("収納", "payments", PAYMENT)):
        path = write_csv(tmp_path / f"{name}.csv", [row])
        import_file(service, STAFF, kind, path, training=True)
    return int(str(floor.ledger.one("SELECT id FROM debtor WHERE code = '10000001'")))


def opened(browser: Browser, person: int) -> Browser:
    browser.open(f"/people/{person}").send(f"/people/{person}/open", reason="they_ask")
    assert browser.status == 200
    return browser


def listed(floor: Floor) -> list[tuple[object, ...]]:
    return floor.ledger.rows("SELECT kind, lifted_at IS NULL FROM restriction ORDER BY id")


@pytest.mark.parametrize(
    "wanted", ["10000001", "０９０１２３４５６７８", "山﨑 健", "ヤマザキケン", "ﾔﾏｻﾞｷ　ｹﾝ"]
)
def test_somebody_is_found_and_stays_masked(
    floor: Floor, door: Door, known: int, wanted: str
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/people")
    staff.send("/people", wanted=wanted)
    assert f'href="/people/{known}"' in staff.page
    assert "山＊＊" in staff.page and "＊＊＊-78" in staff.page
    assert "山﨑" not in staff.page.replace(wanted, "") and NUMBER not in staff.page
    assert wanted not in staff.path
    staff.send("/people", wanted="山﨑")  # a part of a name is nobody's
    assert "該当する方はいません" in staff.page


def test_opening_takes_a_reason_and_is_written_down(floor: Floor, door: Door, known: int) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open(f"/people/{known}")
    assert "山﨑" not in staff.page and NUMBER not in staff.page
    assert staff.send(f"/people/{known}/open").status == 422
    assert "理由を選んで" in staff.page
    staff.send(f"/people/{known}/open", reason="complaint", note="受付12 090-9999-8888")
    assert "山﨑　健" in staff.page and NUMBER in staff.page
    for words in ("令和8年10月5日", "4,000円", "滞納_20260930.csv", "納期限", "閲覧"):
        assert words in staff.page
    said = floor.ledger.rows(
        "SELECT actor, subject, details ->> 'reason', details ->> 'note' FROM audit_log "
        "WHERE action = 'person.open'"
    )
    assert said == [("kato", f"debtor:{known}", "complaint", "受付12 [number]")]
    other = signed_in(floor, door, "ono", Role.STAFF).open(f"/people/{known}")
    assert "山﨑" not in other.page  # whoever has not said why sees nothing
    assert other.send(f"/people/{known}/restrictions", kind="hardship").status == 422
    assert listed(floor) == []


def test_those_who_count_never_see_anybody(floor: Floor, door: Door, known: int) -> None:
    for role in (Role.EVALUATOR, Role.AUDITOR):
        browser = signed_in(floor, door, role.value, role)
        for path in ("/people", f"/people/{known}"):
            assert browser.open(path).status == 403
        assert 'href="/people"' not in browser.open("/account").page
        assert browser.send(f"/people/{known}/open", reason="check").status == 403


def test_the_timeline_tells_of_contacts_calls_and_promises(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    floor.drain()
    browser = opened(signed_in(floor, door, "kato", Role.STAFF), person)
    assert "事業者が受付・結果待ち" in browser.page and "試験／sms-1" in browser.page
    floor.ledger.run(
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "phone_id, deduplication_key) SELECT 'resident', 'inbound', now(), 95, 0, 'talked', id, 'x' "
        "FROM phone"
    )
    assert "1分35秒" in browser.open(f"/people/{person}").page
    assert "予定" in browser.page  # what is still to come


def test_a_restriction_from_here_holds_at_once(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    browser = opened(signed_in(floor, door, "sato", Role.OPERATOR), person)
    path = f"/people/{person}/restrictions"
    assert browser.send(path, kind="").status == 422
    assert browser.send(path, kind="hardship", ends_on="2020-01-01").status == 422
    assert browser.send(path, kind="hardship", ends_on="soon").status == 422
    browser.send(path, kind="hardship", number="0", claim="0", note="")
    assert "いまから連絡しません" in browser.page
    assert floor.drain().leased == 0
    assert floor.reasons() == {"restricted": 1}
    browser.send(path, kind="hardship", number="0", claim="0", note="")  # the same once more
    assert listed(floor) == [("hardship", True)]


def test_one_number_or_one_claim_is_left_alone(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1), mobile(2)])
    browser = opened(signed_in(floor, door, "sato", Role.OPERATOR), person)
    phone = floor.ledger.one("SELECT phone_id FROM debtor_phone WHERE rank = 2")
    claim = floor.ledger.one("SELECT id FROM claim")
    path = f"/people/{person}/restrictions"
    browser.send(path, kind="wrong_person", number=str(phone), claim=str(claim))
    browser.send(path, kind="collection_deferred", number=str(phone), claim=str(claim))
    assert floor.ledger.rows("SELECT kind, phone_id, claim_id FROM restriction ORDER BY id") == [
        ("wrong_person", phone, None),
        ("collection_deferred", None, claim),
    ]


def test_the_list_takes_numbers_that_nobody_has(floor: Floor, door: Door) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/do-not-contact")
    assert staff.send("/do-not-contact", kind="opted_out", number="03-12").status == 422
    assert "電話番号として読めません" in staff.page and 'value="03-12"' in staff.page
    assert staff.send("/do-not-contact", kind="opted_out").status == 422
    staff.send("/do-not-contact", kind="opted_out", number="090-1000-0001")
    assert "登録しました" in staff.page and "＊＊＊-01" in staff.page
    assert "090-1000-0001" not in staff.page
    floor.ledger.person(["+819010000001"])  # a file brings whose it is
    floor.start()
    assert floor.ledger.one("SELECT count(*) FROM target") == 0
    staff.open("/do-not-contact").send("/do-not-contact/search", wanted="09010000001")
    assert "＊＊＊-01" in staff.page
    staff.send("/do-not-contact/search", wanted="09010000002")
    assert "該当するものはありません" in staff.page


def test_lifting_takes_two_people(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.ledger.restrict("no_calls", debtor_id=person)
    approver = signed_in(floor, door, "aoki", Role.APPROVER).open("/do-not-contact")
    found = re.search(r"/do-not-contact/(\d+)/lift", approver.page)
    assert found
    path = f"/do-not-contact/{found[1]}/lift"
    assert approver.send(path, reason=" ").status == 422
    approver.send(path, reason="本人の申出で再開")
    assert "ほかの人の確認を待っています" in approver.page and listed(floor) == [("no_calls", True)]
    lift = f"/do-not-contact/lifts/{floor.ledger.one('SELECT id FROM restriction_lift')}"
    assert approver.send(lift, lift="true").status == 422  # not the same person
    assert approver.open("/do-not-contact").send(path, reason="もう一度").status == 422
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/do-not-contact")
    assert staff.send(lift, lift="true").status == 403
    supervisor = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/do-not-contact")
    assert "本人の申出で再開" in supervisor.page
    supervisor.send(lift, lift="true")
    assert "解除しました" in supervisor.page and listed(floor) == [("no_calls", False)]
    assert supervisor.send(lift, lift="false").status == 422  # decided
    assert floor.ledger.rows(
        "SELECT actor, action FROM audit_log WHERE action LIKE 'restriction.%' ORDER BY id"
    ) == [("aoki", "restriction.ask_to_lift"), ("mori", "restriction.lift")]
    assert floor.states(Channel.SMS) == {}


def test_a_wish_to_lift_may_be_refused(floor: Floor, door: Door) -> None:
    floor.ledger.restrict("no_calls", debtor_id=floor.ledger.person([mobile(1)]))
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/do-not-contact")
    restriction = floor.ledger.one("SELECT id FROM restriction")
    staff.send(f"/do-not-contact/{restriction}/lift", reason="間違い？")
    lift = floor.ledger.one("SELECT id FROM restriction_lift")
    supervisor = signed_in(floor, door, "mori", Role.SUPERVISOR).open("/do-not-contact")
    supervisor.send(f"/do-not-contact/lifts/{lift}", lift="false")
    assert "制限は続きます" in supervisor.page and listed(floor) == [("no_calls", True)]
    staff.open("/do-not-contact").send(f"/do-not-contact/{restriction}/lift", reason="再度")
    assert "解除を依頼しました" in staff.page
