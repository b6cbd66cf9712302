"""Another key, while others write: everything opens before, during and after; nothing is left."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import _assemble
from contact_service.clock import FixedClock
from contact_service.settings import Settings
from contact_service.store import rotation
from contact_service.store.crypto import CannotOpen, create_keys, load_vault
from contact_service.store.rotation import PLACES
from tests.ledger import Ledger, mobile


@pytest.fixture
def service(
    settings: Settings, engine: Engine, clock: FixedClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Service:  # fmt: skip
    """A service with keys of its own, at the shell."""
    create_keys(tmp_path / "keys.json")
    own = settings.model_copy(update={"keys_file": tmp_path / "keys.json"})
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: own)
    return Service(own, engine, load_vault(own.keys_path), clock)


def shell(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(_assemble(), ["keys", *words])
    return done.exit_code, done.output


def names_and_numbers(engine: Engine, vault: object) -> set[str]:
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT name FROM debtor")).all()
        numbers = connection.scalars(text("SELECT number FROM phone")).all()
    opened = {vault.open("debtor.name", bytes(name)) for name in names}  # type: ignore[attr-defined]
    return opened | {vault.open("phone.number", bytes(n)) for n in numbers}  # type: ignore[attr-defined]


def test_every_place_of_personal_data_is_known() -> None:
    assert {"debtor.name", "debtor.name_kana", "debtor.birth_date", "phone.number",
            "rejected_row.value", "disposition.note", "inbound_call.number",
            "inbound_message.body", "support_text.number", "operator_phone.number",
            "user_account.totp_secret", "idempotency_key.body"} <= {p.name for p in PLACES}  # fmt: skip


def test_a_new_key_seals_everything_while_others_write(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 0.0)
    monkeypatch.setattr(rotation, "PORTION", 7)
    engine, old = service.engine, service.vault
    ledger = Ledger(engine, old)  # a process that has been running since before
    for n in range(1, 31):
        ledger.person([mobile(n)])
    stop = threading.Event()

    def go_on() -> None:
        n = 31
        while not stop.is_set() or n < 41:
            ledger.person([mobile(n)])
            n += 1

    other = threading.Thread(target=go_on)
    other.start()
    try:
        code, said = shell("rotate")
    finally:
        stop.set()
        other.join()
    assert code == 0, said
    assert json.loads(shell("list", "--json")[1])["current"] == 2
    # who held the old keys only reads on, and seals with the new one by now
    assert names_and_numbers(engine, old) >= {mobile(1), mobile(30), "世田谷太郎"}
    assert old.seal("x.y", "z")[0] == 2
    assert shell("resume")[0] == 0  # what was written in the second before every process looked
    with engine.connect() as connection:
        assert set(rotation.sealed_with(connection)) == {2}
    assert shell("retire", "2")[0] == 1  # the one that seals
    assert shell("retire", "1")[0] == 0
    assert names_and_numbers(engine, load_vault(service.settings.keys_path)) >= {mobile(1)}
    with pytest.raises(CannotOpen):
        load_vault(service.settings.keys_path).open("x.y", b"\x01" + b"0" * 40)


def test_a_key_that_is_needed_stays(service: Service) -> None:
    from contact_service.store.crypto import add_key

    Ledger(service.engine, service.vault).person([mobile(1)])
    add_key(service.settings.keys_path)
    code, said = shell("retire", "1")
    assert (code, "残っています" in said) == (1, True)
    assert service.settings.keys_path.stat().st_mode & 0o077 == 0
    # sealed for one place, it opens nowhere else, whichever key
    with service.engine.connect() as connection:
        name = connection.scalar(text("SELECT name FROM debtor"))
    with pytest.raises(CannotOpen):
        service.vault.open("debtor.name_kana", bytes(name or b""))
