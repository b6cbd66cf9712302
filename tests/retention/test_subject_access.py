"""保有個人情報開示: nothing of the person is left out, and what may be another's is marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contact_service.domain.actors import Actor, Role
from contact_service.retention.subject_access import MARK, subject_access
from contact_service.store import audit
from tests.dispatch.conftest import Floor, floor
from tests.ledger import mobile
from tests.retention.test_holds import CALLED, SAID, pair, said, wrote_and_called
from tests.retention.test_retention import FIRST, code_of, people

__all__ = ["floor", "pair", "people"]


def told(floor: Floor, person: int) -> dict[str, Any]:
    found = subject_access(floor.service, FIRST, code_of(floor, person))
    json.dumps(found)
    return found


def marked(found: dict[str, Any]) -> dict[str, list[bool]]:
    """By table: whether each row says that it is shared."""
    return {
        table: [row.get(MARK, False) for row in rows]
        for table, rows in found.items()
        if isinstance(rows, list) and rows and table != "looked_at"
    }


@pytest.fixture
def heard_of(floor: Floor, people: dict[str, int]) -> int:
    """One who owes: of whom there is something of every kind."""
    who, now = people["owes"], floor.clock.now()
    wrote_and_called(floor, who)
    floor.ledger.run(
        "UPDATE inbound_call SET provider_ref = 'CALLREF', state = 'call_back', asked = true, "
        "due_at = :now, number = :number",
        now=now, number=floor.service.vault.seal("inbound_call.number", mobile(3)),
    )  # fmt: skip
    said(floor, call="(SELECT id FROM inbound_call)")
    for statement in (
        """INSERT INTO payment (debtor_code, kind, notice_number, instalment, paid_on, amount_yen,
            method, source_file_id, source_line)
        SELECT code, 'health_insurance', 'UNMATCHED', 1, '2026-09-01', 4321, 'bank',
            source_file_id, 1 FROM debtor WHERE id = :id""",
        """INSERT INTO restriction (kind, debtor_code, starts_on, note, origin)
        SELECT 'no_calls', code, '2026-01-01', 'NOTYETTHEIRS', 'file' FROM debtor WHERE id = :id""",
        """INSERT INTO event (provider, provider_ref, channel, status, rank, final, occurred_at,
            received_at, via, raw, deduplication_key)
        SELECT provider, provider_ref, 'sms', 'BYREFALONE', 1, false, now(), now(), 'poll', '{}',
            'x' FROM attempt a WHERE provider_ref IS NOT NULL AND a.target_id IN (
            SELECT id FROM target WHERE addressee_id = :id) LIMIT 1""",
    ):
        assert floor.ledger.run(statement, id=who) == 1
    return who


@pytest.mark.parametrize("renumbered", [False, True])
def test_all_that_is_theirs_is_told(floor: Floor, heard_of: int, renumbered: bool) -> None:
    """Also after a file has brought another number for them, and none for now."""
    if renumbered:
        floor.ledger.run("DELETE FROM debtor_phone WHERE debtor_id = :id", id=heard_of)
    found = told(floor, heard_of)
    assert [row["notice_number"] for row in found["payment"]] == ["UNMATCHED"]
    assert "NOTYETTHEIRS" in [row.get("note") for row in found["restriction"]]
    assert "BYREFALONE" in [row["status"] for row in found["event"]]
    assert [row["number"] for row in found["phone"]] == [mobile(3)]
    assert [row["body"] for row in found["inbound_message"]] == [SAID]
    calls = [(row["provider_ref"], row["number"]) for row in found["inbound_call"]]
    assert calls == [("CALLREF", mobile(3))]
    assert SAID in [row["note"] for row in found["disposition"]]
    assert SAID in [row.get("why") for row in found["result_correction"]]
    assert not any(any(rows) for rows in marked(found).values())


def test_nothing_of_this_is_told_to_somebody_else(
    floor: Floor, people: dict[str, int], heard_of: int
) -> None:
    others = json.dumps(told(floor, people["held"]), ensure_ascii=False)
    for word in ("UNMATCHED", "NOTYETTHEIRS", "BYREFALONE", "CALLREF", SAID, mobile(3), MARK):
        assert word not in others


def test_whoever_read_or_reviewed_what_was_said_is_told(floor: Floor, heard_of: int) -> None:
    lines = {
        "result.read": "SELECT 'disposition:' || max(id) FROM disposition",
        "quality.reviewed": "SELECT 'disposition:' || max(id) FROM disposition",
        "messages.read": "SELECT 'message:' || max(id) FROM inbound_message",
        "result.corrected": "SELECT 'correction:' || max(id) FROM result_correction",
        "restriction.lift": "SELECT 'restriction:' || max(id) FROM restriction",
        "person.found": f"SELECT 'debtor:' || {heard_of}",
        "person.identified": "SELECT id::text FROM inbound_call",
    }
    for action, asked in lines.items():
        subject, now = str(floor.ledger.one(asked)), floor.clock.now()
        with floor.service.engine.begin() as connection:
            audit.record(connection, now, Actor("nosy", Role.SUPERVISOR), action, subject)
            # of another result, message, restriction, call
            audit.record(connection, now, Actor("else", Role.STAFF), action, f"{subject}9")
    looked = told(floor, heard_of)["looked_at"]
    assert {row["action"] for row in looked if row["actor"] == "nosy"} == set(lines)
    assert "else" not in {row["actor"] for row in looked}


def test_what_concerns_several_people_is_marked(floor: Floor, pair: tuple[int, int]) -> None:
    """One target of two people: its sums are both's, and what was said is not surely one's."""
    first, _ = pair
    wrote_and_called(floor, first, by="debtor_id")
    said(floor, attempt=CALLED)
    found = marked(told(floor, first))
    for table in ("target", "attempt", "phone", "debtor_phone", "inbound_message", "disposition",
                  "quality_review", "result_correction"):  # fmt: skip
        assert set(found[table]) == {True}, table
    for table in ("debtor", "claim", "target_claim", "inbound_call", "legal_hold"):
        assert set(found[table]) == {False}, table
    assert told(floor, first)["target"][0]["outstanding_yen"] == 20_000


def test_a_call_from_a_shared_number_is_told_to_who_was_there(
    floor: Floor, pair: tuple[int, int]
) -> None:
    """Who called is known by the number alone, which is two people's: neither's, until one of
    them proves to be there; and both's, if both do."""
    first, other = pair
    wrote_and_called(floor, first)
    said(floor, call="(SELECT id FROM inbound_call)")
    calls = []
    for person in (None, first, other):
        if person is not None:
            floor.ledger.run(
                "INSERT INTO identity_check (conversation_id, debtor_id, proof, checked_at, "
                "checked_by) SELECT id, :id, 'birth_date', :now, 'op' FROM inbound_call",
                id=person, now=floor.clock.now(),
            )  # fmt: skip
        calls.append([marked(told(floor, who)).get("disposition", []) for who in pair])
    assert calls == [[[], []], [[True], []], [[True], [True]]]
