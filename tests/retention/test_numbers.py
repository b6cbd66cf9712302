"""No number leads back to somebody who has become nameless, and none is kept that nobody has."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from contact_service.callcentre.calls import no_more_calls
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM
from contact_service.intake.importing import import_file
from contact_service.people.search import search
from contact_service.receipts.messages import store_messages
from contact_service.retention import holds
from contact_service.retention.anonymise import _LEAVE, forget
from contact_service.retention.numbers import used
from contact_service.retention.whose import find_held
from contact_service.store import indexing, left_alone
from contact_service.store.indexing import writing
from providers.base import InboundMessage
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import ADMINISTRATOR
from tests.intake.conftest import CLAIM, STAFF, write_csv
from tests.ledger import mobile
from tests.retention.test_holds import NAMELESS, ONLY_PEOPLE, SAID, kept, said, wrote_and_called
from tests.retention.test_retention import (
    FIRST,
    LATER,
    USUALLY,
    code_of,
    figures,
    people,
    whole_database,
)

__all__ = ["floor", "people"]

#: All that a number leads to, but what says that it must be left alone.
LED_TO = """
    SELECT count(*) FROM phone p WHERE p.number_index = :index AND (
        EXISTS (SELECT FROM target t WHERE t.phone_id = p.id)
        OR EXISTS (SELECT FROM attempt a WHERE a.phone_id = p.id)
        OR EXISTS (SELECT FROM call k WHERE k.phone_id = p.id)
        OR EXISTS (SELECT FROM inbound_call i WHERE i.phone_id = p.id)
        OR EXISTS (SELECT FROM inbound_message m WHERE m.phone_id = p.id)
        OR EXISTS (SELECT FROM restriction r WHERE r.phone_id = p.id AND r.debtor_id IS NOT NULL))
