"""Every ready-made definition, planned on the sample ward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from campaigns.definition import Definition
from campaigns.parse import read_file
from campaigns.ready_made import library
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO, FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.intake.importing import import_file
from contact_service.planning import runs
from contact_service.settings import Settings
from contact_service.store.crypto import load_vault
from contact_service.store.engine import connect
from tests.conftest import WARD, empty

STAFF = Actor("planner", Role.STAFF)
IMPORTED = datetime.combine(date(2026, 10, 25), time(9, 0), TOKYO)
FIRST_DAY = date(2026, 10, 26)
#: The reminder is for claims that were due a week or two before; the ward's latest are of September.
FIRST_DAYS = {"reminder-before-demand": date(2026, 9, 24)}
FILES = {
    "claims": "滞納一覧_20260930.csv",
    "payments": "収納データ.csv",
    "restrictions": "交渉制限.csv",
}


@pytest.fixture(scope="module")
def ward(running_servers: Settings) -> Iterator[Engine]:
    """The sample ward, imported once; some people have broken a promise."""
    with empty(running_servers) as settings:
        engine = connect(settings)
        service = Service(settings, engine, load_vault(settings.keys_path), FixedClock(IMPORTED))
        for kind, file in FILES.items():
            import_file(service, STAFF, kind, WARD / file, training=True)
        _break_promises(engine)
        yield engine
        engine.dispose()


def _break_promises(engine: Engine) -> None:
    """An earlier run of the trial in which forty people promised an operator to pay."""
    path = library()["three-arm-trial"]
    earlier = datetime.combine(date(2026, 9, 1), time(9, 0), TOKYO)
    definition = read_file(path).definition
    runs.plan(engine, STAFF, definition, path.read_text(encoding="utf-8"), earlier.date(), earlier)
    with engine.begin() as connection:
        for statement in (
            "UPDATE run SET state = 'completed'",
            "UPDATE attempt SET state = 'finished', submitted_at = due_at, outcome = 'confirmed',"
            " outcome_at = due_at WHERE id IN (SELECT id FROM attempt WHERE channel = 'operator'"
            " ORDER BY id LIMIT 40)",
            "INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by)"
            " SELECT id, 'promised', outcome_at, 'o' FROM attempt WHERE state = 'finished'",
            "INSERT INTO promise (disposition_id, target_id, promised_on, amount_yen)"
            " SELECT d.id, a.target_id, '2026-09-30', 1000"
            " FROM disposition d JOIN attempt a ON a.id = d.attempt_id",
        ):
            connection.execute(text(statement))


@pytest.mark.parametrize("name", library())
def test_a_ready_made_definition_finds_its_people_in_the_ward(ward: Engine, name: str) -> None:
    path = library()[name]
    definition = read_file(path).definition
    source = path.read_text(encoding="utf-8")
    first_day = FIRST_DAYS.get(name, FIRST_DAY)
    now = datetime.combine(first_day, time(8, 0), TOKYO)
    planned = runs.plan(ward, STAFF, definition, source, first_day, now)
    try:
        _check(ward, definition, planned)
    finally:
        with ward.begin() as connection:
            connection.execute(text("UPDATE run SET state = 'cancelled'"))


def _check(ward: Engine, definition: Definition, planned: runs.Planned) -> None:
    run = {"run": planned.run_id}
    arms = _column(ward, "SELECT DISTINCT arm FROM target WHERE run_id = :run", run)
    kinds = _column(
        ward,
        "SELECT DISTINCT c.kind FROM claim c JOIN target_claim tc ON tc.claim_id = c.id"
        " JOIN target t ON t.id = tc.target_id WHERE t.run_id = :run",
        run,
    )
    numbers = _column(ward, "SELECT DISTINCT phone_kind FROM target WHERE run_id = :run", run)
    steps = _column(ward, "SELECT DISTINCT step FROM attempt WHERE run_id = :run", run)
    assert planned.new
    assert arms == {arm.name for arm in definition.arms}, "an arm without anybody"
    assert kinds <= set(definition.whom.kinds or kinds)
    assert ("mobile" in numbers) == (definition.whom.has_mobile is not False)
    assert steps == {step.name for step in definition.steps}


def _column(ward: Engine, statement: str, values: dict[str, UUID]) -> set[str]:
    with ward.connect() as connection:
        return set(connection.scalars(text(statement), values))
