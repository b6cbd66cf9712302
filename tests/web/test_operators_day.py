"""Operators' days in a real browser, scripts and all: ``make test-browser``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.callcentre.presence import CLOSED_AFTER_SECONDS, close_silent_desks
from contact_service.clock import FileClock
from contact_service.dispatch.reconcile import collect_unknown
from contact_service.domain.actors import Role
from providers.base import Instruction
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, mobile
from tests.web.browser import Browser
from tests.web.chromium import chromium
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_incoming_calls import comes, hangs_up, instructed, office
from tests.web.test_replies import writes
from tests.web.watched import faults_of

__all__ = ["chromium", "door", "door_settings", "floor", "instructed", "office"]
pytestmark = pytest.mark.browser
#: What went wrong in the pages' scripts.
FAILED: list[str] = []


def desk(chromium: Chromium, floor: Floor, door: Door, name: str) -> Page:
    """The desk of an operator in a browser of their own."""
    return opened(chromium, door, signed_in(floor, door, name, Role.OPERATOR), "/desk")


def opened(chromium: Chromium, door: Door, somebody: Browser, address: str) -> Page:
    """Somebody's page in a real browser."""
    session = somebody.cookies["session"]
    context = chromium.new_context(base_url=door.stack.web_url, locale="ja-JP")
    context.add_cookies([{"name": "session", "value": session, "url": door.stack.web_url}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: FAILED.append(str(error)))
    page.goto(address)
    return page


def press(page: Page, name: str) -> None:
    """Press the button of that name."""
    page.get_by_role("button", name=name, exact=True).click()


def record(page: Page, result: str) -> None:
    """Choose a result and record it."""
    page.get_by_label(result, exact=True).check()
    press(page, "記録して次へ")


def test_an_operators_whole_day(
    chromium: Chromium, floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    for n in range(4):
        floor.ledger.person([mobile(n)], [Owed(yen=10_000 * (n + 1))])
    floor.start()
    page = desk(chromium, floor, door, "sato")
    expect(page.get_by_text("デスクは閉じています")).to_be_visible()
    press(page, "受付中")
    page.get_by_label("受電と、画面からの発信で鳴らす電話番号").fill("03-5432-1191")
    press(page, "この電話を使う")

    # a call out, from the first look to a promise in two clicks
    press(page, "次の方を開く")
    expect(page.get_by_text("確認するまで、滞納のことを話してはいけません")).to_be_visible()
    assert "の納付が" not in page.locator(".say").all_inner_texts()[0]
    press(page, "電話をかける（計時を始める）")
    expect(page.locator(".state-talking")).to_have_text("通話中")
    page.get_by_role("button", name="氏名と生年月日で確認した").first.click()
    expect(page.get_by_text("の納付が11月9日現在で確認できておらず")).to_be_visible()
    press(page, "電話を切った")
    expect(page.locator(".state-wrapping_up")).to_have_text("後処理中")
    expect(page.locator("[data-since]")).to_have_text(re.compile(r"^\(00:0[1-9]\)$"))  # it counts
    page.locator("summary").filter(has_text="納付約束：全額").click()
    page.locator("details.quick button").first.click()
    expect(page.locator(".state-free")).to_have_text("受付中")

    # only what belongs to the chosen result is on the page
    press(page, "次の方を開く")
    expect(page.get_by_label("いつ", exact=True)).to_be_hidden()
    page.get_by_label("かけ直しの希望", exact=True).check()
    page.get_by_label("いつ", exact=True).select_option(index=3)
    page.get_by_label("自分がかける").check()
    press(page, "記録して次へ")

    # a break; a reply and a call come in meanwhile and appear by themselves
    press(page, "休憩中")
    expect(page.locator(".state-on_break")).to_have_text("休憩中")
    expect(page.get_by_text("電話がかかっています")).to_be_hidden()
    writes(door, 2, "半分なら払えます")
    expect(page.get_by_text("読まれていない返信が1件あります")).to_be_visible()
    comes(door, 3)
    expect(page.get_by_text("電話がかかっています")).to_be_visible()
    assert faults_of(page) == []
    press(page, "この電話を取る")
    expect(page.locator(".state-talking")).to_have_text("通話中")
    assert len(instructed) == 1
    page.get_by_role("button", name="氏名と住所で確認した").first.click()
    page.get_by_label("生活困窮", exact=True).check()
    page.get_by_label("病気・けが・障害で働けない").check()
    assert faults_of(page) == []
    page.get_by_label("案内した相談先").select_option("法テラス")
    page.get_by_label("本人の了解を得た").check()
    page.get_by_label("記録（任意）").fill("入院中とのこと")
    press(page, "記録して次へ")
    expect(page.locator(".state-free")).to_have_text("受付中")
    press(page, "デスクを閉じる")
    expect(page.get_by_text("デスクは閉じています")).to_be_visible()
    page.close()
    assert FAILED == []
    assert floor.ledger.rows(
        "SELECT kind, attempt_id IS NULL FROM disposition ORDER BY recorded_at, id"
    ) == [("promised", False), ("callback", False), ("hardship", True)]
    assert floor.ledger.rows("SELECT state, body LIKE '%法テラス%' FROM support_text") == [
        ("planned", True)
    ]
    assert floor.ledger.one("SELECT reserved_for FROM attempt WHERE requested") == "sato"
    the_supervisor_looks_after_it(chromium, floor, door)


def the_supervisor_looks_after_it(chromium: Chromium, floor: Floor, door: Door) -> None:
    """The day on the wallboard, what became of somebody in hardship, and a sample for quality."""
    page = opened(chromium, door, signed_in(floor, door, "mori", Role.SUPERVISOR), "/centre")
    referral = page.get_by_role("row").filter(has_text="法テラス")
    expect(referral).to_contain_text("これから送る")
    referral.get_by_role("button").click()
    expect(page.get_by_text("確認を待つものはありません")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="結果の点検").click()
    page.get_by_label("オペレーター", exact=True).select_option("sato")
    press(page, "絞り込む")
    expect(page.get_by_text("3件", exact=True)).to_be_visible()
    page.goto("/centre/quality?day=2026-11-09")
    page.get_by_label("一人あたり何件").fill("1")
    page.get_by_role("button", name="から選ぶ").click()
    expect(page.get_by_text("点検済み 0件、残り 1件")).to_be_visible()
    page.get_by_role("table").get_by_role("link").click()
    page.get_by_label("よい", exact=True).check()
    press(page, "点検を記録する")
    expect(page.get_by_text("（mori）")).to_be_visible()
    page.close()
    assert FAILED == []
    assert floor.ledger.one("SELECT mark FROM quality_review") == "good"


def test_two_browsers_compete_for_one_caller_and_for_one_person(
    chromium: Chromium, floor: Floor, door: Door, instructed: list[tuple[str, Instruction]]
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    pages: Sequence[Page] = [desk(chromium, floor, door, name) for name in ("sato", "suzuki")]
    comes(door, 9)
    for page in pages:
        expect(page.get_by_text("電話がかかっています")).to_be_visible()
        page.evaluate("document.querySelector('[data-calls]').removeAttribute('data-calls')")
    for page in pages:  # neither sees what the other does before pressing
        press(page, "この電話を取る")
    expect(pages[0].locator(".state-talking")).to_be_visible()
    expect(pages[1].get_by_text("ほかの人が取ったか")).to_be_visible()
    assert len(instructed) == 1
    record(pages[0], "番号違い")
    hangs_up(door, 9)

    # one person on the list
    for page in pages:
        page.goto("/desk")
        press(page, "次の方を開く")
    expect(pages[0].get_by_role("heading", name="世田谷太郎").first).to_be_visible()
    expect(pages[1].get_by_text("いま架電できる方はいません")).to_be_visible()

    # a browser that is closed gives the person back
    pages[0].close()
    hold = "lease_until - clock_timestamp() <= make_interval(secs => :seconds)"
    assert floor.ledger.one(
        f"SELECT {hold} FROM attempt WHERE state = 'leased'", seconds=CLOSED_AFTER_SECONDS
    )
    floor.ledger.run("UPDATE attempt SET lease_until = '2020-01-01' WHERE state = 'leased'")
    floor.ledger.run("UPDATE operator_period SET seen_at = '2020-01-01' WHERE operator = 'sato'")
    collect_unknown(floor.service)
    now = FileClock(door.stack.settings.state_dir / "clock.json").now()
    with floor.service.engine.begin() as connection:
        close_silent_desks(connection, now + timedelta(seconds=1))
    press(pages[1], "次の方を開く")
    expect(pages[1].get_by_role("heading", name="世田谷太郎").first).to_be_visible()
    pages[1].close()
    assert FAILED == []
