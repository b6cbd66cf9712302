"""The console's entrance: nobody sees anything before signing in, and every page has a rule."""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from itertools import groupby

import pytest
from babel.messages.pofile import read_po

from contact_service.domain.actors import Role
from contact_service.identity import accounts
from contact_service.web import words
from contact_service.web.locale import CATALOGUES, side
from contact_service.web.navigation import MENU, menu
from contact_service.web.session import local
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import mobile
from tests.web.browser import Browser
from tests.web.catalogue import texts
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

GOOD = "otter-lamp-violet-stairs"


def entered(floor: Floor, door: Door, role: Role = Role.ADMINISTRATOR) -> Browser:
    """Somebody who has signed in for the first time and chosen a password."""
    first = accounts.add(floor.service, ADMINISTRATOR, "tanaka", "田中", role)
    browser = Browser(door.stack.web_url).open("/")
    assert browser.path == "/sign-in?to=/"
    browser.send("/sign-in", name="tanaka", password=first)
    assert browser.path == "/account/password"
    browser.open("/")
    assert browser.path == "/account/password"  # nothing else before that
    browser.send("/account/password", old=first, new=GOOD, again=GOOD)
    assert browser.path == "/account?done=password"
    return browser


def test_every_text_is_in_english_too() -> None:
    with (CATALOGUES / "en.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    said = {str(message.id): str(message.string) for message in catalogue if message.id}
    assert {words for words in texts() if not said.get(words)} == set()
    assert set(said) - texts() == set()  # and nothing that no page says any more
    assert not any(re.search(r"[ぁ-んァ-ヶ一-龠]", words) for words in said.values())


def test_signing_in_and_out(floor: Floor, door: Door) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    browser = entered(floor, door)
    browser.open("/")
    assert (browser.status, "訓練データ" in browser.page) == (200, True)
    assert mobile(1) not in browser.page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", browser.page)
    assert browser.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in browser.headers["content-security-policy"]
    held = dict(browser.cookies)
    browser.open("/language/en?to=/")
    assert "Reminders under way" in browser.page
    assert not re.search("実施状況", browser.page)
    browser.send("/sign-out")
    assert browser.path == "/sign-in"
    browser.cookies = held  # the cookie kept aside opens nothing any more
    assert browser.open("/users").path == "/sign-in?to=/users"


def test_a_wrong_password_says_how_to_go_on_and_keeps_the_name(floor: Floor, door: Door) -> None:
    entered(floor, door)
    browser = Browser(door.stack.web_url).open("/sign-in?to=/account")
    browser.send("/sign-in", name="tanaka", password="no", to="/account")
    assert (browser.status, "管理者に連絡" in browser.page) == (401, True)
    assert 'value="tanaka"' in browser.page
    browser.send("/sign-in", name="tanaka", password=GOOD, to="//evil.example/")
    assert browser.path == "/"


def test_forms_of_other_sites_are_refused(floor: Floor, door: Door) -> None:
    browser = entered(floor, door)
    assert browser.post("/users/tanaka/reset", {}).status == 403
    assert browser.post("/users/tanaka/reset", {"form_token": "x" * 32}).status == 403
    assert "開き直して" in browser.page
    fields = {"name": "tanaka", "password": GOOD}
    for site in ("cross-site", "same-site"):  # a neighbour under the same domain is another site
        assert browser.post("/sign-in", fields, {"Sec-Fetch-Site": site}).status == 403
    assert browser.post("/sign-in", fields, {"Origin": "http://evil.example"}).status == 403
    cookie = f"session={browser.cookies['session']}"
    other = Browser(door.stack.web_url)
    answer = other.post("/sign-in", fields)
    assert cookie not in answer.headers.get("set-cookie", "")  # every sign-in is a new session


def test_an_administrator_keeps_accounts_and_others_do_not(floor: Floor, door: Door) -> None:
    browser = entered(floor, door)
    browser.open("/users").send("/users", name="sato", shown_name="佐藤<b>", role="operator")
    given = re.search(r"<code>([a-z0-9-]{19})</code>", browser.page)
    assert given and "佐藤<b>" in browser.page  # unescaped by this browser; see the raw below
    operator = Browser(door.stack.web_url).open("/sign-in")
    operator.send("/sign-in", name="sato", password=given[1])
    operator.send("/account/password", old=given[1], new=GOOD, again="another")
    assert (operator.status, "2つの入力が違います" in operator.page) == (422, True)
    operator.send("/account/password", old=given[1], new=GOOD, again=GOOD)
    assert operator.open("/users").status == 403
    assert operator.send("/users/tanaka/disable").status == 403
    assert 'href="/users"' not in operator.open("/").page
    browser.open("/users").send("/users/sato/disable")
    assert operator.open("/").path.startswith("/sign-in")
    browser.open("/users").send("/users/sato/enable")
    operator.open("/sign-in").send("/sign-in", name="sato", password=GOOD)
    assert operator.open("/").path == "/"
    browser.open("/users").send("/users/sato/sign-out")
    assert operator.open("/").path.startswith("/sign-in")
    # in April she goes to another office
    operator.send("/sign-in", name="sato", password=GOOD)
    browser.open("/users").send("/users/sato/assign", role="supervisor", office="保育担当課")
    assert operator.open("/").path.startswith("/sign-in")
    operator.send("/sign-in", name="sato", password=GOOD)
    assert operator.open("/centre").status == 200
    browser.open("/users").send("/users/sato/assign", role="supervisor", office="保育課")
    assert (browser.status, "次のどれか" in browser.page) == (422, True)
    browser.open("/users").send("/users/tanaka/assign", role="staff", office="*")
    assert (browser.status, "自分の役割は変えられません" in browser.page) == (422, True)
    browser.open("/users").send("/users", name="Sato", shown_name="x", role="operator")
    assert (browser.status, "使えません" in browser.page) == (422, True)


@pytest.mark.parametrize("path", ["//evil", "https://evil", "/\\evil", "evil", "", "/a\r\nb"])
def test_no_way_leads_out_of_the_house(path: str) -> None:
    assert local(path) == "/"
    assert local("/account?x=1") == "/account?x=1"


def test_a_text_of_two_languages_is_shown_in_one() -> None:
    class Reader:
        def __init__(self, language: str) -> None:
            self.cookies = {"language": language}

    both = "違います / not right\nだめです / no"
    assert side(Reader("en"), both) == "not right\nno"  # type: ignore[arg-type]
    assert side(Reader("xx"), both) == "違います\nだめです"  # type: ignore[arg-type]


def test_a_birth_date_is_said_by_era() -> None:
    class Reader:
        def __init__(self, language: str) -> None:
            self.cookies = {"language": language}

    assert words.of(Reader("ja")).born("1965-07-10") == "昭和40年7月10日"  # type: ignore[arg-type]
    assert words.of(Reader("en")).born("1965-07-10") == "1965-07-10"  # type: ignore[arg-type]
    assert words.of(Reader("ja")).born("不詳") == "不詳"  # type: ignore[arg-type]


class Reads:
    """Who reads in a language."""

    def __init__(self, language: str) -> None:
        self.cookies = {"language": language}


def test_steps_are_said_in_words_and_a_day_of_another_year_with_it() -> None:
    steps = [("a", "sms"), ("b", "sms"), ("c", "auto_call")]
    names, channels = [name for name, _ in steps], [channel for _, channel in steps]
    ja = words.of(Reads("ja"), date(2026, 11, 9))  # type: ignore[arg-type]
    en = words.of(Reads("en"))  # type: ignore[arg-type]
    assert list(ja.steps(names, channels).values()) == ["SMS 1回目", "SMS 2回目", "オートコール"]
    assert list(en.steps(names, channels).values()) == ["SMS, round 1", "SMS, round 2", "auto-call"]
    assert ja.day(date(2026, 10, 26)) == "10月26日（月）"
    assert ja.day(date(2025, 10, 27)) == "令和7年10月27日（月）"
    assert [ja.scope(one) for one in ("all", "provider:x", "channel:sms")] == [
        "すべての発信", "事業者 x", "SMS",
    ]  # fmt: skip


def test_the_menu_shows_what_may_be_opened_and_where_one_is() -> None:
    def seen(role: Role) -> set[str]:
        return {entry.path for entry, _ in menu(role, "/")}

    assert seen(Role.ADMINISTRATOR) == {entry.path for entry in MENU}
    assert "/desk" in seen(Role.OPERATOR) and "/users" not in seen(Role.OPERATOR)
    assert menu(None, "/") == []
    marked = {entry.path: current for entry, current in menu(Role.OPERATOR, "/desk/contact-again")}
    assert {path for path, current in marked.items() if current} == {"/desk"}
    assert ("page", "/audit") in {
        (current, entry.path) for entry, current in menu(Role.AUDITOR, "/audit")
    }


def test_what_stands_together_in_the_menu_is_one_group() -> None:
    for role in Role:
        groups = [group for group, _ in groupby(entry.group for entry, _ in menu(role, "/"))]
        assert len(groups) == len(set(groups)) <= 4, role


@pytest.mark.parametrize(
    ("file", "decision"),
    [
        ("contact_service/web/static/htmx-2.0.11.min.js", "0031-the-consoles-look-and-htmx.md"),
        ("tests/web/vendor/axe-4.14.1.min.js", "0034-axe-core-in-the-browser-tests.md"),
    ],
)
def test_what_is_vendored_is_what_the_decision_names(file: str, decision: str) -> None:
    said = (ROOT / "docs" / "decisions" / decision).read_text(encoding="utf-8")
    assert sha256((ROOT / file).read_bytes()).hexdigest() in said
