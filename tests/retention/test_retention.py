"""When the time is over: people go, counts stay, holds hold; and all that is kept of somebody can
be told to them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from contact_service import worker
from contact_service.callcentre.calls import no_more_calls
from contact_service.cli import _assemble
from contact_service.clock import FileClock
from contact_service.domain.actors import SYSTEM, Actor, NotAllowed, Role
from contact_service.domain.life import CannotDo
from contact_service.evaluation.report import run_report
from contact_service.offices import kinds_of
from contact_service.people.search import search
from contact_service.retention import holds
from contact_service.retention.anonymise import forget
from contact_service.retention.periods import USUAL, DataClass, Periods, periods
from contact_service.retention.sections import SECTIONS
from contact_service.retention.subject_access import subject_access
from contact_service.store.rotation import PLACES
from contact_service.store.tables import metadata
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.identity.offices import HEALTH, NURSERY
from tests.ledger import mobile

__all__ = ["floor"]

FIRST, SECOND = Actor("abe", Role.APPROVER), Actor("baba", Role.APPROVER)
USUALLY = periods(None)
LATER = timedelta(days=USUALLY.people + 400)


def whole_database(floor: Floor) -> str:
    """Everything in it that can be read, sealed values opened."""
    sealed = {(place.table.name, place.column.name) for place in PLACES}
    told = []
    with floor.service.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')).mappings():
                for column, value in row.items():
                    if value is not None and (table.name, column) in sealed:
                        value = floor.service.vault.open(f"{table.name}.{column}", bytes(value))
                    told.append(str(value))
    return "\n".join(told)


def figures(floor: Floor, run_id: Any) -> dict[str, Any]:
    found = run_report(floor.service, SYSTEM, run_id, "ja")[1]
    found["report"].pop("written_at")
    return found


@pytest.fixture
def people(floor: Floor) -> dict[str, int]:
    """Four who were contacted: one has paid and goes, one is held, one owes, one opted out."""
    found = {
        name: floor.ledger.person([mobile(n)], household=f"home-{name}")
        for n, name in enumerate(("goes", "held", "owes", "opted_out"), 1)
    }
    floor.run_id = floor.start()  # type: ignore[attr-defined]
    floor.drain()
    for name in ("goes", "held", "opted_out"):
        floor.ledger.pays(found[name])
    with floor.service.engine.begin() as connection:
        connection.execute(text("UPDATE claim SET notice_number = 'N-' || debtor_id, note = 'R'"))
        connection.execute(
            text("""
            INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by, note)
            SELECT id, 'absent', :now, 'op', :note FROM attempt a WHERE a.channel = 'operator'
            """),
            {
                "now": floor.clock.now(),
                "note": floor.service.vault.seal("disposition.note", "秘密のメモ"),
            },
        )
        seal = floor.service.vault.seal
        written = {
            "now": floor.clock.now(),
            "remark": seal("quality_review.remark", "家の事情"),
            "why": seal("result_correction.why", "家の事情"),
        }
        connection.execute(
            text("""
            INSERT INTO quality_review (disposition_id, drawn_at, drawn_by, mark, remark)
            SELECT id, :now, 'lead', 'good', :remark FROM disposition
            """),
            written,
        )
        connection.execute(
            text("""
            INSERT INTO result_correction (disposition_id, was, became, corrected_at, corrected_by,
                why, restrictions) SELECT id, '{}', 'absent', :now, 'lead', :why, '{}'
            FROM disposition
            """),
            written,
        )
        # imported when the ledger was, by the service's clock
        connection.execute(
            text("UPDATE source_file SET imported_at = :n"), {"n": floor.clock.now()}
        )
    assert no_more_calls(floor.service, SYSTEM, mobile(4), floor.clock.now())
    return found


def code_of(floor: Floor, person: int) -> str:
    return str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=person))


def test_counts_survive_and_people_do_not(floor: Floor, people: dict[str, int]) -> None:
    service, run_id = floor.service, floor.run_id  # type: ignore[attr-defined]
    codes = {name: code_of(floor, person) for name, person in people.items()}
    holds.hold(service, FIRST, codes["held"], "訴訟")
    assert {f.count for f in forget(service, ADMINISTRATOR, USUALLY)} == {0}
    floor.clock.at += LATER
    before = figures(floor, run_id)
    counted = {f.kind: f.count for f in forget(service, ADMINISTRATOR, USUALLY, dry_run=True)}
    assert counted[DataClass.PEOPLE] == 2
    assert mobile(1) in whole_database(floor)
    with pytest.raises(NotAllowed):
        forget(service, FIRST, USUALLY)
    done = {f.kind: f.count for f in forget(service, ADMINISTRATOR, USUALLY)}
    assert done[DataClass.PEOPLE] == 2
    left = whole_database(floor)
    for name, gone in (("goes", True), ("held", False), ("owes", False), ("opted_out", True)):
        person = people[name]
        for mark in (codes[name], f"N-{person}", f"home-{name}"):
            assert (mark in left.split("\n")) != gone, (name, mark)
    numbers = [mobile(n) in left for n in (1, 2, 3, 4)]
    assert numbers == [False, True, True, True]  # who opted out is left alone for good
    assert left.count("世田谷太郎") == 2
    assert figures(floor, run_id) == before
    assert {f.count for f in forget(service, ADMINISTRATOR, USUALLY)} == {0}
    assert search(service, SYSTEM, mobile(1)).people == []
    said = floor.ledger.rows("SELECT details FROM audit_log WHERE subject = 'people'")
    assert [row[0]["count"] for row in said] == [2]  # type: ignore[index]


@pytest.mark.parametrize(
    "happened",
    [
        "UPDATE claim SET filed_as_of = CAST(:lately AS date) WHERE debtor_id = :id",
        "INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on, "
        "amount_yen, method, source_file_id, source_line) SELECT id, 'x', kind, 'x', 1, "
        "CAST(:lately AS date), 1, 'bank', source_file_id, 1 FROM claim WHERE debtor_id = :id",
        "UPDATE attempt SET submitted_at = :lately WHERE target_id IN (SELECT target_id FROM "
        "target_claim tc JOIN claim c ON c.id = tc.claim_id WHERE c.debtor_id = :id)",
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, debtor_id) "
        "VALUES (gen_random_uuid(), 'x', 'x', 'closed', :lately, false, :id)",
        "UPDATE source_file SET imported_at = :lately WHERE :id > 0",
    ],
)
def test_whoever_something_happened_to_lately_stays(
    floor: Floor, people: dict[str, int], happened: str
) -> None:
    gone = "SELECT anonymised_at IS NOT NULL FROM debtor WHERE id = :id"
    floor.clock.at += LATER
    floor.ledger.run(happened, id=people["goes"], lately=floor.clock.now() - timedelta(days=9))
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(gone, id=people["goes"]) is False
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(gone, id=people["goes"]) is True


def test_notes_go_before_people_but_not_of_who_is_held(
    floor: Floor, people: dict[str, int]
) -> None:
    holds.hold(floor.service, FIRST, code_of(floor, people["held"]), "監査")
    floor.clock.at += timedelta(days=USUALLY.notes + 30)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.rows("""
        SELECT DISTINCT c.debtor_id FROM disposition d JOIN attempt a ON a.id = d.attempt_id
        JOIN target_claim tc ON tc.target_id = a.target_id JOIN claim c ON c.id = tc.claim_id
        WHERE d.note IS NOT NULL""") == [(people["held"],)]
    assert floor.ledger.one("SELECT count(*) FROM quality_review WHERE remark IS NOT NULL") == 1
    reasons = [row[0] for row in floor.ledger.rows("SELECT why FROM result_correction")]
    said = [floor.service.vault.open("result_correction.why", bytes(why)) for why in reasons]  # type: ignore[call-overload]
    assert sorted(said) == [""] * (len(said) - 1) + ["家の事情"]
    assert floor.ledger.one("SELECT count(*) FROM debtor WHERE name IS NULL") == 0


def test_a_hold_is_lifted_by_somebody_else(floor: Floor, people: dict[str, int]) -> None:
    code = code_of(floor, people["held"])
    with pytest.raises(CannotDo):
        holds.hold(floor.service, FIRST, code, " ")
    holds.hold(floor.service, FIRST, code, "訴訟")
    with pytest.raises(CannotDo):
        holds.hold(floor.service, SECOND, code, "again")
    with pytest.raises(CannotDo, match="somebody else"):
        holds.lift(floor.service, FIRST, code)
    holds.lift(floor.service, SECOND, code)
    floor.clock.at += LATER
    assert forget(floor.service, ADMINISTRATOR, USUALLY)[0].count == 3


def test_a_hold_is_ended_by_the_office_that_set_it_and_holds_while_another_lasts(
    floor: Floor, people: dict[str, int]
) -> None:
    service, code = floor.service, code_of(floor, people["held"])
    floor.ledger.run(  # who owed the nursery office, too
        """
        INSERT INTO claim OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(CAST(NULL AS claim), to_jsonb(c)
            || jsonb_build_object('id', 1000000, 'kind', 'nursery_fee'))).*
        FROM claim c WHERE debtor_id = :id LIMIT 1""",
        id=people["held"],
    )

    def approver(name: str, office: str) -> Actor:
        return Actor(name, Role.APPROVER, office, kinds=kinds_of(office, service.settings))

    holds.hold(service, approver("goto", HEALTH), code, "国保の訴訟")
    with pytest.raises(CannotDo, match="held already"):
        holds.hold(service, approver("ito", HEALTH), code, "again")
    with pytest.raises(CannotDo, match="not held"):  # nor is it told who holds them
        holds.lift(service, approver("mori", NURSERY), code)
    with pytest.raises(CannotDo, match="not held"):
        holds.lift(service, approver("mori", NURSERY), code, HEALTH)
    holds.hold(service, approver("mori", NURSERY), code, "保育の監査")
    with pytest.raises(CannotDo, match="say which"):
        holds.lift(service, SECOND, code)
    with pytest.raises(CannotDo, match="somebody else"):
        holds.lift(service, approver("goto", HEALTH), code)
    holds.lift(service, approver("ito", HEALTH), code)
    floor.clock.at += LATER
    assert forget(service, ADMINISTRATOR, USUALLY)[0].count == 2  # one lasts
    holds.lift(service, SECOND, code)  # of all offices, and there is but one
    assert forget(service, ADMINISTRATOR, USUALLY)[0].count == 1


def test_all_that_is_kept_is_told_and_that_it_was_asked_for(
    floor: Floor, people: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of(floor, people["goes"])
    with pytest.raises(NotAllowed):
        subject_access(floor.service, Actor("x", Role.STAFF), code)
    monkeypatch.setattr("contact_service.cli.common.settings", lambda: floor.service.settings)
    monkeypatch.setenv("CONTACT_ACTOR", "abe")
    output = tmp_path / "her.json"
    words = ["person", "export", code, "--output", str(output)]
    assert CliRunner().invoke(_assemble(), words).exit_code == 0
    assert CliRunner().invoke(_assemble(), words).exit_code == 1  # nothing is written over
    assert output.stat().st_mode & 0o077 == 0
    told = json.loads(output.read_text())
    assert told["debtor"][0]["name"] == "世田谷太郎"
    assert told["phone"][0]["number"] == mobile(1)
    assert told["disposition"][0]["note"] == "秘密のメモ"
    assert len(told["attempt"]) == 3
    assert told["looked_at"][-1]["action"] == "person.disclosed"
    for other in (mobile(2), code_of(floor, people["held"]), f"N-{people['owes']}"):
        assert other not in output.read_text()


def test_no_table_that_leads_to_a_person_is_left_out() -> None:
    # of nobody in particular, or of those who work here
    others = {"rejected_row", "source_file", "letter_batch", "run", "campaign_version"}
    leads = {"debtor", "phone", "household", "attempt", "claim", "target", "disposition",
             "inbound_call", "restriction"}  # fmt: skip
    found = set(leads)
    for table in metadata.sorted_tables:
        if {key.column.table.name for key in table.foreign_keys} & leads:
            found.add(table.name)
    assert found - others - set(SECTIONS) == {"audit_chain"} & found


def test_periods_are_said_in_full(tmp_path: Path) -> None:
    assert Periods.model_validate(USUALLY.model_dump()) == periods(USUAL)
    faulty = tmp_path / "periods.yaml"
    faulty.write_text("people: 10\n")
    with pytest.raises(ValueError, match="notes"):
        periods(faulty)


def test_beat_lets_go_where_the_office_has_stated_periods(
    floor: Floor, people: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FileClock(tmp_path / "clock.json")
    clock.set(floor.clock.now() + LATER)
    stated = tmp_path / "periods.yaml"
    stated.write_bytes(USUAL.read_bytes())
    own = floor.service.settings.model_copy(
        update={"clock": f"file:{clock.path}", "keys_file": floor.service.settings.keys_path}
    )
    monkeypatch.setattr(worker, "settings", lambda: own)
    assert "let go" not in worker._beat_table()  # nothing goes by periods that nobody stated
    own = own.model_copy(update={"retention_file": stated})
    entry = worker._beat_table()["let go"]
    worker.dispatcher.cache_clear()
    try:
        worker.app.tasks[entry["task"]](*entry["args"])
    finally:
        worker.dispatcher().close()
        worker.dispatcher.cache_clear()
    gone = floor.ledger.rows("SELECT id FROM debtor WHERE anonymised_at IS NOT NULL")
    assert (people["goes"],) in gone and (people["owes"],) not in gone
