"""What comes to light between planning and contact, or after it: found by attacking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.vocabulary import Channel, Outcome
from contact_service.callcentre.dispositions import Conversation, NotYours, record_disposition
from contact_service.callcentre.list import next_person
from contact_service.dispatch.decide import decide, undecided
from contact_service.dispatch.record import Answer, record
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.states import DispositionKind
from contact_service.planning import runs
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Accepted, Contact, Receipt, Throttled, Unknown
from tests.dispatch.carrier import delivered, report
from tests.dispatch.conftest import STAFF, Floor
from tests.ledger import Owed, definition, mobile


def tell(floor: Floor, receipt: Receipt, attempt: str | UUID | None = None) -> None:
    known = UUID(str(attempt)) if attempt else None
    reported = [Reported(receipt, known, Via.WEBHOOK)]
    store_receipts(floor.service.engine, "scripted", reported, floor.clock.now())


def lose_answers(floor: Floor, *, taken: bool) -> None:
    floor.carrier.takes = lambda contact: taken
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")


def answer_well(floor: Floor) -> None:
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)


# -- who must be left alone --


@pytest.mark.parametrize("kind", ["opted_out", "wrong_person", "invalid_number"])
def test_a_file_that_says_it_of_a_person_is_heeded(floor: Floor, kind: str) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.ledger.person([mobile(2)])
    floor.start()
    floor.ledger.restrict(kind, debtor_id=person)
    floor.drain()
    assert [contact.to for _, contact in floor.carrier.taken] == [mobile(2)]


def test_who_opted_out_at_one_number_is_not_called_at_another(floor: Floor) -> None:
    floor.ledger.person([mobile(1), mobile(2)])
    floor.ledger.person([mobile(3)])
    floor.ledger.restrict("opted_out", phone=mobile(1))
    floor.start()
    floor.drain()
    assert [contact.to for _, contact in floor.carrier.taken] == [mobile(3)]


def test_a_number_that_a_newer_file_took_away_is_not_called(floor: Floor) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.start()
    floor.ledger.run("DELETE FROM debtor_phone WHERE debtor_id = :id", id=person)
    floor.ledger.person([mobile(1)])  # a stranger has it now
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"number_changed": 1}


def test_a_protected_housemate_of_whoever_shares_the_telephone(floor: Floor) -> None:
    floor.ledger.person([mobile(1)], household="a")
    floor.ledger.person([mobile(1)], [], household="b")
    floor.start()
    hidden = floor.ledger.person([], [], household="b")
    floor.ledger.restrict("protection_measure", debtor_id=hidden)
    floor.drain()
    assert floor.carrier.taken == []


def test_real_people_never_meet_the_simulated_carrier(floor: Floor) -> None:
    floor.ledger.training = False
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"real_data": 1}


def test_hardship_protects_everybody_behind_a_shared_number(floor: Floor) -> None:
    people = {floor.ledger.person([mobile(1)], [Owed(yen)], household="a") for yen in (1, 2)}
    floor.start()
    floor.clock.at += timedelta(days=14)
    operator = Actor("201", Role.OPERATOR)
    shown = next_person(floor.service, operator, floor.clock.now())
    assert shown is not None
    again = next_person(floor.service, operator, floor.clock.now())
    assert again == shown  # asked twice, still the same person
    said = Conversation(shown.attempt_id, DispositionKind.HARDSHIP, floor.clock.now(), 60, 10)
    record_disposition(floor.service, operator, said, floor.clock.now())
    restricted = floor.ledger.rows("SELECT debtor_id FROM restriction WHERE kind = 'hardship'")
    assert {row[0] for row in restricted} == people
    other = Conversation(shown.attempt_id, DispositionKind.ABSENT, floor.clock.now(), 0, 0)
    with pytest.raises(NotYours, match="生活困窮"):
        record_disposition(floor.service, operator, other, floor.clock.now())


def test_an_opt_out_with_a_wrong_clock_is_in_force_at_once(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.drain()
    ((ref, _),) = floor.carrier.taken
    future = floor.clock.now() + timedelta(days=400)
    tell(floor, Receipt(Channel.SMS, ref, "stop", Outcome.OPTED_OUT, True, future))
    floor.clock.at += timedelta(days=7)
    floor.drain(Channel.AUTO_CALL)
    assert floor.reasons("auto_call") == {"restricted": 1}


def test_an_opt_out_after_a_lifted_one_holds_again(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.drain()
    ((ref, _),) = floor.carrier.taken
    tell(floor, report(ref, Outcome.OPTED_OUT, final=True, status="first"))
    floor.ledger.run("UPDATE restriction SET lifted_at = now()")
    tell(floor, report(ref, Outcome.OPTED_OUT, final=True, status="second"))
    assert floor.ledger.one("SELECT count(*) FROM restriction WHERE lifted_at IS NULL") == 1


def test_a_home_is_in_one_run_only_whoever_was_selected(floor: Floor) -> None:
    floor.ledger.person([mobile(1)], [Owed(kind="school_lunch")], household="a")
    floor.ledger.person([mobile(2)], [Owed(kind="health_insurance")], household="a")
    arm = [{"name": "contact"}]
    floor.start(definition(arms=arm, select={"kinds": ["school_lunch"]}))
    second = definition(campaign="b", arms=arm, select={"kinds": ["health_insurance"]})
    with pytest.raises(runs.CannotDo, match="他の実施の対象"):
        floor.start(second)


# -- at most once --


def test_a_report_after_planned_again_proves_that_it_was_taken(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    lose_answers(floor, taken=False)
    floor.drain()
    assert floor.settle_unknown().planned_again == 1
    attempt = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'sms'")
    tell(floor, delivered("late"), str(attempt))
    answer_well(floor)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.states() == {"finished": 1}


def test_a_report_before_a_throttled_answer_wins(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()

    def taken_yet_throttled(contact: Contact, ref: str) -> Throttled:
        tell(floor, delivered(ref), contact.reference)
        return Throttled(timedelta(0))

    floor.carrier.answer = taken_yet_throttled
    floor.drain(seconds=0.3)
    floor.clock.at += timedelta(minutes=1)
    floor.drain(seconds=0.3)
    assert len(floor.carrier.taken) == 1
    assert floor.states() == {"finished": 1}


def test_the_carriers_own_late_answer_undoes_not_taken(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    lose_answers(floor, taken=False)
    floor.drain()
    floor.settle_unknown()
    [(attempt, number)] = floor.ledger.rows(
        "SELECT id, lease_number FROM attempt WHERE channel = 'sms'"
    )
    with floor.service.engine.begin() as connection:
        answer = Answer(attempt, number, Accepted("late"))  # type: ignore[arg-type]
        assert record(connection, "scripted", [answer], floor.clock.now()) == 1
    answer_well(floor)
    floor.drain()
    assert floor.carrier.taken == []


def test_a_listing_with_another_text_proves_nothing(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    lose_answers(floor, taken=True)
    floor.drain()
    renamed = floor.service.settings.model_copy(update={"office_name": "改称区役所"})
    floor.service = type(floor.service)(
        renamed, floor.service.engine, floor.service.vault, floor.service.clock
    )
    assert floor.settle_unknown().for_a_person == 1
    answer_well(floor)
    floor.drain()
    assert len(floor.carrier.taken) == 1


def test_a_neighbours_message_is_not_taken_for_ours(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    steps = [
        {"name": "sms-1", "channel": "sms", "message": "m"},
        {"name": "sms-2", "channel": "sms", "message": "m", "start": {"at": "11:00"}},
    ]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))
    lose_answers(floor, taken=False)
    floor.drain()
    floor.clock.at += timedelta(hours=1)
    answer_well(floor)
    lane = floor.lane()

    settled: list[int] = []

    def meanwhile(point: str) -> None:
        if point == "recording":  # sms-2 is taken, its answer not yet written
            settled.append(floor.settle_unknown().accepted)

    lane.reached = meanwhile
    asyncio.run(lane.drain(5))
    assert settled == [0]
    assert floor.ledger.rows(
        "SELECT step, state FROM attempt WHERE provider_ref IS NOT NULL AND channel = 'sms'"
    ) == [("sms-2", "accepted")]


def test_a_better_report_stops_the_retry_that_was_planned(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.drain()
    ((ref, _),) = floor.carrier.taken
    tell(floor, report(ref, Outcome.UNDELIVERED, final=True))
    tell(floor, delivered(ref))
    floor.clock.at += timedelta(hours=3)
    floor.drain()
    assert len(floor.carrier.taken) == 1
    assert floor.reasons() == {"already_reached": 1}


def test_the_cap_counts_what_is_under_way(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    steps = [
        {"name": "sms-1", "channel": "sms", "message": "m"},
        {"name": "sms-2", "channel": "sms", "message": "m"},
    ]
    caps = {"per_7_days": 1, "per_30_days": 2}
    floor.start(definition(arms=[{"name": "contact"}], steps=steps, caps=caps))
    floor.drain()
    assert len(floor.carrier.taken) == 1
    assert floor.reasons() == {"contact_cap": 1}


def test_one_bad_row_stops_nobody(floor: Floor) -> None:
    for n in range(5):
        floor.ledger.person([mobile(n)])
    floor.start()
    floor.ledger.run(
        "UPDATE phone SET number = '\\x00'::bytea WHERE id = (SELECT min(id) FROM phone)"
    )
    floor.drain()
    assert len(floor.carrier.taken) == 4
    assert floor.states() == {"accepted": 4, "finished": 1}


@pytest.mark.parametrize("taken", [True, False])
def test_a_person_decides_what_nothing_else_can(floor: Floor, taken: bool) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    lose_answers(floor, taken=taken)
    floor.carrier.capabilities = replace(floor.carrier.capabilities, listing_complete_after=None)
    if taken:  # and the listing does not show it as ours
        floor.service = replace(
            floor.service,
            settings=floor.service.settings.model_copy(update={"office_name": "別の区役所"}),
        )
    floor.drain()
    renamed = floor.service.settings.model_copy(update={"office_name": "改称区役所"})
    floor.service = replace(floor.service, settings=renamed)
    assert floor.settle_unknown().for_a_person == 1
    engine, now = floor.service.engine, floor.clock.now()
    with engine.connect() as connection:
        (waiting,) = undecided(connection, STAFF)
    with pytest.raises(NotAllowed):
        decide(engine, Actor("x", Role.EVALUATOR), waiting.attempt_id, taken=taken, now=now)
    decide(engine, STAFF, waiting.attempt_id, taken=taken, now=now)
    with pytest.raises(runs.CannotDo):
        decide(engine, STAFF, waiting.attempt_id, taken=taken, now=now)
    answer_well(floor)
    floor.drain()
    assert len(floor.carrier.taken) == 1
    assert floor.states() == ({"finished": 1} if taken else {"accepted": 1})


def test_a_report_that_was_stored_and_not_yet_settled_stops_a_second_sending(floor: Floor) -> None:
    """A process may die between writing a report and what follows from it."""
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.ledger.run(
        "INSERT INTO event (provider, provider_ref, attempt_id, channel, status, outcome, rank, "
        "final, occurred_at, received_at, via, raw, deduplication_key) "
        "SELECT 'scripted', 'R', id, 'sms', 'delivered', 'delivered', 60, true, :now, :now, "
        "'webhook', '{}', 'R' FROM attempt WHERE channel = 'sms'",
        now=floor.clock.now(),
    )
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.ledger.rows(
        "SELECT state, outcome, provider_ref FROM attempt WHERE channel = 'sms'"
    ) == [("finished", "delivered", "R")]