"""


def index_of(floor: Floor, number: str) -> bytes:
    return floor.service.vault.indexes("phone", number)[0]


def renumbered(floor: Floor, person: int, number: str) -> None:
    """As a claims file does it that brings another number."""
    other = floor.ledger.person([number], owes=())
    floor.ledger.run("DELETE FROM debtor_phone WHERE debtor_id = :id", id=person)
    floor.ledger.run(
        "UPDATE debtor_phone SET debtor_id = :id WHERE debtor_id = :o", id=person, o=other
    )
    floor.ledger.run("UPDATE source_file SET imported_at = :n", n=floor.clock.now())


def stranger_writes(floor: Floor, number: str, body: str) -> None:
    message = InboundMessage(str(uuid4()), number, "0354321111", body, False, floor.clock.now())
    store_messages(floor.service, "scripted", [message], floor.clock.now())


def test_a_number_that_a_file_replaced_goes_with_its_person(
    floor: Floor, people: dict[str, int]
) -> None:
    run_id = floor.run_id  # type: ignore[attr-defined]
    wrote_and_called(floor, people["goes"])
    said(floor, call="(SELECT id FROM inbound_call)")
    renumbered(floor, people["goes"], mobile(77))
    floor.clock.at += LATER
    before = figures(floor, run_id)
    forget(floor.service, ADMINISTRATOR, ONLY_PEOPLE)
    left = whole_database(floor)
    assert (mobile(1) in left, mobile(77) in left, mobile(3) in left) == (False, False, True)
    assert set(kept(floor).values()) == {0}  # what was said and written from it
    assert figures(floor, run_id) == before
    # with them, not some time after
    said_of = floor.ledger.rows("SELECT subject FROM audit_log WHERE action LIKE 'retention.%'")
    assert said_of == [("people",)]


def test_a_number_that_a_file_replaced_goes_when_it_was_long_ago(
    floor: Floor, tmp_path: Path
) -> None:
    """Also of somebody who still owes: by files, as an office brings them."""
    first = write_csv(tmp_path / "滞納一覧_20260930.csv", [CLAIM])
    import_file(floor.service, STAFF, "claims", first, training=True)
    floor.start()
    floor.drain()
    floor.clock.at += timedelta(days=30)
    later = write_csv(tmp_path / "滞納一覧_20261031.csv", [CLAIM | {"電話番号１": "080-9999-0000"}])
    import_file(floor.service, STAFF, "claims", later, training=True)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert "+819012345678" in whole_database(floor)  # they were called there lately
    floor.clock.at += LATER
    for _ in range(2):
        forget(floor.service, ADMINISTRATOR, USUALLY)
        left = whole_database(floor)
        assert ("+819012345678" in left, "+818099990000" in left) == (False, True)
    said = floor.ledger.rows("SELECT details ->> 'count' FROM audit_log WHERE subject = 'numbers'")
    assert said == [("1",)]  # once, and not every day again


def test_a_strangers_number_goes_and_one_who_wants_no_more_stays_left_alone(floor: Floor) -> None:
    stranger_writes(floor, mobile(88), "うちの子の担任の田中です")
    stranger_writes(floor, mobile(89), "停止")
    floor.clock.at += timedelta(days=USUALLY.people)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert mobile(88) in whole_database(floor)
    floor.clock.at += timedelta(seconds=1)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    left = whole_database(floor)
    assert (mobile(88) in left, mobile(89) in left) == (False, True)
    restricted = text(
        f"SELECT number_index FROM phone WHERE id IN ({left_alone.RESTRICTED_PHONES})"
    )
    with floor.service.engine.connect() as connection:
        day = floor.clock.now().astimezone(TOKYO).date()
        found = connection.execute(restricted, left_alone.parameters(day)).scalars().all()
    assert found == [index_of(floor, mobile(89))]


def test_a_caller_whom_nobody_called_back_is_forgotten(floor: Floor) -> None:
    floor.ledger.run(
        "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, number, "
        "due_at) VALUES (gen_random_uuid(), 'x', 'x', 'call_back', :now, true, :number, :now)",
        now=floor.clock.now(), number=floor.service.vault.seal("inbound_call.number", mobile(90)),
    )  # fmt: skip
    for days, there in ((USUALLY.people, True), (1, False)):
        floor.clock.at += timedelta(days=days)
        forget(floor.service, ADMINISTRATOR, USUALLY)
        assert (mobile(90) in whole_database(floor)) == there


def test_a_number_that_must_be_left_alone_leads_to_nobody(
    floor: Floor, people: dict[str, int]
) -> None:
    service, index = floor.service, index_of(floor, mobile(4))
    run_id = floor.run_id  # type: ignore[attr-defined]
    wrote_and_called(floor, people["opted_out"])
    floor.ledger.run(
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "phone_id, deduplication_key) SELECT 'resident', 'inbound', :now, 9, 9, 'talked', phone_id, "
        "'x' FROM debtor_phone WHERE debtor_id = :id", now=floor.clock.now(), id=people["opted_out"],
    )  # fmt: skip
    asked = floor.ledger.rows("SELECT id, starts_on FROM restriction WHERE phone_id IS NOT NULL")
    floor.clock.at += LATER
    before = figures(floor, run_id)
    refused = "SELECT count(*) FROM restriction r JOIN target t ON t.phone_id = r.phone_id"
    assert floor.ledger.one(LED_TO, index=index) == floor.ledger.one(refused) == 1
    for _ in range(2):
        forget(service, ADMINISTRATOR, USUALLY)
        assert floor.ledger.one(LED_TO, index=index) == 0
    # that somebody refused is counted as it was
    assert figures(floor, run_id) == before and floor.ledger.one(refused) == 1
    now = floor.ledger.rows(
        "SELECT r.id, r.starts_on, r.kind, r.origin FROM restriction r JOIN phone p "
        "ON p.id = r.phone_id WHERE r.lifted_at IS NULL AND p.number_index = :index", index=index,
    )  # fmt: skip
    assert len(now) == 1 and now[0][2] == "opted_out"
    assert {now[0][:2]}.isdisjoint(asked) and now[0][1] != asked[0][1]
    assert not no_more_calls(service, SYSTEM, mobile(4), floor.clock.now())  # is known
    assert search(service, SYSTEM, mobile(4)).people == []


def test_what_somebody_still_in_the_ledger_said_of_a_number_is_not_lifted(
    floor: Floor, people: dict[str, int]
) -> None:
    """Somebody who owes asked for it, and a file brought another number for both."""
    floor.ledger.run(
        "UPDATE restriction SET debtor_id = :id WHERE phone_id IS NOT NULL", id=people["owes"]
    )
    floor.ledger.run("DELETE FROM debtor_phone WHERE debtor_id = :id", id=people["opted_out"])
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.rows(
        "SELECT p.number_index FROM restriction r JOIN phone p ON p.id = r.phone_id "
        "WHERE r.lifted_at IS NULL AND r.debtor_id = :id", id=people["owes"],
    ) == [(index_of(floor, mobile(4)),)]  # fmt: skip


LATELY = {
    "a message": "INSERT INTO inbound_message (provider, provider_ref, phone_id, body, opted_out, "
    "received_at) SELECT 'x', 'x', t.phone_id, :body, false, :at",
    "a call": "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, asked, "
    "phone_id) SELECT gen_random_uuid(), 'x', 'x', 'closed', :at, false, t.phone_id",
    "a call back": "INSERT INTO inbound_call (id, provider, provider_ref, state, came_at, due_at, "
    "asked, phone_id) SELECT gen_random_uuid(), 'x', 'x', 'call_back', '2026-10-26', :at, true, "
    "t.phone_id",
    "a record": "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, "
    "result, phone_id, deduplication_key) SELECT 'resident', 'inbound', :at, 9, 9, 'talked', "
    "t.phone_id, 'x'",
}  # fmt: skip


@pytest.mark.parametrize("by_an_old_number", [False, True])
@pytest.mark.parametrize("came", LATELY)
def test_whoever_called_or_wrote_lately_stays(
    floor: Floor, people: dict[str, int], came: str, by_an_old_number: bool
) -> None:
    if by_an_old_number:
        renumbered(floor, people["goes"], mobile(77))
    floor.clock.at += LATER
    values: dict[str, object] = {"at": floor.clock.now() - timedelta(days=9), "id": people["goes"]}
    if ":body" in LATELY[came]:
        values["body"] = floor.service.vault.seal("inbound_message.body", SAID)
    assert floor.ledger.run(f"{LATELY[came]} FROM target t WHERE t.addressee_id = :id", **values)
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(NAMELESS, id=people["goes"]) is False
    assert mobile(1) in whole_database(floor)
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(NAMELESS, id=people["goes"]) is True
    assert mobile(1) not in whole_database(floor)


def test_who_has_an_old_number_now_keeps_nobody_and_loses_nothing(
    floor: Floor, people: dict[str, int]
) -> None:
    renumbered(floor, people["goes"], mobile(77))
    floor.ledger.run("DELETE FROM debtor_phone WHERE debtor_id = :id", id=people["owes"])
    floor.ledger.run(
        "INSERT INTO debtor_phone (debtor_id, phone_id, rank) SELECT :now, phone_id, 1 FROM target "
        "WHERE addressee_id = :was", now=people["owes"], was=people["goes"],
    )  # fmt: skip
    floor.clock.at += LATER
    wrote_and_called(floor, people["owes"])
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(NAMELESS, id=people["goes"]) is True
    assert mobile(1) in whole_database(floor) and mobile(77) not in whole_database(floor)
    assert kept(floor)["inbound_message.body"] == 1


def test_a_number_of_who_is_held_stays_though_a_file_took_it_away(
    floor: Floor, people: dict[str, int]
) -> None:
    holds.hold(floor.service, FIRST, code_of(floor, people["held"]), "訴訟")
    renumbered(floor, people["held"], mobile(77))
    floor.clock.at += LATER
    forget(floor.service, ADMINISTRATOR, USUALLY)
    left = whole_database(floor)
    assert mobile(2) in left and mobile(77) in left and mobile(1) not in left


def test_nobody_goes_while_a_file_is_being_imported(
    floor: Floor, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may just be linking to a number that would be emptied."""
    monkeypatch.setattr(indexing, "_PATIENCE", text("SET LOCAL lock_timeout = '20ms'"))
    stranger_writes(floor, mobile(88), "どなたですか")
    floor.clock.at += LATER
    with floor.service.engine.begin() as importing:
        writing(importing, floor.service.vault)
        forget(floor.service, ADMINISTRATOR, USUALLY)
        assert floor.ledger.one(NAMELESS, id=people["goes"]) is False
        left = whole_database(floor)
        assert mobile(1) in left and mobile(88) in left
    forget(floor.service, ADMINISTRATOR, USUALLY)
    assert floor.ledger.one(NAMELESS, id=people["goes"]) is True
    assert mobile(88) not in whole_database(floor)


def test_nobody_who_goes_is_held_against_every_restriction_there_is(floor: Floor) -> None:
    """Who writes that they want no more messages waits while a portion goes: it must be short."""
    with floor.service.engine.connect() as connection, connection.begin():
        connection.execute(text("CREATE TEMPORARY TABLE leaving (id bigint) ON COMMIT DROP"))
        find_held(connection)
        for statement in _LEAVE:
            given = {"now": floor.clock.now(), "no_reason": b""}
            asked = used(statement, given)
            plan = "\n".join(connection.scalars(text(f"EXPLAIN {statement}"), asked))
            assert not re.search(r"Join Filter: .* OR ", plan), plan
            if statement.startswith("CREATE"):
                connection.execute(text(statement), asked)
