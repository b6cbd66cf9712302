"""Who is held is held with all that touches them: what they share with others, and what came by a
number that a later file has taken away; and nobody is made nameless beside a hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from contact_service.domain.life import CannotDo
from contact_service.retention import anonymise, holds
from contact_service.retention.anonymise import forget
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.ledger import mobile
from tests.retention.test_retention import FIRST, LATER, USUALLY, code_of, people
from tests.system.ward import until

__all__ = ["floor", "people"]

SAID = "訴訟の証拠"
#: Only people go: notes and messages are kept for ever.
ONLY_PEOPLE = USUALLY.model_copy(update={"notes": 36_000, "messages": 36_000})
NAMELESS = "SELECT anonymised_at IS NOT NULL FROM debtor WHERE id = :id"

WAITS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def pair(floor: Floor) -> tuple[int, int]:
    """Two who share a number, and so a target: one is held, the other would go."""
    held, goes = (floor.ledger.person([mobile(31)]) for _ in range(2))
    floor.start()
    floor.drain()
    for person in (held, goes):
        floor.ledger.pays(person)
    floor.ledger.run("UPDATE source_file SET imported_at = :n", n=floor.clock.now())
    holds.hold(floor.service, FIRST, code_of(floor, held), "訴訟")
    return held, goes


CALLED = "(SELECT id FROM attempt WHERE channel = 'operator')"


def said(floor: Floor, attempt: str = "NULL::uuid", call: str = "NULL::uuid") -> None:
    """A result of a conversation, with all that can be written of it."""
    seal = floor.service.vault.seal
    assert floor.ledger.run(
        f"""
        WITH made AS (INSERT INTO disposition (attempt_id, inbound_call_id, kind, recorded_at,
            recorded_by, note) VALUES ({attempt}, {call}, 'absent', :now, 'op', :note)
            RETURNING id),
        reviewed AS (INSERT INTO quality_review (disposition_id, drawn_at, drawn_by, remark)
            SELECT id, :now, 'lead', :remark FROM made)
        INSERT INTO result_correction (disposition_id, was, became, corrected_at, corrected_by,
            why, restrictions) SELECT id, '{{}}', 'absent', :now, 'lead', :why, '{{}}' FROM made
        """,
        now=floor.clock.now(), note=seal("disposition.note", SAID),
        remark=seal("quality_review.remark", SAID), why=seal("result_correction.why", SAID),
    )  # fmt: skip


def wrote_and_called(floor: Floor, person: int, by: str = "phone_id") -> None:
    """A message and a call from the person's number; the call is known by it, or by ``by``."""
    seal = floor.service.vault.seal
    columns = {"phone_id": "phone_id, NULL", "debtor_id": "NULL, debtor_id"}[by]
    floor.ledger.run(
        f"""INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, phone_id,
            debtor_id) SELECT gen_random_uuid(), 'x', 'x', 'closed', :now, false, {columns}
        FROM debtor_phone WHERE debtor_id = :id""", now=floor.clock.now(), id=person,
    )  # fmt: skip
    floor.ledger.run(
        """INSERT INTO inbound_message (provider, provider_ref, phone_id, body, opted_out,
            received_at) SELECT 'x', 'x', phone_id, :body, false, :now
        FROM debtor_phone WHERE debtor_id = :id""",
        now=floor.clock.now(), id=person, body=seal("inbound_message.body", SAID),
    )  # fmt: skip


