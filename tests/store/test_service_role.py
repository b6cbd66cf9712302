"""The service's own role in the database does all of its work, and changes no record of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from contact_service import doctor
from contact_service.callcentre.list import next_person
from contact_service.cli import _assemble
from contact_service.clock import FixedClock
from contact_service.doctor.findings import Level
from contact_service.domain.actors import SYSTEM, Actor, Role
from contact_service.evaluation.report import run_report
from contact_service.identity import accounts, signing_in
from contact_service.intake import uploads
from contact_service.intake.fields import FileKind
from contact_service.people.opening import OpenReason, open_person
from contact_service.retention.anonymise import forget
from contact_service.retention.periods import periods
from contact_service.settings import Settings
from contact_service.store import audit_chain
from contact_service.store.engine import connect
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR, _quick_hashes
from tests.ledger import definition, mobile

__all__ = ["_quick_hashes", "floor"]

ROLE, PASSWORD = "contact_app", "let-me-in"


@pytest.fixture
def owner(settings: Settings) -> Iterator[Settings]:
    """The tables' owner, as ``migrate`` is told; the role is gone afterwards."""
    yield settings.model_copy(update={"database_role": ROLE, "database_role_password": PASSWORD})
    url = str(settings.database_url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


@pytest.fixture
def service_settings(owner: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What every other process is told, after ``migrate`` has run twice."""
    for name, value in (
        ("DATABASE_URL", owner.database_url), ("REDIS_URL", owner.redis_url),
        ("DATABASE_ROLE", ROLE), ("DATABASE_ROLE_PASSWORD", PASSWORD),
        ("KEYS_FILE", str(owner.keys_path)), ("STATE_DIR", str(owner.state_dir)),
    ):  # fmt: skip
        monkeypatch.setenv(f"CONTACT_{name}", str(value))
    for _ in range(2):
        done = CliRunner().invoke(_assemble(), ["migrate"])
        assert done.exit_code == 0, done.output
    server = str(owner.database_url).rpartition("@")[2]
    return owner.model_copy(
        update={
            "database_url": f"postgresql://{ROLE}:{PASSWORD}@{server}",
            "database_role": None,
            "database_role_password": None,
        }
    )


@pytest.fixture
def engine(service_settings: Settings) -> Iterator[Engine]:
    result = connect(service_settings)
    yield result
    result.dispose()


def test_it_does_the_services_work(floor: Floor, clock: FixedClock) -> None:
    service = floor.service
    accounts.add(service, ADMINISTRATOR, "abe", "", Role.STAFF)
    assert signing_in.sign_in(service, "abe", "wrong", "", "", "") is signing_in.Refusal.WRONG
    debtors = [floor.ledger.person([mobile(n)]) for n in range(3)]
    open_person(service, Actor("abe", Role.STAFF), debtors[0], OpenReason.CHECK)
    run_id = floor.start(definition(arms=[{"name": "contact"}]))
    floor.drain()
    assert sum(floor.states().values()) == 3
    later = clock.now() + timedelta(days=14)
    assert next_person(service, Actor("sato", Role.OPERATOR), later) is not None
    assert run_report(service, Actor("eva", Role.EVALUATOR), run_id, "ja")
    assert uploads.hand_in(
        service, ADMINISTRATOR, FileKind.CLAIMS, "x.csv", io.BytesIO(b"x"), dry_run=True
    )
    floor.ledger.run("UPDATE claim SET outstanding_yen = 0")
    clock.at += timedelta(days=8_000)
    usual = periods(service.settings.retention_file)
    assert sum(found.count for found in forget(service, ADMINISTRATOR, usual)) > 0
    assert audit_chain.seal(service.engine) > 5
    assert audit_chain.verify(service.engine, ADMINISTRATOR).faults == []
    # a new count of what a run has frozen is let by the server, not passed over
    analysed = "SELECT reltuples FROM pg_class WHERE oid = 'attempt'::regclass"
    assert floor.ledger.one(analysed) == 9  # three people, three steps
    # and a backup may be made as it, as of everything that it reads
    assert floor.ledger.one("SELECT last_value FROM audit_log_id_seq")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_chain", "DELETE FROM event",
        "TRUNCATE audit_log CASCADE", "UPDATE alembic_version SET version_num = 'x'",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL", "DROP TABLE event",
        "CREATE TABLE mine ()", "SET session_replication_role = replica",
        f"ALTER ROLE {ROLE} SUPERUSER", "SELECT pg_read_file('/etc/passwd')",
    ],
)  # fmt: skip
def test_it_changes_no_record_and_nothing_that_protects_it(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO audit_log (at, actor, role, office, action, subject) "
                 "VALUES (now(), 'x', 'staff', '*', 'x', 'x')")
        )  # fmt: skip
    refused = pytest.raises(ProgrammingError, match="permission denied|must be owner")
    with refused, engine.begin() as connection:
        connection.execute(text(statement))


def test_the_doctor_notes_a_service_that_could(
    owner: Settings, service_settings: Settings, tmp_path: Path
) -> None:
    def found(settings: Settings) -> Level | None:
        of_their_own = settings.model_copy(update={"state_dir": tmp_path})
        levels = {each.subject: each.level for each in doctor.examine(SYSTEM, of_their_own)}
        return levels.get("audit log")

    assert (found(owner), found(service_settings)) == (Level.NOTE, None)


def test_no_password_is_sent_as_it_is(service_settings: Settings, settings: Settings) -> None:
    with psycopg.connect(str(settings.database_url)) as connection:
        row = connection.execute(
            "SELECT rolpassword, rolsuper, rolcreaterole FROM pg_authid WHERE rolname = %s", [ROLE]
        ).fetchone()
    assert row and row[0].startswith("SCRAM-SHA-256$") and row[1:] == (False, False)
