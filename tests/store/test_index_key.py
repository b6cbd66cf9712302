"""Another key for the blind indexes, while others look up and write: whoever is in the ledger is
found at every moment, and one number stays one row."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.callcentre.calls import no_more_calls
from contact_service.clock import FixedClock
from contact_service.domain.actors import SYSTEM, Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.intake.importing import import_file
from contact_service.people.restricting import Wanted, restrict
from contact_service.people.search import search
from contact_service.receipts.messages import store_messages
from contact_service.settings import Settings
from contact_service.store import audit_chain, indexing
from contact_service.store.crypto import IndexKeyMissing, create_keys, load_vault
from contact_service.store.engine import connect
from providers.base import InboundMessage
from tests.intake.conftest import CALL, CLAIM, write_csv
from tests.ledger import mobile
from tests.store.test_rotation import shell

STAFF = Actor("suzuki", Role.STAFF)
OPERATOR = Actor("tanaka", Role.OPERATOR)
PEOPLE = 24


@pytest.fixture
def service(
    settings: Settings, engine: Engine, clock: FixedClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:  # fmt: skip
    """A service with keys of its own, at the shell; its processes look at the file always."""
    create_keys(tmp_path / "keys.json")
    own = settings.model_copy(
        update={"keys_file": tmp_path / "keys.json", "state_dir": tmp_path / "state"}
    )
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: own)
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 0.0)
    monkeypatch.setattr(indexing, "PORTION", 7)
    own_engine = connect(own, pool_size=8)  # its audit lines are proven by the keys above
    yield Service(own, own_engine, load_vault(own.keys_path), clock)
    own_engine.dispose()


def claims(folder: Path, first: int = 1, last: int = PEOPLE) -> Path:
    """A file of people, each with a number of their own."""
    rows = [
        {**CLAIM, "宛名番号": str(n), "世帯番号": str(n), "電話番号１": local(n),
         "通知書番号": str(n)}
        for n in range(first, last + 1)
    ]  # fmt: skip
    return write_csv(folder / f"claims-{first}-20261025.csv", rows)


def calls(folder: Path) -> Path:
    """A record without identifiers: calls are told apart by what it says of them."""
    rows = [{**CALL, "相手番号": local(n), "通話秒数": str(n)} for n in range(1, PEOPLE)]
    return write_csv(folder / "calls.csv", rows)


def local(n: int) -> str:
    return f"0{mobile(n).removeprefix('+81')}"


def message(n: int, ref: str, body: str = "はい") -> InboundMessage:
    return InboundMessage(ref, mobile(n), "0120", body)


def numbers(service: Service) -> list[str]:
    with service.engine.connect() as connection:
        sealed = connection.scalars(text("SELECT number FROM phone")).all()
    return [service.vault.open("phone.number", bytes(number)) for number in sealed]


def indexes(engine: Engine) -> set[bytes]:
    with engine.connect() as connection:
        return {bytes(i) for i in connection.scalars(text("SELECT number_index FROM phone"))}


def generations(engine: Engine) -> set[tuple[str, int]]:
    """Which generations indexes have; 0 begins with nothing."""
    asked = " UNION ".join(
        f"SELECT '{column}', CASE octet_length({column}) WHEN 32 THEN 0 "
        f"ELSE get_byte({column}, 0) END FROM {table} WHERE {column} IS NOT NULL"
        for table, column in (
            ("phone", "number_index"), ("debtor", "name_index"), ("debtor", "written_index"),
            ("(SELECT decode(substr(deduplication_key, 6), 'hex') AS call FROM call) c", "call"),
        )
    )  # fmt: skip
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(text(asked))}


COLUMNS = ("number_index", "name_index", "written_index", "call")


@contextmanager
def meanwhile(*doings: Callable[[int], None]) -> Iterator[list[int]]:
    """Each of these again and again, in threads of their own, until the block ends."""
    stop = threading.Event()
    errors: list[Exception] = []
    rounds = [0] * len(doings)

    def go_on(place: int) -> None:
        try:
            while not stop.is_set() or rounds[place] < 3:
                doings[place](rounds[place])
                rounds[place] += 1
                stop.wait(0.01)  # the others' turn
        except Exception as error:  # noqa: BLE001 — told below
            errors.append(error)

    threads = [threading.Thread(target=go_on, args=(n,)) for n in range(len(doings))]
    for thread in threads:
        thread.start()
    try:
        yield rounds
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_another_index_key_while_others_look_up_and_write(service: Service, tmp_path: Path) -> None:
    import_file(service, STAFF, "claims", claims(tmp_path))
    assert import_file(service, STAFF, "calls", calls(tmp_path)).counts.accepted == PEOPLE - 1
    leaked = tmp_path / "leaked.json"
    leaked.write_bytes(service.settings.keys_path.read_bytes())
    assert load_vault(leaked).indexes("phone", mobile(1))[0] in indexes(service.engine)
    drawn = random.Random(7)

    def answers(n: int) -> None:
        """Of people in the ledger, and of numbers that nobody has yet; two threads, the same."""
        some = [drawn.randrange(1, 3 * PEOPLE) for _ in range(5)]
        refs = [f"{threading.get_ident()}-{n}-{place}" for place in range(5)]
        store_messages(
            service, "x", [message(m, r, "停止") for m, r in zip(some, refs, strict=True)],
            service.clock.now(),
        )  # fmt: skip

    def protects(n: int) -> None:
        restrict(
            service,
            STAFF,
            Wanted(RestrictionKind.OPTED_OUT, number=local(drawn.randrange(1, 4 * PEOPLE))),
        )

    def imports(n: int) -> None:
        import_file(service, STAFF, "claims", claims(tmp_path, 1 + n % 30, 20 + n % 30))

    def looks(n: int) -> None:
        sought = drawn.randrange(1, PEOPLE)
        assert [p.code for p in search(service, SYSTEM, mobile(sought)).people] == [str(sought)]
        assert len(search(service, SYSTEM, "ヤマザキ ケン").people) >= PEOPLE

    with meanwhile(answers, answers, protects, imports, looks) as rounds:
        code, said = shell("rotate-index")
    assert code == 0, said
    assert min(rounds) >= 3
    assert generations(service.engine) == {(column, 1) for column in COLUMNS}
    kept = numbers(service)
    assert len(kept) == len(set(kept)) > PEOPLE
    assert shell("rotate-index")[0] == 0  # the second one over the first
    told = json.loads(shell("list", "--json")[1])["index"]
    assert told == {"made": 2, "in_force": 2, "left": 0}
    assert generations(service.engine) == {(column, 2) for column in COLUMNS}
    looks(0)
    # with the first key alone nobody can try numbers out any more: it need not be retired
    tried = {i for n in range(4 * PEOPLE) for i in load_vault(leaked).indexes("phone", mobile(n))}
    assert {index[-32:] for index in indexes(service.engine)} & tried == set()
    assert tried & indexes(service.engine) == set()
    # what a file says of its calls is known again
    again = import_file(service, STAFF, "calls", calls(tmp_path)).counts
    assert (again.accepted, again.unchanged) == (0, PEOPLE - 1)
    audit_chain.seal(service.engine)
    assert audit_chain.verify(service.engine, Actor("kano", Role.AUDITOR)).faults == []


def test_what_was_interrupted_goes_on(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle, both generations are there, and everything is found; a call file is
    known; then the rest, with the key that has been made, not with another one."""
    import_file(service, STAFF, "claims", claims(tmp_path))
    import_file(service, STAFF, "calls", calls(tmp_path))

    with monkeypatch.context() as patched:
        patched.setattr(indexing, "_round", _some(3))
        done = shell("rotate-index")
    assert done[0] != 0
    assert {n for column, n in generations(service.engine) if column == "number_index"} == {0, 1}
    with service.engine.connect() as connection:
        assert 0 < indexing.left(connection) < 4 * PEOPLE
    for n in (1, PEOPLE):
        assert [p.code for p in search(service, SYSTEM, mobile(n)).people] == [str(n)]
        assert no_more_calls(service, OPERATOR, mobile(n), service.clock.now())
    import_file(service, STAFF, "claims", claims(tmp_path))
    store_messages(
        service, "x", [message(n, f"r{n}") for n in range(1, PEOPLE + 1)], service.clock.now()
    )
    assert import_file(service, STAFF, "calls", calls(tmp_path)).counts.accepted == 0
    assert len(numbers(service)) == PEOPLE
    assert shell("rotate-index")[0] == 0
    assert generations(service.engine) == {(column, 1) for column in COLUMNS}
    assert len(load_vault(service.settings.keys_path).index_layers) == 1


