"""Looking people up: found by what is sealed, masked until opened, and left alone at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contact_service.clock import FileClock
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.identity import bulk_access
from contact_service.identity.bulk_access import BulkKind
from contact_service.intake.importing import import_file
from contact_service.people.search import Summary, masked, search
from contact_service.retention.subject_access import subject_access
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.intake.conftest import CLAIM, PAYMENT, STAFF, write_csv
from tests.ledger import Owed, mobile
from tests.web.browser import Browser
from tests.web.people import signed_in
from tests.web.test_doors import Door, door
from tests.web.test_doors import door_settings as two_weeks_later

__all__ = ["door", "floor", "two_weeks_later"]

NUMBER = "090-1234-5678"


@pytest.fixture
def door_settings(floor: Floor, two_weeks_later: Settings) -> Settings:
    """The console on the floor's own day."""
    FileClock(two_weeks_later.state_dir / "clock.json").set(floor.clock.now())
    return two_weeks_later


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


def listed_opens(floor: Floor) -> list[tuple[object, ...]]:
    return floor.ledger.rows(
        "SELECT actor, subject, details ->> 'reason', details ->> 'note' FROM audit_log "
        "WHERE action = 'person.open'"
    )


def test_somebody_is_found_masked_and_opened_for_a_reason(
    floor: Floor, door: Door, known: int
) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/people")
    for wanted in ("10000001", "０９０１２３４５６７８", "山﨑 健", "ヤマザキケン", "ﾔﾏｻﾞｷ　ｹﾝ"):
        staff.send("/people", wanted=wanted)
        assert f'href="/people/{known}"' in staff.page
        assert "山＊＊" in staff.page and "＊＊＊-78" in staff.page
        assert "山﨑" not in staff.page.replace(wanted, "") and NUMBER not in staff.page
        assert wanted not in staff.path
    staff.send("/people", wanted="山﨑")  # a part of a name is nobody's
    assert "該当する方はいません" in staff.page
    staff.open(f"/people/{known}")
    assert "山﨑" not in staff.page and NUMBER not in staff.page
    assert staff.send(f"/people/{known}/open").status == 422
    assert "理由を選んで" in staff.page
    for told in ("受付12 090-9999-8888", "娘の花子さんから", "10000001"):
        assert staff.send(f"/people/{known}/open", reason="complaint", note=told).status == 422
        assert "書類の番号だけ" in staff.page and "花子" not in staff.page
        assert listed_opens(floor) == []
    staff.send(f"/people/{known}/open", reason="complaint", note="受付 １２")
    assert "山﨑　健" in staff.page and NUMBER in staff.page
    for words in ("令和8年10月5日", "4,000円", "滞納_20260930.csv", "納期限", "閲覧"):
        assert words in staff.page
    assert listed_opens(floor) == [("kato", f"debtor:{known}", "complaint", "受付12")]
    other = signed_in(floor, door, "ono", Role.STAFF).open(f"/people/{known}")
    assert "山﨑" not in other.page  # whoever has not said why sees nothing
    assert other.send(f"/people/{known}/restrictions", kind="hardship").status == 422
    assert listed(floor) == []
    for role in (Role.EVALUATOR, Role.AUDITOR):
        browser = signed_in(floor, door, role.value, role)
        for path in ("/people", f"/people/{known}"):
            assert browser.open(path).status == 403
        assert 'href="/people"' not in browser.open("/account").page
        assert browser.send(f"/people/{known}/open", reason="check").status == 403


