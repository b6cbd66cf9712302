"""The audit log's chain: what was changed, removed or put in is found; nobody waits to write."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import _assemble
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.settings import Settings
from contact_service.store import audit, audit_chain
from contact_service.store.audit_chain import Head, Verdict
from tests.conftest import ROOT
from tests.identity.conftest import service as service

AUDITOR = Actor("auditor", Role.AUDITOR)
SOMEBODY = Actor("tanaka", Role.STAFF, "納税課", "10.1.2.3")
AT = datetime(2026, 11, 2, 1, 2, 3, 4, tzinfo=UTC)


def write(engine: Engine, *subjects: str) -> None:
    with engine.begin() as connection:
        for subject in subjects:
            audit.record(
                connection, AT, SOMEBODY, "user.assigned", subject,
                before={"role": "staff", "share": 1.0, "none": None},
                after={"role": "approver", "share": 0.25, "列": ["い", 1e20, True]},
            )  # fmt: skip


@pytest.fixture
def written(engine: Engine) -> Engine:
    """Six lines in the chain, in two portions."""
    write(engine, "a", "b", "c")
    assert audit_chain.seal(engine) == 3
    write(engine, "d", "e", "f")
    assert (audit_chain.seal(engine), audit_chain.seal(engine)) == (3, 0)
    return engine


def tamper(engine: Engine, *statements: str) -> None:
    """What somebody can do who owns the database."""
    with engine.begin() as connection:
        for table in ("audit_log", "audit_chain"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        connection.execute(
            text("ALTER TABLE audit_chain DROP CONSTRAINT fk_audit_chain_entry_id_audit_log")
        )
        for statement in statements:
            connection.execute(text(statement))


def verdict(engine: Engine, kept: Head | None = None) -> Verdict:
    return audit_chain.verify(engine, AUDITOR, kept)


def test_a_line_that_is_committed_late_is_found_in_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon where it lies near the chain's end, else by the next look at all."""
    monkeypatch.setattr(audit_chain, "LOOK_BACK", 3)
    with engine.begin() as early:
        audit.record(early, AT, SOMEBODY, "user.assigned", "late")
        write(engine, "a", "b")
        assert audit_chain.seal(engine, whole=False) == 2
    assert audit_chain.seal(engine, whole=False) == 1
    with engine.begin() as early:
        audit.record(early, AT, SOMEBODY, "user.assigned", "very late")
        write(engine, *"cdefg")
        assert audit_chain.seal(engine, whole=False) == 5
    assert audit_chain.seal(engine, whole=False) == 0
    assert verdict(engine).open == 1
    assert audit_chain.seal(engine) == 1
    assert (verdict(engine).open, verdict(engine).faults) == (0, [])


def test_what_nobody_touched_is_whole(written: Engine) -> None:
    write(written, "not in the chain yet")
    found = verdict(written)
    assert (found.lines, found.open, found.unproven, found.faults) == (7, 1, 0, [])
    with written.connect() as connection:
        assert found.head == audit_chain.last(connection)
        assert connection.execute(text("SELECT DISTINCT origin FROM audit_log")).all() == [
            ("10.1.2.3",)
        ]
    with pytest.raises(NotAllowed):
        audit_chain.verify(written, SOMEBODY)


@pytest.mark.parametrize("column, value", [
    ("at", "at + interval '1 microsecond'"), ("actor", "'sato'"), ("role", "'approver'"),
    ("office", "'*'"), ("origin", "''"), ("action", "'user.disabled'"), ("subject", "'x'"),
    ("details", "jsonb_set(details, '{after,role}', '\"auditor\"')"), ("ref", "gen_random_uuid()"),
    ("mac", "NULL"), ("mac", "sha256('x')"),
])  # fmt: skip
def test_a_changed_line_is_found(written: Engine, column: str, value: str) -> None:
    tamper(written, f"UPDATE audit_log SET {column} = {value} WHERE subject = 'c'")
    found = verdict(written)
    assert (len(found.faults), "3番" in found.faults[0]) == (1, True)


@pytest.mark.parametrize("statements, said", [
    (["DELETE FROM audit_log WHERE subject = 'c'"], "3番の記録が消されています"),
    (["DELETE FROM audit_log WHERE subject = 'c'", "DELETE FROM audit_chain WHERE sequence = 3"],
     "3番から3番まで"),
    (["DELETE FROM audit_log WHERE subject = 'c'", "DELETE FROM audit_chain WHERE sequence = 3",
      "UPDATE audit_chain SET sequence = sequence - 1 WHERE sequence > 3"], "つながりません"),
    (["UPDATE audit_chain SET entry_id = 99 WHERE sequence = 3",
      "UPDATE audit_chain SET entry_id = 3 WHERE sequence = 4",
      "UPDATE audit_chain SET entry_id = 4 WHERE sequence = 3"], "つながりません"),
])  # fmt: skip
def test_a_removed_or_moved_line_is_found(
    written: Engine, statements: list[str], said: str
) -> None:
    tamper(written, *statements)
    assert any(said in fault for fault in verdict(written).faults)


COPY = """INSERT INTO audit_log (at, actor, role, office, origin, action, subject, details, ref, mac)
    SELECT at, actor, role, office, origin, action, subject, details, {ref}, mac
    FROM audit_log WHERE subject = 'c'"""


