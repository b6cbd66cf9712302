"""Another key, while others write: everything opens before, during and after; nothing is left."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import _assemble
from contact_service.clock import FixedClock
from contact_service.domain.actors import SYSTEM
from contact_service.people.search import search
from contact_service.settings import Settings
from contact_service.stack import environment
from contact_service.store import rotation
from contact_service.store.crypto import CannotOpen, add_key, create_keys, load_vault
from contact_service.store.rotation import PLACES
from tests.ledger import Ledger, mobile
from tests.system.ward import until


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


def test_a_rotation_that_is_killed_leaves_nothing_unreadable(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SIGKILL in its midst: the service works meanwhile, and the rest is done afterwards."""
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 0.0)
    engine, old = service.engine, service.vault
    ledger = Ledger(engine, old)
    for n in range(1, 11):
        ledger.person([mobile(n)])
    everybody = {mobile(n) for n in range(1, 11)} | {"世田谷太郎"}
    given = environment(service.settings.model_copy(update={"state_dir": tmp_path / "state"}))
    with engine.connect() as holding:  # one row is in somebody's hands: it cannot end
        holding.execute(text("SELECT FROM phone ORDER BY id LIMIT 1 FOR UPDATE"))
        rotating = subprocess.Popen(
            [sys.executable, "-m", "contact_service.cli", "keys", "rotate"], env=given,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: _sealed(engine) == {1: 1, 2: 19} or rotating.poll() is not None)
            assert rotating.poll() is None
        finally:
            rotating.kill()
            rotating.wait()
    latest = load_vault(service.settings.keys_path)
    assert latest.current == 2
    for vault in (old, latest):  # who has been running, and who starts now
        assert names_and_numbers(engine, vault) == everybody
    ledger.person([mobile(11)])
    for n in (1, 2, 11):
        assert len(search(service, SYSTEM, mobile(n)).people) == 1
    assert shell("retire", "1")[0] == 1  # something is sealed with it yet
    assert shell("resume")[0] == 0
    assert _sealed(engine) == {2: 22}
    assert shell("retire", "1")[0] == 0
    vault = load_vault(service.settings.keys_path)
    assert names_and_numbers(engine, vault) == everybody | {mobile(11)}


def test_what_somebody_holds_is_sealed_anew_once_they_let_go(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 0.0)
    assert shell("retire", "1")[0] == 1  # the one that seals, though nothing is sealed yet
    assert set(load_vault(service.settings.keys_path).keys) == {1}
    Ledger(service.engine, service.vault).person([mobile(1)])
    only_seals = load_vault(service.settings.keys_path)  # a process that opens nothing
    key_id = add_key(service.settings.keys_path)
    assert only_seals.seal("x.y", "z")[0] == key_id
    with service.engine.connect() as holding:
        holding.execute(text("SELECT FROM phone FOR UPDATE"))
        given = (service.engine, load_vault(service.settings.keys_path), key_id)
        sealing = threading.Thread(target=rotation.seal_anew, args=given)
        sealing.start()
        until(lambda: _sealed(service.engine) == {1: 1, 2: 1})
    sealing.join()
    assert _sealed(service.engine) == {2: 2}


def test_a_key_stays_for_what_is_sealed_and_not_written_yet(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is imported meanwhile: its transaction began before the key did."""
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 1e9)
    sealed = service.vault.seal("phone.number", mobile(1))
    with service.engine.connect() as importing:
        importing.execute(
            text("INSERT INTO phone (number, number_index, kind) VALUES (:n, 'x', 'mobile')"),
            {"n": sealed},
        )
        assert shell("rotate")[0] == 0
        assert _sealed(service.engine) == {}  # as far as anybody can count
        code, said = shell("retire", "1")
        assert (code, "began before" in said) == (1, True)
        importing.commit()
    code, said = shell("retire", "1")
    assert (code, "keys resume" in said) == (1, True)
    assert (shell("resume")[0], shell("retire", "1")[0]) == (0, 0)
    with service.engine.connect() as connection:
        rows = connection.execute(text("SELECT action, subject FROM audit_log ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("keys.rotated", "key:2"), ("keys.retired", "key:1")]
    assert _sealed(service.engine) == {2: 1}


def _sealed(engine: Engine) -> dict[int, int]:
    with engine.connect() as connection:
        return rotation.sealed_with(connection)


def test_a_sealed_value_opens_at_its_own_place_alone(service: Service) -> None:
    """Of all columns: moved into another one, of the same table or not, it says nothing."""
    names = [place.name for place in PLACES]
    sealed = {name: service.vault.seal(name, "標識") for name in names}
    opened = set()
    for value_of, put_into in product(names, names):
        try:
            service.vault.open(put_into, sealed[value_of])
        except CannotOpen:
            continue
        opened.add((value_of, put_into))
    assert opened == {(name, name) for name in names}


@pytest.mark.parametrize("place", [0, 1, 13, -1])
def test_a_sealed_value_that_was_changed_does_not_open(service: Service, place: int) -> None:
    """Its key, its nonce, what it says, its tag."""
    sealed = bytearray(service.vault.seal("debtor.name", "標識"))
    sealed[place] ^= 1
    with pytest.raises(CannotOpen):
        service.vault.open("debtor.name", bytes(sealed))
    assert service.vault.seal("debtor.name", "標識") != service.vault.seal("debtor.name", "標識")


def test_a_key_that_is_needed_stays(service: Service) -> None:
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
