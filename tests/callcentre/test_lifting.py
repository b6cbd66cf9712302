"""A corrected result takes its own protection back, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from contact_service.callcentre import incoming, taking
from contact_service.callcentre.correcting import MayNot, correct
from contact_service.callcentre.dispositions import Conversation, record_disposition
from contact_service.callcentre.inbound_results import record_inbound
from contact_service.callcentre.lifting import decide, to_decide
from contact_service.callcentre.list import next_person
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import DispositionKind
from contact_service.intake.importing import import_file
from contact_service.people.restricting import Wanted, restrict
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from tests.dispatch.conftest import Floor, floor
from tests.identity.offices import HEALTH, NURSERY, debtor, of
from tests.intake.conftest import RESTRICTION, write_csv
from tests.ledger import mobile
from tests.receipts.test_after_an_end import (
    is_understood,
    presses_nine,
    tells_who_is_called,
    the_carrier_says,
    writes,
)

__all__ = ["debtor", "floor"]

HARDSHIP, OPTED_OUT = DispositionKind.HARDSHIP, DispositionKind.OPTED_OUT
IN_FORCE = "SELECT kind, origin FROM restriction WHERE lifted_at IS NULL ORDER BY id"


def call_in(floor: Floor, office: str, kind: DispositionKind, number: str = mobile(1)) -> int:
    """Somebody calls and tells an operator of an office; the result's number."""
    now, operator = floor.clock.now(), replace(of(floor, office, Role.OPERATOR), name="goto")
    calls = floor.ledger.one("SELECT count(*) FROM inbound_call")
    incoming.arrived(floor.service, "line", f"c{calls}", number, now)
    taken = taking.take(floor.service, operator, None, now)
    assert taken is not None
    record_inbound(floor.service, operator, Conversation(taken.id, kind, now, 60, 20), now)
    return int(str(floor.ledger.one("SELECT max(id) FROM disposition")))


def lead(floor: Floor, office: str, name: str = "mori") -> Actor:
    return replace(of(floor, office, Role.SUPERVISOR), name=name)


def correct_to_refused(floor: Floor, office: str, result: int) -> None:
    call = floor.ledger.one("SELECT inbound_call_id FROM disposition WHERE id = :id", id=result)
    assert isinstance(call, UUID)
    now = floor.clock.now()
    said = Conversation(call, DispositionKind.REFUSED, now, 1, 1)
    correct(floor.service, lead(floor, office), result, said, "誤り", now)


def wait_for_a_decision(floor: Floor, office: str) -> list[int]:
    return [one.id for one in to_decide(floor.service, lead(floor, office, "kato"))]


def lift(floor: Floor, office: str, correction: int) -> None:
    decide(floor.service, lead(floor, office, "kato"), correction, True, floor.clock.now())


