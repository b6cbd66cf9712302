"""Another key, while others write: everything opens before, during and after; nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
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
from contact_service.store import retiring, rotation
from contact_service.store.crypto import CannotOpen, add_key, create_keys, load_vault, remove_key
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


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process has looked at the keys file already, and nobody waits for a connection."""
    monkeypatch.setattr(retiring, "KNOWN_AFTER", timedelta(0))
    monkeypatch.setattr(retiring, "LOOK_AGAIN_SECONDS", 0.0)


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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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


def test_a_key_is_not_retired_while_a_process_may_not_know_of_the_next(service: Service) -> None:
    """It looks once a second, and what it has sealed by then waits for a connection first."""
    path = service.settings.keys_path
    assert shell("rotate")[0] == 0
    code, said = shell("retire", "1")
    assert (code, "keys resume" in said) == (1, True)
    assert set(load_vault(path).keys) == {1, 2}
    # the process that had just looked: it is written once it has its connection
    sealed = service.vault.seal("phone.number", mobile(1))
    assert sealed[0] == 1
    _write(service.engine, sealed)
    assert shell("resume") == (0, "1 件を封じ直しました / sealed anew: 1\n")
    waited: list[float] = []
    for ago, refused in ((50, True), (61, False)):
        changed = time.time() - ago
        os.utime(path, (changed, changed))
        if refused:
            with pytest.raises(retiring.NotYet, match="60"):
                retiring.retire(service.engine, path, 1, waited.append)
        else:
            retiring.retire(service.engine, path, 1, waited.append)
    assert len(waited) == 1  # between two looks
    assert set(load_vault(path).keys) == {2}
    assert _opened(service) == {mobile(1)}


@pytest.mark.usefixtures("at_once")
def test_what_is_still_sealed_with_a_key_while_it_is_retired_keeps_it(service: Service) -> None:
    """By another host, say, whose copy of the file is an old one."""
    path, old = service.settings.keys_path, replace(service.vault, path=None)
    add_key(path)

    def meanwhile(_: float) -> None:
        _write(service.engine, old.seal("phone.number", mobile(1)))

    before = path.stat().st_ino
    with pytest.raises(retiring.NotYet, match="1 件残っています"):
        retiring.retire(service.engine, path, 1, meanwhile)
    assert path.stat().st_ino == before  # it was never out
    assert _opened(service) == {mobile(1)}


@pytest.mark.usefixtures("at_once")
def test_a_key_comes_back_for_what_was_written_as_it_went(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old = service.settings.keys_path, replace(service.vault, path=None)
    add_key(path)

    def slow(path: Path, key_id: int) -> str:
        key = remove_key(path, key_id)
        _write(service.engine, old.seal("phone.number", mobile(1)))
        return key

    monkeypatch.setattr("contact_service.store.crypto.remove_key", slow)
    with pytest.raises(retiring.NotYet):
        retiring.retire(service.engine, path, 1)
    assert (load_vault(path).current, _opened(service)) == (2, {mobile(1)})
    assert path.stat().st_mode & 0o077 == 0


def test_what_no_key_opens_stops_no_rotation_and_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 2)
    ledger = Ledger(service.engine, service.vault)
    for n in range(1, 6):
        ledger.person([mobile(n)])
    lost = bytes([7]) + service.vault.seal("phone.number", mobile(3))[1:]
    with service.engine.begin() as connection:
        ids = connection.scalars(text("SELECT id FROM phone ORDER BY id")).all()
        for place in (0, 2, 3):
            connection.execute(
                text("UPDATE phone SET number = :n WHERE id = :id"), {"n": lost, "id": ids[place]}
            )
    code, said = shell("rotate")
    assert (code, "7 件を封じ直し" in said, "phone.number: 3 件" in said) == (0, True, True)
    assert _sealed(service.engine) == {2: 7, 7: 3}
    code, said = shell("resume")
    assert (code, "phone.number: 3 件" in said) == (0, True)


def _write(engine: Engine, number: bytes) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO phone (number, number_index, kind) VALUES (:n, 'x', 'mobile')"),
            {"n": number},
        )


def _opened(service: Service) -> set[str]:
    return names_and_numbers(service.engine, load_vault(service.settings.keys_path))


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


@pytest.mark.usefixtures("at_once")
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
