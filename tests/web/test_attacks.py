"""Attacks from the list, at the running web application: forged, replayed and other tenants' reports;
payloads at the entrance (those in every field: ``test_payloads.py``)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
import yaml
from twilio.request_validator import RequestValidator

from contact_service import logs
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.ledger import mobile
from tests.web.payloads import PAYLOADS
from tests.web.test_doors import Door, door, sms
from tests.web.test_doors import door_settings as plain_settings

__all__ = ["_quick_hashes", "door", "floor", "plain_settings"]

TENANTS = {"east": "e" * 32, "west": "w" * 32}


@pytest.fixture
def door_settings(plain_settings: Settings, tmp_path: Path) -> Settings:
    """Two offices' accounts with one carrier."""
    entries = []
    for name, secret in TENANTS.items():
        (tmp_path / name).write_text(secret)
        entries.append({
            "name": name, "adapter": "twilio", "live": True, "per_second": {"sms": 1},
            "options": {
                "account_sid": "AC" + name[0].encode().hex() * 16,
                "auth_token": {"file": str(tmp_path / name)}, "from_number": "+81300000000",
            },
        })  # fmt: skip
    file = tmp_path / "providers.yaml"
    file.write_text(yaml.safe_dump({"providers": entries}))
    return plain_settings.model_copy(update={"providers_file": file})


def reported(door: Door, path: str, signed_for: str, secret: str, form: dict[str, str]) -> int:
    """A report that is sent to ``path`` with the signature for another address."""
    url = f"{door.stack.settings.public_url}{signed_for}"
    signature = RequestValidator(secret).compute_signature(url, form)
    return requests.post(
        f"{door.stack.web_url}{path}", form, headers={"X-Twilio-Signature": signature}, timeout=60
    ).status_code


def test_a_report_counts_for_its_own_tenant_and_address_alone(floor: Floor, door: Door) -> None:
    attempt, other = uuid4(), uuid4()
    east, west = (f"/webhooks/{name}/receipts/{attempt}" for name in TENANTS)
    form = sms()
    assert reported(door, west, west, TENANTS["east"], form) == 403  # another tenant's secret
    assert reported(door, west, east, TENANTS["east"], form) == 403  # replayed at another tenant
    elsewhere = f"/webhooks/west/receipts/{other}"
    assert reported(door, elsewhere, west, TENANTS["west"], form) == 403  # about another attempt
    assert reported(door, f"{west}?attempt={other}", west, TENANTS["west"], form) == 403
    for door_of in ("messages", "inbound"):
        path = f"/webhooks/west/{door_of}"
        assert reported(door, path, path, TENANTS["east"], form) == 403
    assert floor.ledger.one("SELECT count(*) FROM event") == 0
    # an address is signed as it was asked for
    plain, spelt = f"{west}?of=区", f"{west}?of=%E5%8C%BA"
    assert reported(door, spelt, plain, TENANTS["west"], form) == 403
    assert floor.ledger.one("SELECT count(*) FROM event") == 0
    assert reported(door, spelt, spelt, TENANTS["west"], form) == 204
    for _ in range(2):  # and said again it changes nothing
        assert reported(door, west, west, TENANTS["west"], form) == 204
    assert floor.ledger.one("SELECT count(*) FROM event") == 1


def test_what_a_call_says_is_told_to_the_carrier_that_makes_it(floor: Floor, door: Door) -> None:
    """Another one's request may be signed as well as it likes."""
    floor.ledger.person([mobile(1)])
    floor.start()
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'auto_call'")
    floor.ledger.run("UPDATE attempt SET provider = 'east' WHERE id = :id", id=attempt)
    call = {"CallSid": "CA" + "1" * 32, "CallStatus": "in-progress", "Digits": "9"}
    answered = {
        (name, door_of): reported(door, path, path, secret, call)
        for name, secret in TENANTS.items()
        for door_of in ("greeting", "greeting/key")
        if (path := f"/webhooks/{name}/voice/{attempt}/{door_of}")
    }
    assert {at: status for at, status in answered.items() if status != 200} == {
        ("west", "greeting"): 404, ("west", "greeting/key"): 404,
    }  # fmt: skip
    assert floor.ledger.rows("SELECT provider, outcome FROM event") == [("east", "opted_out")]


