"""Every page in a real browser: nothing from outside, nothing that axe-core finds, no fault in a
script, readable at twice the size and on a tablet, and one sees where the focus is.

``make test-browser``; ``make screenshots`` takes pictures of the same pages for the manual.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.web.chromium import chromium
from tests.web.pages import PAGES
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.watched import (
    Watched,
    faults_of,
    jumps,
    language,
    too_wide,
    unfolded,
    unseen_focus,
)
from tests.web.world import lived_in, world

__all__ = ["chromium", "door", "door_settings", "floor"]
pytestmark = pytest.mark.browser

#: Where ``make screenshots`` wants its pictures; unset: none are taken.
PICTURES = os.environ.get("SCREENSHOTS")
#: Whom the manual shows.
CALLED = {
    Role.STAFF: ("sato", "佐藤"), Role.APPROVER: ("suzuki", "鈴木"),
    Role.OPERATOR: ("takahashi", "高橋"), Role.CONTRACTOR: ("tanaka", "田中"),
    Role.SUPERVISOR: ("ito", "伊藤"), Role.EVALUATOR: ("watanabe", "渡辺"),
    Role.AUDITOR: ("yamamoto", "山本"), Role.ADMINISTRATOR: ("nakamura", "中村"),
}  # fmt: skip


def test_every_page_is_for_everybody_and_stays_inside(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    people = {
        role: signed_in(floor, door, CALLED[role][0], role, shown=CALLED[role][1])
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
        found = jumps(page)
        unfolded(page)
        found += faults_of(page) + unseen_focus(page) + too_wide(page)
        if name == "not-found":  # the status itself is told as a failure
            watched.failed.clear()
        watched.clean()
        language(page, "en")
        unfolded(page)
        found += [f"English: {one}" for one in too_wide(page)]
        if found:
            wrong[name] = found
        if PICTURES:
            pictures(page, Path(PICTURES), name)
        page.context.close()
    assert wrong == {}


def pictures(page: Page, folder: Path, name: str) -> None:
    """The page in Japanese and in English, as the manual shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    for said in ("en", "ja"):
        language(page, said)
        page.screenshot(path=folder / f"{name}.{said}.png", clip={
            "x": 0, "y": 0, "width": 1280,
            "height": min(1600, page.evaluate("document.documentElement.scrollHeight")),
        }, full_page=True, scale="css")  # fmt: skip


def test_what_asks_for_itself_again_does_not_jump(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    session = signed_in(floor, door, "suzuki", Role.APPROVER).cookies["session"]
    watched = Watched(chromium, door, session)
    page = watched.page
    page.goto(f"/runs/{places['run']}")
    for state, shown in (("paused", "一時停止"), ("running", "実施中")):
        floor.ledger.run("UPDATE run SET state = :state", state=state)
        expect(page.locator("h1")).to_contain_text(shown)  # the whole page came again
        with page.expect_response("**/progress?*"):
            pass  # an answer that is put in place of the last
        assert jumps(page) == []
    page.goto("/campaigns")  # the list, too; whoever is on a link of it stays there
    link = page.locator("#campaigns a").first
    link.focus()
    floor.ledger.run("UPDATE attempt SET state = 'skipped' WHERE channel = 'operator'")
    done = floor.ledger.one("SELECT count(*) FROM attempt WHERE state IN ('finished', 'skipped')")
    expect(page.get_by_text(re.compile(rf"^{done} / "))).to_be_visible()
    expect(link).to_be_focused()
    assert jumps(page) == []
    floor.ledger.run("UPDATE run SET state = 'completed'")
    expect(page.locator("#campaigns[hx-get]")).to_have_count(0)
    floor.ledger.run("UPDATE run SET state = 'running'")
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
