"""A host that lacks a carrier's secret: the console opens, and says which; that carrier's requests
are refused until they can be checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_service.domain.actors import Role
from contact_service.settings import Settings
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile
from tests.web.api import Api
from tests.web.people import signed_in
from tests.web.test_desk import operator
from tests.web.test_doors import Door, door
from tests.web.test_doors import door_settings as plain_settings

__all__ = ["door", "floor", "plain_settings"]
TOKEN = "the-carriers-token"
FORM = {"MessageSid": "SM" + "1" * 32, "From": mobile(1), "To": "+815000000000", "Body": "停止"}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Where the secret of one of two carriers belongs; it is not there."""
    return tmp_path / "main-token"


@pytest.fixture
def door_settings(plain_settings: Settings, secret: Path, tmp_path: Path) -> Settings:
    listed = tmp_path / "providers.yaml"
    one = """
  - name: {name}
    adapter: twilio
    per_second: {{sms: 10, auto_call: 10}}
    options: {{account_sid: AC00000000000000000000000000000000, auth_token: {token},
      from_number: "+815000000000", base_url: "http://127.0.0.1:1"}}
"""
    main = one.format(name="main", token=f'{{file: "{secret}"}}')
    listed.write_text(f"providers:\n{main}{one.format(name='other', token=TOKEN)}")
    (plain_settings.state_dir / "carrier-token").write_text(TOKEN)
    return plain_settings.model_copy(update={"providers_file": listed})


def test_all_else_works_and_nothing_unchecked_is_believed(
    floor: Floor, door: Door, secret: Path
) -> None:
    floor.ledger.person([mobile(1)])
    for signature in (None, "", "AAAA"):
        assert door.report("/webhooks/main/messages", FORM, signature)[0] == 503
    assert door.report("/webhooks/nobody/messages", FORM)[0] == 404
    assert floor.ledger.one("SELECT count(*) FROM inbound_message") == 0
    assert "電話デスク" in operator(floor, door).open("/desk").page
    staff = signed_in(floor, door, "suzuki", Role.STAFF).open("/providers")
    assert staff.page.count("この画面のサーバーは、この事業者を使えません") == 1
    assert "main.auth_token" in staff.page and str(secret) in staff.page
    listed = Api(floor, door, Role.STAFF).ask("GET", "/api/providers")[1]
    told = {one["name"]: one["unusable_here"] for one in listed["items"]}
    assert str(secret) in told["main"] and told["other"] is None
    # workers elsewhere may have the secret: it can be stopped all the same
    assert "止めました" in staff.send("/providers/pause", scope="provider:main", reason="試験").page
    assert door.report("/webhooks/other/messages", FORM | {"MessageSid": "SM2"})[0] == 200
    secret.write_text(TOKEN)  # no start anew
    assert door.report("/webhooks/main/messages", FORM, "AAAA")[0] == 403
    assert door.report("/webhooks/main/messages", FORM)[0] == 200
    assert "この事業者を使えません" not in staff.open("/providers").page