def kept(floor: Floor) -> dict[str, int]:
    """How much of what was said and written is still there."""
    places = ("disposition.note", "quality_review.remark", "result_correction.why",
              "inbound_message.body")  # fmt: skip
    found = {}
    for place in places:
        table, column = place.split(".")
        rows = floor.ledger.rows(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        opened = [floor.service.vault.open(place, bytes(row[0])) for row in rows]  # type: ignore[call-overload]
        found[place] = opened.count(SAID)
    return found


ALL_OF_IT = {"disposition.note": 1, "quality_review.remark": 1, "result_correction.why": 1}


def test_what_was_said_to_two_people_stays_while_one_of_them_is_held(
    floor: Floor, pair: tuple[int, int]
) -> None:
    held, goes = pair
    said(floor, attempt=CALLED)
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.rows(NAMELESS, id=goes) == [(True,)]
    assert floor.ledger.rows(NAMELESS, id=held) == [(False,)]
    assert kept(floor) == ALL_OF_IT | {"inbound_message.body": 0}


@pytest.mark.parametrize("periods", [USUALLY, ONLY_PEOPLE], ids=["usual", "only people"])
@pytest.mark.parametrize("renumbered", [False, True])
def test_what_came_by_a_number_of_who_is_held_stays_though_a_file_took_it_away(
    floor: Floor, pair: tuple[int, int], renumbered: bool, periods: Any
) -> None:
    goes = pair[1]
    wrote_and_called(floor, goes)
    said(floor, call="(SELECT id FROM inbound_call)")
    if renumbered:
        floor.ledger.run("DELETE FROM debtor_phone")
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, periods)
    assert floor.ledger.rows(NAMELESS, id=goes) == [(True,)]
    assert kept(floor) == ALL_OF_IT | {"inbound_message.body": 1}
    # and goes when the hold has ended
    floor.ledger.run("UPDATE legal_hold SET lifted_at = :now", now=floor.clock.now())
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert set(kept(floor).values()) == {0}


def test_a_call_in_which_who_is_held_proved_who_they_are_stays(
    floor: Floor, people: dict[str, int]
) -> None:
    """An operator found one person by the call, and another was there too."""
    holds.hold(floor.service, FIRST, code_of(floor, people["held"]), "訴訟")
    wrote_and_called(floor, people["goes"], by="debtor_id")
    said(floor, call="(SELECT id FROM inbound_call)")
    floor.ledger.run(
        "INSERT INTO identity_check (conversation_id, debtor_id, proof, checked_at, checked_by) "
        "SELECT id, :held, 'birth_date', :now, 'op' FROM inbound_call",
        held=people["held"], now=floor.clock.now(),
    )  # fmt: skip
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.rows(NAMELESS, id=people["goes"]) == [(True,)]
    assert kept(floor) == ALL_OF_IT | {"inbound_message.body": 0}


def test_who_is_nameless_cannot_be_held(floor: Floor, people: dict[str, int]) -> None:
    floor.clock.at += LATER
    before = code_of(floor, people["goes"])
    forget(floor.service, ADMINISTRATOR, USUALLY)
    for code in (before, code_of(floor, people["goes"])):
        with pytest.raises(CannotDo, match="nameless"):
            holds.hold(floor.service, FIRST, code, "訴訟")
    assert floor.ledger.one("SELECT count(*) FROM legal_hold") == 0


def test_a_hold_that_comes_while_somebody_is_made_nameless_is_refused(
    floor: Floor, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for what is under way, and says then that it came too late."""
    code = code_of(floor, people["goes"])
    floor.clock.at += LATER
    write_down = anonymise._write_down
    with ThreadPoolExecutor(1) as other:
        waiting = []

        def slowly(*given: Any) -> None:
            if not waiting:
                waiting.append(other.submit(holds.hold, floor.service, FIRST, code, "訴訟"))
                until(lambda: int(str(floor.ledger.one(WAITS))) == 1)
                assert not waiting[0].done()
            write_down(*given)

        monkeypatch.setattr(anonymise, "_write_down", slowly)
        forget(floor.service, ADMINISTRATOR, ONLY_PEOPLE)
        with pytest.raises(CannotDo, match="nameless"):
            waiting[0].result(10)
    assert floor.ledger.one("SELECT count(*) FROM legal_hold") == 0


def test_what_came_while_they_were_chosen_is_looked_at_before_they_go(
    floor: Floor, people: dict[str, int]
) -> None:
    """A hold or a claim that was written after they were chosen, and before their row was ours."""
    floor.clock.at += LATER
    came = []

    def meanwhile(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "TABLE leaving ON COMMIT" in statement and not came:
            came.append(True)
            floor.ledger.run(
                "UPDATE claim SET outstanding_yen = 1 WHERE debtor_id = :id", id=people["goes"]
            )

    event.listen(floor.service.engine, "after_cursor_execute", meanwhile)
    try:
        forget(floor.service, ADMINISTRATOR, USUALLY)
    finally:
        event.remove(floor.service.engine, "after_cursor_execute", meanwhile)
    assert came
    gone = [floor.ledger.one(NAMELESS, id=people[name]) for name in ("goes", "held", "owes")]
    assert gone == [False, True, False]