@pytest.mark.parametrize(("kind", "word"), [(HARDSHIP, "hardship"), (OPTED_OUT, "opted_out")])
def test_what_another_offices_result_says_too_stays(
    floor: Floor, debtor: int, kind: DispositionKind, word: str
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    first, second = call_in(floor, NURSERY, kind), call_in(floor, HEALTH, kind)
    correct_to_refused(floor, NURSERY, first)
    assert wait_for_a_decision(floor, NURSERY) == [], "there is nothing to lift"
    assert floor.ledger.rows(IN_FORCE) == [(word, "operator")]
    # the last who says it may take it back
    correct_to_refused(floor, HEALTH, second)
    (correction,) = wait_for_a_decision(floor, HEALTH)
    lift(floor, HEALTH, correction)
    assert floor.ledger.rows(IN_FORCE) == []


@pytest.mark.parametrize("kind", [HARDSHIP, OPTED_OUT])
@pytest.mark.parametrize("days", [0, 1])
def test_what_is_said_again_before_it_is_decided_stays(
    floor: Floor, debtor: int, kind: DispositionKind, days: int
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    correct_to_refused(floor, NURSERY, call_in(floor, NURSERY, kind))
    (correction,) = wait_for_a_decision(floor, NURSERY)
    floor.clock.at += timedelta(days=days)
    call_in(floor, HEALTH, kind)
    if kind is HARDSHIP and days:  # each day has its own
        lift(floor, NURSERY, correction)
    else:
        with pytest.raises(MayNot, match="others have asked for the same"):
            lift(floor, NURSERY, correction)
        assert wait_for_a_decision(floor, NURSERY) == [correction]
        decide(floor.service, lead(floor, NURSERY, "kato"), correction, False, floor.clock.now())
    assert len(floor.ledger.rows(IN_FORCE)) == 1


def test_a_result_about_somebody_else_says_nothing_of_them(floor: Floor, debtor: int) -> None:
    floor.ledger.run("DELETE FROM restriction")
    first = call_in(floor, NURSERY, HARDSHIP)
    call_in(floor, HEALTH, HARDSHIP, mobile(2))
    correct_to_refused(floor, NURSERY, first)
    (correction,) = wait_for_a_decision(floor, NURSERY)
    lift(floor, NURSERY, correction)
    left = floor.ledger.rows("SELECT debtor_id FROM restriction WHERE lifted_at IS NULL")
    assert left == [(debtor + 1,)]


@pytest.mark.parametrize("order", ["before", "after", "asked"])
@pytest.mark.parametrize("who", ["staff", "file", "resident"])
def test_what_a_file_staff_or_the_resident_said_too_stays(
    floor: Floor, debtor: int, tmp_path: Path, who: str, order: str
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    day = floor.clock.now().astimezone(TOKYO).date()
    code = str(floor.ledger.one("SELECT code FROM debtor WHERE id = :id", id=debtor))
    kind = OPTED_OUT if who == "resident" else HARDSHIP

    def they_say() -> None:
        if who == "staff":
            wanted = Wanted(RestrictionKind.HARDSHIP, code, ends_on=None)
            restrict(floor.service, of(floor, HEALTH, Role.STAFF), wanted)
        elif who == "file":
            row = {
                **RESTRICTION,
                "宛名番号": code,
                "区分": "生活困窮",
                "開始日": str(day),
                "終了日": "",
            }
            path = write_csv(tmp_path / "r.csv", [row])
            import_file(floor.service, of(floor, HEALTH, Role.STAFF), "restrictions", path)
        else:
            stop = InboundMessage("m1", mobile(1), "0354321111", "STOP")
            store_messages(floor.service, "main", [stop], floor.clock.now())

    if order == "before":
        they_say()
    result = call_in(floor, NURSERY, kind)
    if order == "after":
        they_say()
    correct_to_refused(floor, NURSERY, result)
    if order == "asked":
        (correction,) = wait_for_a_decision(floor, NURSERY)
        they_say()
        with pytest.raises(MayNot, match="others have asked for the same"):
            lift(floor, NURSERY, correction)
    else:
        assert wait_for_a_decision(floor, NURSERY) == []
    assert floor.ledger.one("SELECT count(*) FROM restriction WHERE lifted_at IS NULL") == 1


@pytest.mark.parametrize(
    "says", [writes, is_understood, tells_who_is_called, presses_nine, the_carrier_says]
)
@pytest.mark.parametrize("later", [0, 1])
def test_a_resident_who_says_it_later_is_not_covered_by_what_an_operator_concluded(
    floor: Floor, debtor: int, says: Callable[[Floor], None], later: int
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    floor.start()
    correct_to_refused(floor, NURSERY, call_in(floor, NURSERY, OPTED_OUT))
    (correction,) = wait_for_a_decision(floor, NURSERY)
    floor.clock.at += timedelta(days=later)
    says(floor)
    if later:  # beside the operator's
        lift(floor, NURSERY, correction)
    else:
        with pytest.raises(MayNot, match="others have asked for the same"):
            lift(floor, NURSERY, correction)
    assert floor.ledger.rows(IN_FORCE) == [("opted_out", "resident")]


@pytest.mark.parametrize("kind", [HARDSHIP, OPTED_OUT])
def test_a_call_out_and_a_call_in_say_the_same_of_one_person(
    floor: Floor, debtor: int, kind: DispositionKind
) -> None:
    floor.ledger.run("DELETE FROM restriction")
    floor.start()
    now, operator = floor.clock.now(), replace(of(floor, "*", Role.OPERATOR), name="goto")
    floor.ledger.run(
        "UPDATE attempt SET due_at = :now WHERE channel = 'operator' AND target_id IN (SELECT "
        "target_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id WHERE debtor_id = :id)",
        now=now, id=debtor,
    )  # fmt: skip
    shown = next_person(floor.service, operator, now)
    assert shown is not None
    said = Conversation(shown.attempt_id, kind, now, 60, 20)
    record_disposition(floor.service, operator, said, now)
    result = int(str(floor.ledger.one("SELECT max(id) FROM disposition")))
    correct_to_refused(floor, NURSERY, call_in(floor, NURSERY, kind))
    assert wait_for_a_decision(floor, NURSERY) == []
    assert len(floor.ledger.rows(IN_FORCE)) == 1
    said = Conversation(shown.attempt_id, DispositionKind.REFUSED, now, 1, 1)
    correct(floor.service, lead(floor, HEALTH), result, said, "誤り", now)
    (correction,) = wait_for_a_decision(floor, HEALTH)
    lift(floor, HEALTH, correction)
    assert floor.ledger.rows(IN_FORCE) == []


def test_a_result_that_was_corrected_to_it_says_it_too(floor: Floor, debtor: int) -> None:
    floor.ledger.run("DELETE FROM restriction")
    before = call_in(floor, HEALTH, DispositionKind.REFUSED)
    floor.clock.at += timedelta(days=1)
    result, now = call_in(floor, NURSERY, HARDSHIP), floor.clock.now()
    call = floor.ledger.one("SELECT inbound_call_id FROM disposition WHERE id = :id", id=before)
    assert isinstance(call, UUID)
    said = Conversation(call, HARDSHIP, now, 1, 1)
    correct(floor.service, lead(floor, HEALTH), before, said, "聞き違い", now)
    correct_to_refused(floor, NURSERY, result)
    assert wait_for_a_decision(floor, NURSERY) == []
    assert floor.ledger.rows(IN_FORCE) == [("hardship", "operator")]
