"""What every answer carries for the browser's sake, and what its cookies are: with TLS and without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http.cookies import Morsel, SimpleCookie

import pytest
import requests

from contact_service.domain.actors import Role
from contact_service.embedded.process import free_port
from contact_service.identity import accounts, signing_in
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.web.test_doors import Door, door
from tests.web.test_doors import door_settings as plain_settings

__all__ = ["_quick_hashes", "door", "floor", "plain_settings"]

#: Each directive of the content policy; a new one is written down here, too.
POLICY = {
    "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "media-src": "'self'",
    "font-src": "'self'", "script-src": "'self'", "connect-src": "'self'",
    "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
}  # fmt: skip
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: A page, a page for those who are in, a file, what there is not, the API without a token, a forged
#: report, a body that the framework refuses, a method that there is not.
ASKED = [
    ("GET", "/sign-in", {}, 200),
    ("GET", "/users", {}, 303),
    ("GET", "/static/console.css", {}, 200),
    ("GET", "/no-such-page", {}, 404),
    ("GET", "/healthz", {}, 200),
    ("GET", "/api/openapi.json", {}, 401),
    ("POST", "/webhooks/simulated/receipts", {}, 403),
    ("POST", "/webhooks/simulated/receipts", {"Content-Length": "99999999"}, 413),
    ("GET", "/webhooks/simulated/recordings/notice-greeting.wav", {}, 200),
    ("DELETE", "/sign-in", {}, 405),
]
#: What may be kept: what comes with the program, and what a carrier plays, until it is another.
KEPT = {
    "/static/console.css": None,
    "/webhooks/simulated/recordings/notice-greeting.wav": "no-cache",
}


@pytest.fixture(params=[True, False], ids=["tls", "plain"])
def by_tls(request: pytest.FixtureRequest) -> bool:
    """Whether the console's public address is https."""
    return bool(request.param)


@pytest.fixture
def door_settings(plain_settings: Settings, by_tls: bool) -> Settings:
    if not by_tls:
        return plain_settings
    # with a port that the stack finds itself the address would be that port's
    return plain_settings.model_copy(
        update={"web_port": free_port(), "public_url": "https://office.example"}
    )


def answers(door: Door) -> Iterator[tuple[str, requests.Response]]:
    for method, path, headers, status in ASKED:
        answer = requests.request(
            method,
            f"{door.stack.web_url}{path}",
            headers=headers,
            allow_redirects=False,
            timeout=60,
        )
        assert answer.status_code == status, path
        yield path, answer


def test_every_answer_has_safe_headers(floor: Floor, door: Door, by_tls: bool) -> None:
    for path, answer in answers(door):
        said = answer.headers["Content-Security-Policy"].split(";")
        found = dict(one.strip().split(" ", 1) for one in said)
        assert found == POLICY, path
        assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, path
        hsts = answer.headers.get("Strict-Transport-Security")
        assert hsts == ("max-age=31536000" if by_tls else None), path
        kept = answer.headers.get("Cache-Control")
        assert kept == KEPT.get(path, "no-store"), path
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_no_cookie_can_be_read_or_sent_from_elsewhere(
    floor: Floor, door: Door, by_tls: bool
) -> None:
    first = accounts.add(floor.service, ADMINISTRATOR, "tanaka", "田中", Role.STAFF)
    address = door.stack.web_url
    entered = requests.post(
        f"{address}/sign-in",
        {"name": "tanaka", "password": first},
        allow_redirects=False,
        timeout=60,
    )
    session, browser = cookies(entered)
    assert browser.key == ("__Host-browser" if by_tls else "browser")
    assert flags(browser, by_tls) == ("strict", str(365 * 86_400))
    assert session.key == ("__Host-session" if by_tls else "session")
    assert flags(session, by_tls) == ("strict", str(12 * 3600))
    chosen = requests.get(f"{address}/language/en", allow_redirects=False, timeout=60)
    (language,) = cookies(chosen)
    assert language.key == ("__Host-language" if by_tls else "language")
    assert flags(language, by_tls) == ("lax", str(365 * 86_400))
    told = {"Cookie": f"{session.key}={session.value}; {language.key}={language.value}"}
    page = requests.get(f"{address}/account/password", headers=told, timeout=60)
    assert page.status_code == 200 and '<html lang="en"' in page.text
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    out = requests.post(
        f"{address}/sign-out", {"form_token": token[1]}, headers=told, allow_redirects=False,
        timeout=60,
    )  # fmt: skip
    assert out.headers["Clear-Site-Data"] == '"cache", "storage"'
    (gone,) = cookies(out)
    assert (gone.key, gone.value, gone["max-age"]) == (session.key, "", "0")
    assert bool(gone["secure"]) == by_tls, "a browser takes nothing back without it"
    # what stays lets in whose desk it is while a stranger has locked the account for strangers
    known = {"Cookie": f"{browser.key}={browser.value}"}
    for _ in range(signing_in.TRIES):
        assert enters(address, "wrong", {}) == 401
    assert (enters(address, first, {}), enters(address, first, known)) == (401, 303)
    forged = {"Cookie": f"{browser.key}={session.value}"}
    assert enters(address, first, forged) == 401


def enters(address: str, password: str, told: Mapping[str, str]) -> int:
    """What the sign-in page answers."""
    return requests.post(
        f"{address}/sign-in", {"name": "tanaka", "password": password}, headers=dict(told),
        allow_redirects=False, timeout=60,
    ).status_code  # fmt: skip


def cookies(answer: requests.Response) -> list[Morsel[str]]:
    """All cookies that an answer sets, in order."""
    said = answer.raw.headers.getlist("Set-Cookie")
    return [morsel for one in said for morsel in SimpleCookie(one).values()]


def flags(found: Morsel[str], by_tls: bool) -> tuple[str, str]:
    """Where a cookie is sent from and how long it is kept; no script reads it, no other path or
    host is sent it, and by TLS nothing else is."""
    assert found["httponly"] and not found["domain"] and found["path"] == "/"
    assert bool(found["secure"]) == by_tls
    return found["samesite"].lower(), found["max-age"]