def test_a_search_tells_no_debt_and_says_whom_it_showed(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """宛名番号 run in sequence: whoever types them one after the other learns little, and is known."""
    people = [floor.ledger.person([mobile(n)], [Owed(yen=123_000)]) for n in range(5)]
    codes = [str(code) for (code,) in floor.ledger.rows("SELECT code FROM debtor ORDER BY id")]
    floor.ledger.run(
        "INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin) "
        "SELECT 'hardship', id, code, DATE '2026-01-01', 'staff' FROM debtor"
    )
    monkeypatch.setattr("contact_service.people.search.MOST_LISTED", 3)
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/people")
    service, kato = floor.service, Actor("kato", Role.STAFF)
    for code in codes[:3]:
        assert f">{code}</a>" in staff.send("/people", wanted=code).page
        for told in ("123,000", "生活困窮"):
            assert told not in staff.page
    assert not {"claims", "outstanding_yen", "restricted"} & {*Summary.__slots__}
    listed_ = [f"debtor:{person}" for person in people]

    def said() -> list[object]:
        return [subject for (subject,) in floor.ledger.rows(
            "SELECT subject FROM audit_log WHERE action = 'person.listed' AND actor = 'kato' "
            "ORDER BY id")]  # fmt: skip

    for ask in (
        lambda: search(service, kato, codes[3]), lambda: masked(service, kato, people[3]),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            ask()
    assert said() == listed_[:3]
    search(service, kato, codes[0])  # the same again is nobody new
    wish = bulk_access.ask(service, kato, BulkKind.OPEN_MANY, "", "照会文書の照合")
    bulk_access.decide(service, Actor("abe", Role.APPROVER), wish, grant=True)
    assert masked(service, kato, people[3]) is not None
    assert said() == [*listed_[:3], listed_[0], listed_[3]]
    told = subject_access(service, Actor("abe", Role.APPROVER), codes[3])["looked_at"]
    assert ("kato", "person.listed") in {(one["actor"], one["action"]) for one in told}


def test_a_restriction_from_here_holds_at_once(floor: Floor, door: Door) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    browser = opened(signed_in(floor, door, "sato", Role.OPERATOR), person)
    path = f"/people/{person}/restrictions"
    assert browser.send(path, kind="").status == 422
    assert browser.send(path, kind="hardship", ends_on="2020-01-01").status == 422
    assert browser.send(path, kind="hardship", ends_on="soon").status == 422
    phone, claim = floor.ledger.rows("SELECT p.id, c.id FROM phone p, claim c")[0]
    # what belongs to another kind of restriction is not taken over
    browser.send(path, kind="wrong_person", number=str(phone), claim=str(claim))
    browser.send(path, kind="collection_deferred", number=str(phone), claim=str(claim))
    assert floor.ledger.rows("SELECT phone_id, claim_id FROM restriction ORDER BY id") == [
        (phone, None),
        (None, claim),
    ]
    floor.ledger.run("DELETE FROM restriction")
    browser.send(path, kind="hardship", number="0", claim="0", note="")
    assert "いまから連絡しません" in browser.page
    assert floor.drain().leased == 0
    assert floor.reasons() == {"restricted": 1}
    floor.ledger.run(
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "phone_id, deduplication_key) SELECT 'resident', 'inbound', now(), 95, 0, 'talked', id, 'x' "
        "FROM phone"
    )
    browser.open(f"/people/{person}")
    for told in ("1分35秒", "試験</span>", "見送り", "交渉制限", "予定"):
        assert told in browser.page
    browser.send(path, kind="hardship", number="0", claim="0", note="")  # the same once more
    assert listed(floor) == [("hardship", True)]


def test_the_list_takes_numbers_that_nobody_has(floor: Floor, door: Door) -> None:
    staff = signed_in(floor, door, "kato", Role.STAFF).open("/do-not-contact")
    assert staff.send("/do-not-contact", kind="opted_out", number="03-12").status == 422
    assert "電話番号として読めません" in staff.page and 'value="03-12"' in staff.page
    assert staff.send("/do-not-contact", kind="opted_out").status == 422
    staff.send("/do-not-contact", kind="opted_out", number="090-1000-0001")
    assert "登録しました" in staff.page and "＊＊＊-01" in staff.page
    assert "090-1000-0001" not in staff.page
    floor.ledger.person(["+819010000001"])  # a file brings whose it is
    with pytest.raises(CannotDo, match="交渉制限 1 人"):
        floor.start()
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
    floor.ledger.restrict("opted_out", phone=mobile(1))
    other = floor.ledger.one("SELECT max(id) FROM restriction")
    staff.send(f"/do-not-contact/{other}/lift", reason="間違い？")
    lift = f"/do-not-contact/lifts/{floor.ledger.one('SELECT max(id) FROM restriction_lift')}"
    supervisor.send(lift, lift="false")  # a wish may be refused, and uttered again
    assert "制限は続きます" in supervisor.page and listed(floor)[1] == ("opted_out", True)
    staff.send(f"/do-not-contact/{other}/lift", reason="再度")
    assert "解除を依頼しました" in staff.page
    assert floor.ledger.rows(
        "SELECT actor, action FROM audit_log WHERE action LIKE 'restriction.%' ORDER BY id"
    ) == [
        ("aoki", "restriction.ask_to_lift"), ("mori", "restriction.lift"),
        ("kato", "restriction.ask_to_lift"), ("mori", "restriction.keep"),
        ("kato", "restriction.ask_to_lift"),
    ]  # fmt: skip
