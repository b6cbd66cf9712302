"""Every page in a real browser: nothing from outside, nothing that axe-core finds, no fault in a
script, readable at twice the size and on a tablet; a campaign by the keyboard alone.

``make test-browser``; ``make screenshots`` takes pictures of the same pages for the manual.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.domain.actors import Role
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, mobile
from tests.web.chromium import chromium
from tests.web.pages import PAGES
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.world import lived_in, world

__all__ = ["chromium", "door", "door_settings", "floor"]
pytestmark = pytest.mark.browser

AXE = ROOT / "tests" / "web" / "vendor" / "axe-4.14.1.min.js"
#: JIS X 8341-3:2016 is WCAG 2.0; 2.1 and 2.2 are asked for on top.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What the eye does not follow; "good" is 0.1 (https://web.dev/articles/cls).
MOST_SHIFT = 0.01
#: Where ``make screenshots`` wants its pictures; unset: none are taken.
PICTURES = os.environ.get("SCREENSHOTS")


#: Adds up what moves by itself (https://web.dev/articles/cls): what a person causes does not count.
SHIFTS = """
window.shifted = 0; window.moved = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    if (entry.hadRecentInput) return;
    window.shifted += entry.value;
    entry.sources.forEach((one) => window.moved.push(
        one.node?.outerHTML?.slice(0, 120) ?? one.node?.textContent?.slice(0, 120)));
})).observe({type: "layout-shift", buffered: true});
"""


class Watched:
    """A page whose requests and scripts are watched."""

    def __init__(self, chromium: Chromium, door: Door, session: str = "", **more: Any) -> None:
        self.outside: list[str] = []
        self.failed: list[str] = []
        context = chromium.new_context(base_url=door.stack.web_url, locale="ja-JP", **more)
        url = door.stack.web_url
        if session:
            context.add_cookies([{"name": "session", "value": session, "url": url}])
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.add_init_script(SHIFTS)
        own = urlsplit(url).netloc
        self.page.on(
            "request",
            lambda request: (
                self.outside.append(request.url) if urlsplit(request.url).netloc != own else None
            ),
        )
        self.page.on("pageerror", lambda error: self.failed.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.failed.append(message.text) if message.type == "error" else None,
        )

    def clean(self) -> None:
        """Nothing was asked for outside, no script failed, no policy was broken."""
        assert (self.outside, self.failed) == ([], [])


def jumps(page: Page) -> list[str]:
    """What has moved by itself since the page was opened."""
    shifted = page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => "
        "go([window.shifted, window.moved]))))"
    )
    return [f"moved by {shifted[0]:.3f}: {shifted[1]}"] if shifted[0] > MOST_SHIFT else []


def faults_of(page: Page) -> list[str]:
    """What axe-core finds on a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules})).violations.map("
        "v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))",
        RULES,
    )
    return [str(each) for each in found]


def test_every_page_is_for_everybody_and_stays_inside(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    people = {
        role: signed_in(floor, door, f"user-{role.value}", role)
        for role in {role for _, _, role in PAGES if role}
    }
    lived_in(places, people)
    sessions = {role: browser.cookies["session"] for role, browser in people.items()}
    wrong: dict[str, list[str]] = {}
    for name, address, role in PAGES:
        watched = Watched(chromium, door, sessions[role] if role else "")
        page = watched.page
        answer = page.goto(address.format(**places))
        status = 404 if name == "not-found" else 200
        assert answer is not None and answer.status == status, (name, answer and answer.status)
        expect(page.get_by_text("計算しています")).to_have_count(0)
        if found := jumps(page) + faults_of(page):
            wrong[name] = found
        if name == "not-found":  # the status itself is told as a failure
            watched.failed.clear()
        watched.clean()
        for what, size in (("200 %", (640, 480)), ("tablet", (768, 1024))):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                wrong.setdefault(name, []).append(f"{what}: {wide} px too wide")
        if PICTURES:
            pictures(page, Path(PICTURES), name)
        page.context.close()
    assert wrong == {}


def pictures(page: Page, folder: Path, name: str) -> None:
    """The page in Japanese and in English, as the manual shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    here = page.url
    for language in ("ja", "en"):
        page.context.add_cookies([{"name": "language", "value": language, "url": here}])
        page.goto(here)
        page.screenshot(path=folder / f"{name}.{language}.png", clip={
            "x": 0, "y": 0, "width": 1280,
            "height": min(1600, page.evaluate("document.documentElement.scrollHeight")),
        }, full_page=True, scale="css")  # fmt: skip


def tab_to(page: Page, name: str, role: str = "button") -> None:
    """Press Tab until the control of that name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    expect(wanted).to_be_visible()
    for _ in range(150):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {name}")


def press(page: Page, name: str, role: str = "button") -> None:
    """Reach a control by the keyboard and press it."""
    tab_to(page, name, role)
    page.keyboard.press("Enter")


def unfold(page: Page, words: str) -> None:
    """Reach a fold by the keyboard and open it."""
    wanted = page.locator("summary").filter(has_text=words).first
    for _ in range(150):
        if wanted.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {words}")


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
    # the page asks for itself until nothing moves any more
    floor.ledger.run("UPDATE run SET state = 'completed'")
    expect(page.locator("h1")).to_contain_text("完了")
    expect(page.locator("#progress[hx-get]")).to_have_count(0)
    staff.clean()
    approver.clean()


def test_what_asks_for_itself_again_does_not_jump(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    session = signed_in(floor, door, "suzuki", Role.APPROVER).cookies["session"]
    watched = Watched(chromium, door, session)
    page = watched.page
    page.goto(f"/runs/{places['run']}")
    for state in ("paused", "running"):  # each an answer that is put in place of the last
        with page.expect_response("**/progress?*"):
            pass
        floor.ledger.run("UPDATE run SET state = :state", state=state)
    with page.expect_response("**/progress?*"):
        pass
    assert jumps(page) == []
    page.goto(f"/campaigns/{places['campaign']}/versions/2/preview?day=2026-11-12")
    expect(page.get_by_text("計算しています")).to_have_count(0)
    assert jumps(page) == []
    page.goto("/calendar?year=2027")
    expect(page.get_by_text("計算しています")).to_have_count(0)
    assert jumps(page) == []
    watched.clean()


def test_without_scripts_a_reload_shows_the_same(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    session = signed_in(floor, door, "tanaka", Role.STAFF).cookies["session"]
    page = Watched(chromium, door, session, java_script_enabled=False).page
    page.goto(f"/runs/{places['run']}")
    for _ in range(2):
        expect(page.get_by_text("済んだ連絡")).to_be_visible()
        page.reload()
    # Chromium with scripts turned off from outside shows no <noscript>: its words are looked for
    assert "この画面は自動では新しくなりません" in page.content()
