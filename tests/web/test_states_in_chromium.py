"""Pages in the states that a full office does not show: nothing there yet, and something entered
wrongly. Each is for everybody, too, and says what to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.web.chromium import chromium
from tests.web.pages import PAGES
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.watched import Watched, faults_of, too_wide, unfolded, unseen_focus

__all__ = ["chromium", "door", "door_settings", "floor"]
pytestmark = pytest.mark.browser

#: Where something is entered wrongly: the page, who, and the form's button.
ENTERED = (
    ("/", Role.APPROVER, "すべて止める"),
    ("/recordings", Role.STAFF, "読み上げて、新しい版にする"),
    ("/people", Role.STAFF, "探す"),
    ("/do-not-contact", Role.STAFF, "いまから連絡しない"),
    ("/bulk-access", Role.STAFF, "ほかの人に確認を頼む"),
    ("/account/password", Role.STAFF, "変更する"),
    ("/sign-in", None, "サインイン"),
    ("/providers", Role.APPROVER, "この事業者を止める"),
    ("/users", Role.ADMINISTRATOR, "加える"),
    ("/tokens", Role.ADMINISTRATOR, "発行する"),
)  # fmt: skip


def seen(page: Page) -> list[str]:
    """What is not for everybody on a page as it is now."""
    unfolded(page)
    return faults_of(page) + unseen_focus(page) + too_wide(page)


def test_an_office_without_anything_yet(chromium: Chromium, floor: Floor, door: Door) -> None:
    asked = [(address, role) for _, address, role in PAGES if role and "{" not in address]
    sessions = {
        role: signed_in(floor, door, f"user-{role.value}", role).cookies["session"]
        for role in {role for _, role in asked}
    }
    wrong: dict[str, list[str]] = {}
    for address, role in asked:
        watched = Watched(chromium, door, sessions[role])
        answer = watched.page.goto(address)
        assert answer is not None and answer.status in (200, 404), address
        expect(watched.page.get_by_text("計算しています")).to_have_count(0)
        if found := seen(watched.page):
            wrong[address] = found
        watched.page.context.close()
    assert wrong == {}
    assert len(asked) > 20


def test_what_is_entered_wrongly_is_said_to_everybody(
    chromium: Chromium, floor: Floor, door: Door
) -> None:
    sessions = {
        role: signed_in(floor, door, f"user-{role.value}", role).cookies["session"]
        for role in {role for _, role, _ in ENTERED if role}
    }
    wrong: dict[str, list[str]] = {}
    for address, role, button in ENTERED:
        watched = Watched(chromium, door, sessions[role] if role else "")
        page = watched.page
        page.goto(address)
        unfolded(page)
        # past the browser's own checks: what the service says is looked at
        page.evaluate("document.querySelectorAll('form').forEach((f) => { f.noValidate = true; })")
        with page.expect_navigation():
            page.get_by_role("button", name=button, exact=True).first.click()
        said = page.locator("main .fault:visible, main .bad:visible")
        found = [] if said.count() else [f"nothing said: {page.locator('main').inner_text()[:300]}"]
        found += seen(page)
        if found:
            wrong[address] = found
        assert watched.outside == []
        page.context.close()
    assert wrong == {}