def test_one_carriers_secret_leaves_nobody_alone_whom_another_contacts(
    floor: Floor, door: Door
) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'sms'")
    floor.ledger.run(
        "UPDATE attempt SET provider = 'east', provider_ref = :ref, state = 'accepted', "
        "lease_number = 1, leased_at = due_at, submitted_at = due_at WHERE id = :id",
        id=attempt, ref="SM" + "e" * 32,
    )  # fmt: skip
    form = sms("SM" + "f" * 32, "undelivered") | {"ErrorCode": "21610"}  # they have opted out
    for name, restricted in (("west", 0), ("east", 1)):
        path = f"/webhooks/{name}/receipts/{attempt}"
        own = form | ({"MessageSid": "SM" + "e" * 32} if name == "east" else {})
        assert reported(door, path, path, TENANTS[name], own) == 204
        assert floor.ledger.one("SELECT count(*) FROM restriction") == restricted, name


FLOODS = {
    "as many fields as a megabyte holds": ("&".join(f"{n:x}=" for n in range(145_000)), 413),
    "many fields": ("&".join(f"{n:x}=" for n in range(9_000)), 400),
    "one field more than any form has": ("&".join(f"{n}=" for n in range(101)), 400),
    "a large field": ("Body=" + "a" * 64_000, 413),
    "as many as a form may have": ("&".join(f"{n}=" for n in range(100)), 403),
}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("door_of", ["receipts", "messages", "inbound"])
@pytest.mark.parametrize("kind", [FORM, f"{FORM.upper()} ; charset=utf-8"])
def test_a_form_that_no_carrier_sends_is_refused_before_it_is_read(
    door: Door, door_of: str, kind: str
) -> None:
    """Whoever sends it need know no secret: sorting its fields must not keep everybody waiting."""
    url = f"{door.stack.web_url}/webhooks/east/{door_of}"
    with requests.Session() as stranger:
        stranger.headers.update({"X-Twilio-Signature": "x", "Content-Type": kind})
        answered = {
            name: stranger.post(url, body, timeout=60).status_code
            for name, (body, _) in FLOODS.items()
        }
    assert answered == {name: status for name, (_, status) in FLOODS.items()}


def test_a_form_in_parts_is_limited_as_well(door: Door) -> None:
    url = f"{door.stack.web_url}/webhooks/east/receipts"
    for count, status in ((100, 403), (101, 400)):
        parts = {str(n): (None, "") for n in range(count)}
        assert requests.post(url, files=parts, timeout=60).status_code == status


def test_a_batch_of_a_gateway_may_be_larger_than_a_form(door: Door) -> None:
    """It is JSON, and its signature is one pass over the body."""
    url = f"{door.stack.web_url}/webhooks/east/receipts"
    assert requests.post(url, json={"a": "b" * 500_000}, timeout=60).status_code == 403


def test_what_is_refused_is_never_a_line_of_its_own(floor: Floor, door: Door) -> None:
    """Payloads where nobody is known yet: at the entrance, in addresses, in forged reports."""
    logged = io.StringIO()
    logs.configure("json", stream=logged)
    whole = "".join(PAYLOADS)
    with requests.Session() as browser:
        for way in ("/sign-in?to=", "/language/en?to="):
            away = quote("/\r\nX-Injected: yes")
            answer = browser.get(
                f"{door.stack.web_url}{way}{away}", allow_redirects=False, timeout=60
            )
            assert "X-Injected" not in answer.headers and answer.status_code < 500
        entering = {"name": whole, "password": whole, "to": whole}
        answer = browser.post(f"{door.stack.web_url}/sign-in", entering, timeout=60)
        assert answer.status_code == 401 and "9359" not in answer.text
        assert "<script>alert" not in answer.text
        forged = f"/webhooks/east/receipts/{quote(whole)}"
        assert reported(door, forged, forged, "not the secret", {"Body": whole}) in (403, 404)
        path = f"/webhooks/east/receipts/{uuid4()}"
        assert reported(door, path, path, "not the secret", {"Body": whole}) == 403
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert lines and not any(line["event"] == "injected" for line in lines)