@pytest.mark.parametrize("statement", [
    "INSERT INTO audit_log (at, actor, role, office, action, subject) "
    "VALUES (now(), 'tanaka', 'staff', '*', 'user.added', 'x')",
    COPY.format(ref="gen_random_uuid()"),
])  # fmt: skip
def test_a_line_put_in_by_hand_is_found_before_and_after_it_comes_into_the_chain(
    written: Engine, statement: str
) -> None:
    tamper(written, statement)
    assert len(verdict(written).faults) == 1
    audit_chain.seal(written)
    assert len(verdict(written).faults) == 1


def test_a_chain_cut_off_is_found_by_who_noted_its_end(written: Engine) -> None:
    kept = verdict(written).head
    assert verdict(written, kept).faults == []
    assert verdict(written, Head(4, b"x" * 32)).faults != []
    tamper(
        written, "DELETE FROM audit_chain WHERE sequence > 4",
        "DELETE FROM audit_log WHERE subject IN ('e', 'f')",
    )  # fmt: skip
    assert verdict(written).faults == []  # it cannot know
    assert "控えの6番" in verdict(written, kept).faults[0]


def test_who_writes_waits_for_nobody_and_comes_into_the_chain_once_committed(
    engine: Engine,
) -> None:
    with engine.begin() as slow:
        audit.record(slow, AT, SOMEBODY, "first", "slow")
        write(engine, "quick")  # written later, committed before
        assert audit_chain.seal(engine) == 1
    assert audit_chain.seal(engine) == 1
    found = verdict(engine)
    assert (found.lines, found.open, found.faults) == (2, 0, [])


def test_lines_from_before_lines_were_proven_count_as_such(engine: Engine) -> None:
    old = (
        "INSERT INTO audit_log (at, actor, role, office, action, subject) "
        "VALUES (now(), 'x', 'staff', '*', 'old', 'x')"
    )
    with engine.begin() as connection:
        connection.execute(text(old))
    write(engine, "new")
    audit_chain.seal(engine)
    assert (verdict(engine).unproven, verdict(engine).faults) == (1, [])
    with engine.begin() as connection:
        connection.execute(text(old))  # one more, too late
    audit_chain.seal(engine)
    assert (verdict(engine).unproven, len(verdict(engine).faults)) == (1, 1)


@pytest.mark.parametrize("table", ["audit_log", "audit_chain"])
def test_nothing_is_emptied(written: Engine, table: str) -> None:
    with pytest.raises(Exception, match="append-only"), written.begin() as connection:
        connection.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.fixture
def shell(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: service.settings)
    whole = _assemble()

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(whole, ["audit", *words])
        return done.exit_code, done.output

    return run


def test_the_office_has_its_lines(
    written: Engine, shell: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = shell("verify", "--json")
    end = json.loads(said)["end"]
    assert (code, end.startswith("6:")) == (0, True)
    remembered = str(tmp_path / "state")
    lines = [json.loads(line) for line in shell("export", "--state", remembered)[1].splitlines()]
    assert [line["subject"] for line in lines] == ["a", "b", "c", "d", "e", "f"]
    assert lines[-1]["digest"] == end.removeprefix("6:")
    write(written, "g")
    again = shell("export", "--state", remembered)[1].splitlines()
    # what was exported since is there, as the export itself is
    assert [json.loads(line)["subject"] for line in again] == ["json", "g"]
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            caller, _ = server.accept()
            with caller:
                while part := caller.recv(65536):
                    received.append(part)

        listener = Thread(target=listen)
        listener.start()
        port = server.getsockname()[1]
        code, _ = shell("export", "--format", "syslog", "--to", f"127.0.0.1:{port}", "--after", "6")
        listener.join(20)
    whole = b"".join(received)
    length, _, rest = whole.partition(b" ")
    first = rest[: int(length)].decode()
    assert (code, first.startswith("<109>1 20")) == (0, True)
    assert json.loads(first.partition("\ufeff")[2])["action"] == "audit.exported"
    tamper(written, "UPDATE audit_log SET actor = 'sato' WHERE subject = 'a'")
    code, said = shell("verify", "--kept", end)
    assert (code, "1番" in said) == (1, True)
    assert shell("verify", "--kept", "nonsense")[0] == 2


def test_the_role_of_the_manual_may_write_lines_and_not_change_them(
    written: Engine, settings: Settings
) -> None:
    manual = (ROOT / "docs" / "how-to" / "audit.md").read_text()
    said = manual.partition("```sql\n")[2].partition("```")[0]
    database = str(settings.database_url).rpartition("/")[2]
    said = said.replace("'…'", "'let-me-in'").replace("DATABASE contact", f"DATABASE {database}")
    with written.begin() as connection:
        connection.execute(text(said))
    server = str(settings.database_url).rpartition("@")[2]
    with written.connect() as connection:
        options = dict(connection.get_execution_options())
    url = f"postgresql+psycopg://contact_app:let-me-in@{server}"
    service = create_engine(url, execution_options=options)
    try:
        write(service, "g")
        assert audit_chain.seal(service) == 1
        refused = pytest.raises(ProgrammingError, match="permission denied")
        for statement in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_chain"):
            with refused, service.begin() as connection:
                connection.execute(text(statement))
        with pytest.raises(ProgrammingError, match="must be owner"), service.begin() as connection:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
    finally:
        service.dispose()
        with written.begin() as connection:
            connection.execute(text("DROP OWNED BY contact_app; DROP ROLE contact_app"))
