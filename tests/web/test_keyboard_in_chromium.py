"""A campaign, and a person, by the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.domain.actors import Role
from contact_service.identity import accounts
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import Owed, mobile
from tests.web.chromium import chromium
from tests.web.people import signed_in
from tests.web.test_console import GOOD
from tests.web.test_doors import Door, door, door_settings
from tests.web.watched import Watched, press, tab_to, unfold

__all__ = ["_quick_hashes", "chromium", "door", "door_settings", "floor"]
pytestmark = pytest.mark.browser


def test_a_campaign_by_the_keyboard_alone_and_by_two_people(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    for n in range(4):
        floor.ledger.person([mobile(n)], [Owed(yen=9_000, kind="school_lunch")])
    session = signed_in(floor, door, "tanaka", Role.STAFF).cookies["session"]
    staff = Watched(chromium, door, session)
    page = staff.page
    page.goto("/campaigns")
    press(page, "新しい計画を作る", "link")
    press(page, "住民税 督促前の SMS（現年分）：この見本から始める")
    expect(page.get_by_role("heading", name="どの債権の人に")).to_be_visible()
    # claims of school lunches instead of residents' tax, from the first day on
    for kind in ("特別区民税・都民税（普通徴収）", "学校給食費"):
        tab_to(page, kind, "checkbox")
        page.keyboard.press("Space")
    for label, typed in (("納期限からの日数 以上（日）", "1"), ("納期限からの日数 以下（日）", "")):
        tab_to(page, label, "textbox")
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(typed)
    for _ in range(4):
        press(page, "保存して次へ")
        expect(page.get_by_text("保存しました")).to_be_visible()
    text = page.locator("#text").input_value()
    assert "kinds: [school_lunch]" in text and "days_since_due: {min: 1}" in text
    press(page, "承認を求めて提出する")
    expect(page.get_by_text("自分が書いた版は承認できません")).to_be_visible()

    session = signed_in(floor, door, "suzuki", Role.APPROVER).cookies["session"]
    approver = Watched(chromium, door, session)
    page = approver.page
    page.goto("/")
    press(page, "1", "link")
    press(page, "住民税 督促前の SMS（現年分）", "link")
    unfold(page, "承認する")
    press(page, "承認する")
    tab_to(page, "日程に入れる")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="始まると何が起こるか")).to_be_visible()
    unfold(page, "今すぐ始める")
    send = page.get_by_role("button", name="人に送信する")
    expect(send).to_be_visible()
    press(page, send.inner_text())
    expect(page.get_by_text("済んだ連絡")).to_be_visible()
    assert floor.ledger.one("SELECT state FROM run") == "running"
    assert int(str(floor.ledger.one("SELECT count(*) FROM attempt"))) > 0
    acted(page, "一時停止する", "文面の確認")
    expect(page.locator("h1")).to_contain_text("一時停止")
    acted(page, "再開する", "")
    expect(page.locator("h1")).to_contain_text("実施中")
    acted(page, "すべての発信を止める", "誤送信", "すべて止める")
    expect(page.get_by_text("停止中：すべての発信（誤送信）")).to_be_visible()
    assert floor.ledger.rows("SELECT scope, reason FROM stop_switch") == [("all", "誤送信")]
    acted(page, "中止する（元に戻せません）", "年度末")
    expect(page.locator("h1")).to_contain_text("中止")
    assert floor.ledger.one("SELECT state FROM run") == "cancelled"
    floor.ledger.run("UPDATE run SET state = 'running'")
    page.reload()
    # the page asks for itself until nothing moves any more
    floor.ledger.run("UPDATE run SET state = 'completed'")
    expect(page.locator("h1")).to_contain_text("完了")
    expect(page.locator("#progress[hx-get]")).to_have_count(0)
    staff.clean()
    approver.clean()


def test_somebody_signs_in_for_the_first_time_by_the_keyboard_alone(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    first = accounts.add(floor.service, ADMINISTRATOR, "tanaka", "田中", Role.STAFF)
    watched = Watched(chromium, door)
    page = watched.page
    page.goto("/campaigns")
    page.keyboard.type("tanaka")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(first)
    press(page, "サインイン")
    expect(page.get_by_role("heading", name="パスワードの変更")).to_be_visible()
    for label, typed in (("今のパスワード", first), ("新しいパスワード", GOOD), ("もう一度", GOOD)):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.type(typed)
    press(page, "変更する")
    expect(page.get_by_text("田中（催告担当）")).to_be_visible()
    press(page, "サインアウト")
    expect(page.get_by_role("heading", name="サインイン")).to_be_visible()
    watched.clean()


def acted(page: Page, words: str, reason: str, button: str = "") -> None:
    """Open something that has consequences, say why, and do it."""
    unfold(page, words)
    if reason:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "reason"
        page.keyboard.type(reason)
    press(page, button or words)


def test_the_way_past_the_menu_and_a_person_opened_by_the_keyboard_alone(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    session = signed_in(floor, door, "tanaka", Role.STAFF).cookies["session"]
    watched = Watched(chromium, door, session)
    page = watched.page
    page.goto("/")
    skip = page.get_by_role("link", name="本文へ")
    assert skip.bounding_box()["x"] < 0  # type: ignore[index]
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    assert skip.bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    press(page, "納付者", "link")
    tab_to(page, "宛名番号・電話番号・氏名（漢字かカナ、姓名の全部）", "textbox")
    code = str(floor.ledger.one("SELECT code FROM debtor"))
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    press(page, code, "link")
    expect(page.get_by_text("まだ開いていません")).to_be_visible()
    tab_to(page, "本人などからの問合せ", "radio")
    page.keyboard.press("Space")
    press(page, "理由を記録して開く")
    expect(page.get_by_text("世田谷太郎")).to_be_visible()
    assert floor.ledger.rows(
        "SELECT actor, details ->> 'reason' FROM audit_log WHERE action = 'person.open'"
    ) == [("tanaka", "they_ask")]
    watched.clean()
