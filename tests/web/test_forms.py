"""Every form of every page without JavaScript: what is sent by plain HTTP is answered by a page, and
what is wrong is said there, with what to do about it, in the reader's language."""

from __future__ import annotations

import ast
import json
import re
from urllib.parse import urlencode

from contact_service.domain.actors import Role
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.web.browser import Browser
from tests.web.catalogue import texts
from tests.web.forms import Form, Forms
from tests.web.pages import PAGES
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.world import lived_in, world

__all__ = ["door", "door_settings", "floor"]

#: What ends sessions that are used here.
ENDS = re.compile(r"/sign-out|/users/.*/(reset|disable|assign|sign-out)|/account/sessions.*")
ERRORS = re.compile(
    r'<div class="fault".*?</div>|<p class="bad".*?</p>|<h1>(?:できません|Not possible)</h1>.*?</p>',
    re.S,
)
#: What stays as it is: names, a file's column, a recording's words, and an office's own reasons for
#: a result.
DATA = {
    "世田谷区役所", "日本語", "国民健康保険料", "未納額", "世田谷区役所です。",
    "英語", "中国語", "韓国語", "ベトナム語",
}  # fmt: skip
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


def wrong(attributes: dict[str, str]) -> str:
    """What does not belong into a field, as a browser would still send it."""
    if attributes.get("type") == "date":
        return "2020-01-01"
    return "1" if attributes.get("inputmode") == "numeric" else "<b>&\"'あ" * 40


def told(page: str) -> list[str]:
    """What a page says is wrong."""
    shown = re.sub(r"<div hidden.*?</div>", "", page, flags=re.S)
    return [
        re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", one)).strip() for one in ERRORS.findall(shown)
    ]


def sent(browser: Browser, form: Form, fields: list[tuple[str, str]]) -> list[str]:
    """What is not right about the answer to a form that is not filled in well."""
    browser.post_raw(form.action, urlencode(fields))
    if browser.status not in (200, 401, 404, 409, 422) or "<main" not in browser.page:
        return [f"answered {browser.status}"]
    if browser.status not in (401, 422):
        return []
    said = told(browser.page)
    if not said:
        return ["nothing said"]
    english = browser.cookies.get("language") == "en"
    found = [f"in Japanese: {one}" for one in said if english and JAPANESE.search(one)]
    found += [f"of a shell: {one}" for one in said if re.search(r"(^|\s|（)--[a-z]", one)]
    return found + [
        f"too long for a field that does not say so: {one}"
        for one in said
        if "長すぎる" in one or "is too long" in one
    ]


def sayings() -> set[str]:
    """Every text in Japanese that stands whole in a source: what a page in English must not say."""
    found: set[str] = set()
    for room in ("contact_service", "campaigns"):
        for source in (ROOT / room).rglob("*.py"):
            for each in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    found.add(each.value.strip())
    return {one for one in found | texts() if JAPANESE.search(one)} - DATA


def untranslated(page: str, said: set[str]) -> list[str]:
    """Texts of ours that a page in English shows in Japanese."""
    shown = re.findall(r">([^<>]+)<|(?:aria-label|title|placeholder)=\"([^\"]+)\"", page)
    return sorted({one.strip() for both in shown for one in both if one.strip() in said})


def test_every_form_is_answered_without_scripts_and_says_what_is_wrong(
    floor: Floor, door: Door
) -> None:
    places = world(floor, door)
    people = {
        role: signed_in(floor, door, f"user-{role.value}", role)
        for role in {role for _, _, role in PAGES if role}
    }
    lived_in(places, people)
    faults: dict[str, list[str]] = {}
    seen: set[tuple[Role | None, str]] = set()
    said = sayings()
    pages = []  # all are read before anything is sent
    for name, address, role in PAGES:
        browser = people[role] if role else Browser(door.stack.web_url)
        status, whole = browser.fetch(address.format(**places))
        assert status == (404 if name == "not-found" else 200), name
        pages.append((name, role, browser, Forms(whole.decode())))
        browser.cookies["language"] = "en"
        if found := untranslated(browser.fetch(address.format(**places))[1].decode(), said):
            faults[f"{name}: in Japanese"] = found
        browser.cookies["language"] = "ja"
    for name, role, browser, read in pages:
        if read.astray or read.scripts:
            faults[name] = [*read.astray, *read.scripts]
        for form in read.forms:
            kind = re.sub(r"[0-9a-f-]{36}|\d+", "N", form.action)
            if ENDS.fullmatch(form.action) or form.impossible or (role, kind) in seen:
                continue
            seen.add((role, kind))
            found = [] if form.buttons else ["no button"]
            if form.method == "post" and role and not any(k == "form_token" for k, _ in form.kept):
                found.append("takes forms from anywhere")
            for language in ("ja", "en"):
                browser.cookies["language"] = language
                for words in (lambda _: "", wrong):
                    fields = form.filled(words)
                    if form.method == "post":
                        found += sent(browser, form, fields)
                    else:
                        browser.open(f"{form.action}?{urlencode(fields)}")
                        found += [] if browser.status in (200, 404, 422) else [f"{browser.status}"]
            browser.cookies["language"] = "ja"
            if found:
                faults[f"{name} {kind}"] = found
    assert faults == {}, json.dumps(faults, ensure_ascii=False, indent=1)
    assert len(seen) > 50
