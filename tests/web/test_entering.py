"""Coming in as the deployment demands it: by the identity provider, with a second factor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
import requests
import yaml

from contact_service.domain.actors import Role
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.identity import provider as fake
from tests.identity.conftest import _quick_hashes
from tests.identity.provider import Provider
from tests.web.browser import Browser
from tests.web.test_console import GOOD, entered
from tests.web.test_doors import Door, door
from tests.web.test_doors import door_settings as plain_settings

__all__ = ["_quick_hashes", "door", "floor", "plain_settings"]


@pytest.fixture
def office() -> Iterator[Provider]:
    with fake.running() as found:
        found.person = {"sub": "1", "preferred_username": "hana", "groups": ["auditors"]}
        yield found


@pytest.fixture
def door_settings(plain_settings: Settings, office: Provider, tmp_path: Path) -> Settings:
    (tmp_path / "client-secret").write_text(fake.SECRET)
    file = tmp_path / "oidc.yaml"
    file.write_text(
        yaml.safe_dump({
            "issuer": office.issuer,
            "client_id": fake.CLIENT,
            "client_secret_file": str(tmp_path / "client-secret"),
            "redirect_uri": "https://console.city.example/sign-in/oidc/answer",
            "places": [{"group": "auditors", "role": "auditor"}],
        })
    )  # fmt: skip
    return plain_settings.model_copy(
        update={"oidc_file": file, "second_factor_roles": frozenset({"auditor", "approver"})}
    )


def test_by_the_identity_provider(floor: Floor, door: Door, office: Provider) -> None:
    browser = Browser(door.stack.web_url).open("/audit")
    assert 'href="/sign-in/oidc?to=/audit"' in browser.page
    out = requests.get(
        f"{door.stack.web_url}/sign-in/oidc?to=/audit", allow_redirects=False, timeout=60
    )
    cookie = out.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    back = requests.get(out.headers["location"], allow_redirects=False, timeout=60)
    address = back.headers["location"].replace("https://console.city.example", door.stack.web_url)
    stranger = requests.get(address, timeout=60)  # the link in another browser
    assert (stranger.status_code, "確認ができませんでした" in stranger.text) == (401, True)
    inside = requests.get(address, cookies={"oidc": out.cookies["oidc"]}, timeout=60)
    assert inside.status_code == 200
    # a page of ours goes on: a strict cookie is not sent along what another site began
    assert re.search(r'content="0; url=/audit"', inside.text)
    assert "SameSite=strict" in inside.headers["set-cookie"]
    browser.cookies = dict(inside.cookies)
    # the provider has their second factor: none of ours is demanded
    assert browser.open("/audit").path == "/audit" and browser.status == 200
    assert browser.open("/account").status == 200
    assert "/account/password" not in browser.page
    office.person["groups"] = []
    out = requests.get(f"{door.stack.web_url}/sign-in/oidc", allow_redirects=False, timeout=60)
    back = requests.get(out.headers["location"], allow_redirects=False, timeout=60)
    address = back.headers["location"].replace("https://console.city.example", door.stack.web_url)
    refused = requests.get(address, cookies={"oidc": out.cookies["oidc"]}, timeout=60)
    assert (refused.status_code, "役割がありません" in refused.text) == (403, True)
    assert browser.open("/audit").path == "/sign-in?to=/audit"


@pytest.mark.parametrize("by_tls", [False, True])
def test_what_is_kept_for_the_way_back_leaves_by_tls_alone(door: Door, by_tls: bool) -> None:
    scheme = "https" if by_tls else "http"
    door.stack.settings.public_url = f"{scheme}://console.city.example"
    out = requests.get(f"{door.stack.web_url}/sign-in/oidc", allow_redirects=False, timeout=60)
    name, kept = out.headers["set-cookie"].split("=", 1)
    assert name == ("__Host-oidc" if by_tls else "oidc")
    assert ("; Secure" in kept) == by_tls and "; Path=/;" in kept and "Domain" not in kept


def test_a_second_factor_can_be_demanded_of_a_role(floor: Floor, door: Door) -> None:
    browser = entered(floor, door, Role.APPROVER)
    assert "確認コードを設定してください" in browser.page
    assert browser.open("/people").path == "/account"
    assert browser.open("/").path == "/account"
    browser.send("/account/second-factor")
    secret = "".join(re.findall(r"<code>([A-Z2-7 ]+)</code>", browser.page)).replace(" ", "")
    confirm, code = "/account/second-factor/confirm", pyotp.TOTP(secret).now()
    for without in ({"code": code}, {"code": code, "password": "wrong"}):
        assert "今のパスワードが違います" in browser.send(confirm, **without).page
    assert browser.open("/people").path == "/account", "not in force"
    browser.send("/account/second-factor")
    browser.send(confirm, code=pyotp.TOTP(secret).now(), password=GOOD)
    assert browser.path == "/account?done=second-factor"
    assert (browser.open("/people").path, browser.status) == ("/people", 200)


def test_tokens_are_issued_shown_once_and_revoked(floor: Floor, door: Door) -> None:
    browser = entered(floor, door)
    browser.open("/tokens").send("/tokens", label="電話システム", role="operator", days="9")
    assert (browser.status, "範囲を一つ以上" in browser.page) == (422, True)
    browser.send("/tokens", label="電話システム", role="operator", scope="centre", days="9")
    (made,) = re.findall(r"<code>(contact_[\w-]+)</code>", browser.page)
    assert door.api("/api/operator/next", {"operator": "1"}, token=made)[0] < 300
    assert made not in browser.open("/tokens").page
    (number,) = re.findall(r'/tokens/(\d+)/revoke"[^§]*?電話システム', browser.page)
    browser.send(f"/tokens/{number}/revoke")
    assert door.api("/api/operator/next", {"operator": "1"}, token=made)[0] == 401
