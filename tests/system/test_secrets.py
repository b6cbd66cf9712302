"""No secret that a deployment has, or that somebody was given, reaches the database, the queue or
a log: a dump of everything is searched for each of them after a day's work."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest

from contact_service import logs
from contact_service.dispatch.drain import redis_client
from contact_service.domain.actors import Role
from contact_service.identity import accounts
from contact_service.intake.importing import import_file
from contact_service.store import audit_chain
from contact_service.store.crypto import load_vault
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.intake.conftest import CLAIM, STAFF, write_csv
from tests.store.test_backup import TOOLS
from tests.web.browser import Browser
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

OWN = "otter-lamp-violet-stairs"


def written_as(secret: str | bytes) -> set[bytes]:
    """Every way in which it could stand there."""
    raw = secret.encode() if isinstance(secret, str) else secret
    coded = base64.b64encode(raw).rstrip(b"=")
    return {raw, raw.hex().encode(), coded, coded.hex().encode(), repr(raw)[2:-1].encode()}


def dump(floor: Floor) -> bytes:
    url = str(floor.service.settings.database_url)
    done = subprocess.run(
        [TOOLS / "pg_dump", "--no-owner", url], check=True, capture_output=True,
        env={**os.environ, "LD_LIBRARY_PATH": ""},
    )  # fmt: skip
    return done.stdout


def test_no_secret_is_in_a_dump_the_queue_or_a_log(
    floor: Floor, door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logged = io.StringIO()
    logs.configure("json", stream=logged)
    service, settings = floor.service, door.stack.settings
    keys = json.loads(settings.keys_path.read_text())
    vault = load_vault(settings.keys_path)
    secrets: dict[str, str | bytes] = {
        "audit key": vault.audit_key,
        "index key": base64.b64decode(keys["index_key"]),
        "database password": urlsplit(str(settings.database_url)).password or "",
        "queue password": urlsplit(settings.broker_url).password or "",
        "telephone system's token": (settings.state_dir / "api-token").read_text().strip(),
        "carrier's token": (settings.state_dir / "carrier-token").read_text().strip(),
        "own password": OWN,
    }
    secrets |= {f"key {n}": base64.b64decode(key) for n, key in keys["keys"].items()}
    # somebody comes in, with a password and a second factor of their own
    secrets["first password"] = first = accounts.add(
        service, ADMINISTRATOR, "suzuki", "鈴木", Role.ADMINISTRATOR
    )
    browser = Browser(door.stack.web_url).open("/sign-in")
    browser.send("/sign-in", name="suzuki", password=first)
    browser.send("/account/password", old=first, new=OWN, again=OWN)
    browser.open("/account").send("/account/second-factor")
    shown = re.search(r"<code[^>]*>([A-Z2-7 ]{16,})</code>", browser.page)
    assert shown, browser.page
    secrets["second factor"] = factor = shown[1].replace(" ", "")
    code = pyotp.TOTP(factor).now()
    browser.send("/account/second-factor/confirm", code=code, password=OWN)
    assert "done=second-factor" in browser.path
    secrets["session"] = browser.cookies["session"]
    # another system gets a token, and uses it
    browser.open("/tokens").send(
        "/tokens", label="他システム", role="staff", office="", scope="campaigns:read", days="30"
    )
    given = re.search(r"<code[^>]*>([\w-]{30,})</code>", browser.page)
    assert given, browser.page
    secrets["other system's token"] = given[1]
    assert door.ask("GET", "/api/campaigns", "", {"Authorization": f"Bearer {given[1]}"})[0] == 200
    # a day's work
    import_file(service, STAFF, "claims", write_csv(tmp_path / "滞納_20260930.csv", [CLAIM]),
                training=True)  # fmt: skip
    floor.start()
    floor.drain()
    floor.clock.at += timedelta(days=1)
    door.api("/api/operator/next", {"operator": "201"})
    door.api("/api/operator/next", {"operator": "201"}, token="wrong" + given[1])
    form = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered"}
    assert door.report("/webhooks/simulated/receipts", form)[0] < 300
    audit_chain.seal(service.engine)
    places = {"database": dump(floor), "log": logged.getvalue().encode()}
    out, err = capfd.readouterr()
    places["output"] = (out + err).encode()
    client = redis_client(settings.broker_url)
    places["queue"] = b"".join(bytes(k) + (client.dump(k) or b"") for k in client.scan_iter())
    assert b"suzuki" in places["database"]  # it is the right one
    secrets = {name: secret for name, secret in secrets.items() if secret}
    assert len(secrets) >= 12
    found = {
        (name, place)
        for name, secret in secrets.items()
        for place, told in places.items()
        if any(form in told for form in written_as(secret))
    }
    assert found == set()
