"""Every column has its class, and goes when the time of its class is over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from contact_service.retention import holds
from contact_service.retention.anonymise import forget
from contact_service.retention.periods import DataClass
from contact_service.store.rotation import PLACES
from contact_service.store.tables import metadata
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.ledger import mobile
from tests.retention.test_retention import (
    FIRST,
    LATER,
    SECOND,
    USUALLY,
    code_of,
    people,
    whole_database,
)

__all__ = ["floor", "people"]

STAY = {"handed_over", "staff", "words"}


def classed() -> Iterator[tuple[str, str]]:
    """``table.column`` and its class, as the manual has them."""
    page = (ROOT / "docs" / "security" / "data.md").read_text(encoding="utf-8")
    for line in page.splitlines():
        if found := re.fullmatch(r"\| (\w+) \| (\w+) \| ([\w, ]+) \|", line):
            table, kind, columns = found.groups()
            yield from ((f"{table}.{column}", kind) for column in columns.split(", "))


def test_every_column_that_can_hold_words_has_a_class() -> None:
    said = [place for place, _ in classed() if place != "table.columns"]
    assert len(said) == len(set(said)), "twice"
    wordy = (String, LargeBinary, JSONB, ARRAY)
    there = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, wordy)
    }
    assert sorted(set(said) ^ there) == [], "add it to docs/security/data.md, or take it out"
    kinds = dict(classed())
    assert {kinds[place] for place in said} == {kind.value for kind in DataClass} | STAY
    sealed = {place.name for place in PLACES}
    assert [place for place in sealed if kinds[place] == "words"] == []


#: What is written of somebody who goes, in every column of the classes that go; ``M`` and the
#: column's name is the mark. Numbers, names and indexes are filled by the world itself.
FILL = {
    "debtor": """UPDATE debtor SET name_kana = :name_kana, birth_date = :birth_date,
        name_index = 'Mname_index', written_index = 'Mwritten_index' WHERE id = :id""",
    "claim": "UPDATE claim SET notice_number = 'M' || id, note = 'Mnote' WHERE debtor_id = :id",
    "payment": """INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment,
            paid_on, amount_yen, method, source_file_id, source_line)
        SELECT CASE WHEN matched THEN c.id END, d.code, c.kind, 'Mpaid' || matched, 1,
            '2026-09-01', 1, 'bank', c.source_file_id, 1
        FROM claim c JOIN debtor d ON d.id = c.debtor_id, (VALUES (true), (false)) m (matched)
        WHERE d.id = :id""",
    "restriction": """INSERT INTO restriction (kind, debtor_id, claim_id, phone_id, debtor_code,
            notice_number, starts_on, lifted_at, note, origin)
        SELECT 'no_calls', CASE n WHEN 1 THEN d.id END, CASE n WHEN 2 THEN c.id END,
            CASE n WHEN 3 THEN dp.phone_id END, CASE WHEN n IN (1, 4) THEN d.code END,
            'Mnotice' || n, '2020-01-01', :now, 'Mremark' || n, 'file'
        FROM debtor d JOIN claim c ON c.debtor_id = d.id
        JOIN debtor_phone dp ON dp.debtor_id = d.id, generate_series(1, 4) n WHERE d.id = :id""",
    "restriction_lift": """INSERT INTO restriction_lift (restriction_id, reason, asked_at, asked_by)
        SELECT id, 'Mlift' || id, :now, 'abe' FROM restriction WHERE note LIKE 'Mremark%'""",
    "inbound_message": """INSERT INTO inbound_message (provider, provider_ref, phone_id, body,
            opted_out, received_at)
        SELECT 'x', 'x', phone_id, :body, false, :now FROM debtor_phone WHERE debtor_id = :id""",
    "inbound_call": """INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked,
            debtor_id, number)
        VALUES (gen_random_uuid(), 'x', 'x', 'closed', :now, false, :id, :caller)""",
    "disposition": """INSERT INTO disposition (inbound_call_id, kind, recorded_at, recorded_by,
            note)
        SELECT id, 'absent', :now, 'op', :note FROM inbound_call WHERE debtor_id = :id""",
    "quality_review": """INSERT INTO quality_review (disposition_id, drawn_at, drawn_by, mark,
            remark)
        SELECT id, :now, 'lead', 'good', :remark FROM disposition WHERE inbound_call_id IS NOT NULL
        """,
    "result_correction": """INSERT INTO result_correction (disposition_id, was, became,
            corrected_at, corrected_by, why, restrictions)
        SELECT id, '{}', 'absent', :now, 'lead', :why, '{}' FROM disposition
        WHERE inbound_call_id IS NOT NULL""",
}  # fmt: skip
SEALED = {
    "name_kana": "debtor.name_kana", "birth_date": "debtor.birth_date", "body":
    "inbound_message.body", "caller": "inbound_call.number", "note": "disposition.note",
    "remark": "quality_review.remark", "why": "result_correction.why",
}  # fmt: skip


@pytest.fixture
def marked(floor: Floor, people: dict[str, int]) -> dict[str, int]:
    """The one who goes has something in every column."""
    given: dict[str, object] = {"id": people["goes"], "now": floor.clock.now()}
    given |= {name: floor.service.vault.seal(at, f"M{name}") for name, at in SEALED.items()}
    for statement in FILL.values():
        used = {name: value for name, value in given.items() if re.search(rf":{name}\b", statement)}
        assert floor.ledger.run(statement, **used)
    code = code_of(floor, people["goes"])
    holds.hold(floor.service, FIRST, code, "Mheld")
    holds.lift(floor.service, SECOND, code)
    return people


def marks(told: str) -> set[str]:
    """Marks, also in bytes as they are printed."""
    return set(re.findall(r"^(?:b')?(M[a-z_]+\w*)", told, re.M))


def test_nothing_of_who_goes_is_left_in_any_column(floor: Floor, marked: dict[str, int]) -> None:
    filled = {f"{table}.{column.name}" for table in FILL for column in metadata.tables[table].c}
    known = {"debtor.code", "debtor.name", "household.code", "phone.number", "phone.number_index",
             "legal_hold.reason"}  # fmt: skip
    goes = {place for place, kind in classed() if kind in {"people", "notes", "messages"}}
    assert goes - filled - known == set(), "fill the new column, here"
    index = floor.ledger.rows(
        "SELECT number_index FROM phone WHERE id IN (SELECT phone_id FROM debtor_phone WHERE "
        "debtor_id = :id)", id=marked["goes"],
    )  # fmt: skip
    before = whole_database(floor)
    assert len(marks(before)) >= 23 and "Mheld" in before
    floor.clock.at += LATER
    assert {f.kind: f.count for f in forget(floor.service, ADMINISTRATOR, USUALLY)}[
        DataClass.PEOPLE
    ]
    left = whole_database(floor)
    assert marks(left) == set()
    for word in ("Mheld", "home-goes", mobile(1)):
        assert (word in before, word in left) == (True, False)
    assert floor.ledger.one(
        "SELECT count(*) FROM phone WHERE number_index = :index", index=index[0][0]
    ) == 0  # fmt: skip


def test_people_go_with_their_notes_and_messages_though_these_are_kept_longer(
    floor: Floor, marked: dict[str, int]
) -> None:
    floor.clock.at += LATER
    longer = USUALLY.model_copy(update={"notes": 36_000, "messages": 36_000})
    forget(floor.service, ADMINISTRATOR, longer)
    assert marks(whole_database(floor)) == set()


def test_what_two_people_share_stays_with_the_other(floor: Floor, marked: dict[str, int]) -> None:
    """A number, what was written from it, and a household."""
    floor.ledger.run(
        "INSERT INTO debtor_phone (debtor_id, phone_id, rank) SELECT :other, phone_id, 9 "
        "FROM debtor_phone WHERE debtor_id = :id", other=marked["owes"], id=marked["goes"],
    )  # fmt: skip
    floor.ledger.run(
        "UPDATE debtor SET household_id = (SELECT household_id FROM debtor WHERE id = :id) "
        "WHERE id = :other", other=marked["owes"], id=marked["goes"],
    )  # fmt: skip
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY.model_copy(update={"messages": 36_000}))
    left = whole_database(floor).split("\n")
    assert mobile(1) in left and "Mbody" in left and "home-goes" in left
    assert "Mremark3" in left and "Mremark1" not in left


#: Of each class that has a period of its own: something that ends :when, and how much is left.
DEADLINES = {
    DataClass.NOTES: (
        "UPDATE disposition SET recorded_at = :when",
        "SELECT count(note) FROM disposition WHERE inbound_call_id IS NOT NULL",
    ),
    DataClass.MESSAGES: (
        "UPDATE inbound_message SET received_at = :when",
        "SELECT count(body) FROM inbound_message",
    ),
    DataClass.REJECTED_ROWS: (
        """WITH f AS (UPDATE source_file SET imported_at = :when RETURNING id)
        INSERT INTO rejected_row (source_file_id, line, reason, value)
        SELECT min(id), 1, 'x', 'x' FROM f""",
        "SELECT count(value) FROM rejected_row",
    ),
    DataClass.SESSIONS: (
        """WITH known AS (INSERT INTO known_browser (token_hash, user_id, seen_at)
            SELECT 'x', id, :when FROM user_account)
        INSERT INTO user_session (token_hash, user_id, form_token, opened_at, seen_at, ends_at,
            address, agent)
        SELECT 'x', id, 'x', :when, :when, :when, '', '' FROM user_account""",
        "SELECT count(*) FROM user_session FULL JOIN known_browser USING (user_id)",
    ),
    DataClass.IDEMPOTENCY_KEYS: (
        """INSERT INTO idempotency_key (token_id, key, fingerprint, begun_at)
        SELECT id, 'x', 'x', :when FROM api_token""",
        "SELECT count(*) FROM idempotency_key",
    ),
}  # fmt: skip


def test_each_class_with_a_period_has_its_deadline_tried() -> None:
    assert {*DEADLINES, DataClass.PEOPLE} == set(DataClass)


@pytest.mark.parametrize("kind", DEADLINES)
def test_each_class_goes_at_its_own_deadline_and_is_written_down(
    floor: Floor, marked: dict[str, int], kind: DataClass
) -> None:
    with floor.service.engine.begin() as connection:
        for statement in (
            "INSERT INTO user_account (name, shown_name, role, office, must_change, password_hash, created_at, "
            "created_by, password_set_at) VALUES ('x', 'x', 'staff', '*', true, 'x', now(), 'x', now())",
            "INSERT INTO api_token (label, token_hash, role, office, scopes, created_at, "
            "created_by, expires_at) VALUES ('x', 'x', 'staff', '*', '{}', now(), 'x', now())",
        ):
            connection.execute(text(statement))
    happened, left = DEADLINES[kind]
    began: datetime = floor.clock.now()
    floor.ledger.run(happened, when=began)
    # every other period is far away: only its own may take it
    periods = USUALLY.model_copy(
        update={other.value: 36_000 for other in DataClass} | {kind.value: 40}
    )
    floor.clock.at = began + timedelta(days=40)
    for _ in range(2):  # looked at, and not a moment too early
        assert sum(f.count for f in forget(floor.service, ADMINISTRATOR, periods)) == 0
        assert floor.ledger.one(left) == 1
    floor.clock.at += timedelta(seconds=1)
    looked = forget(floor.service, ADMINISTRATOR, periods, dry_run=True)
    counts = {f.kind: f.count for f in looked}
    assert (counts[kind] > 0, floor.ledger.one(left)) == (True, 1)
    forget(floor.service, ADMINISTRATOR, periods)
    assert floor.ledger.one(left) == 0
    said = floor.ledger.rows(
        "SELECT subject, details->>'count' FROM audit_log WHERE action = 'retention.forgotten'"
    )
    assert said == [(kind.value, str(counts[kind]))]


@pytest.mark.parametrize("kind", [DataClass.NOTES, DataClass.MESSAGES])
def test_of_who_is_held_nothing_goes(floor: Floor, marked: dict[str, int], kind: DataClass) -> None:
    """What came by a call of theirs, or from a number of theirs."""
    code = code_of(floor, marked["goes"])
    holds.hold(floor.service, FIRST, code, "訴訟")
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(DEADLINES[kind][1]) == 1
    assert len(marks(whole_database(floor))) >= 23
    holds.lift(floor.service, SECOND, code)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(DEADLINES[kind][1]) == 0
    assert marks(whole_database(floor)) == set()