class Killed(Exception):
    """The process is gone."""


def _some(portions: int) -> Callable[..., int]:
    """As many portions of the first table as that, and nothing else."""
    left = [portions]
    round_ = indexing._round

    def progress(count: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    return lambda engine, vault, place, on_progress: round_(engine, vault, place, progress)


def test_whoever_lacks_the_key_writes_nothing(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host with a copy of the file from before; and one whose file is new but not looked at."""
    copy = tmp_path / "copy.json"
    copy.write_bytes(service.settings.keys_path.read_bytes())
    elsewhere = Service(service.settings, service.engine, load_vault(copy), service.clock)
    assert shell("rotate-index", "--prepare")[0] == 0
    assert len(load_vault(service.settings.keys_path).index_layers) == 1
    store_messages(elsewhere, "x", [message(1, "a")], service.clock.now())
    assert shell("rotate-index")[0] == 0
    assert len(load_vault(service.settings.keys_path).index_layers) == 1
    with pytest.raises(IndexKeyMissing, match="copy the newest file"):
        store_messages(elsewhere, "x", [message(2, "b")], service.clock.now())
    monkeypatch.setattr("contact_service.store.crypto.LOOK_SECONDS", 1e9)
    store_messages(service, "x", [message(1, "c"), message(2, "d")], service.clock.now())
    assert sorted(numbers(service)) == [mobile(1), mobile(2)]
    assert generations(service.engine) == {("number_index", 1)}
