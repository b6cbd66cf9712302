"""Reports in: twice, late, in any order; what follows from them happens once."""

from __future__ import annotations

import asyncio
import itertools
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.drain import Lane
from contact_service.receipts.events import Reported, Via, key_pressed, store_receipts
from contact_service.receipts.poll import poll
from contact_service.receipts.silence import finish_silent
from providers.base import Receipt
from tests.dispatch.carrier import delivered, report
from tests.dispatch.conftest import Floor
from tests.ledger import mobile


def sent(floor: Floor, people: int = 1, channel: Channel = Channel.SMS) -> list[tuple[UUID, str]]:
    """Contact ``people`` and return their attempts with the carrier's references."""
    for n in range(people):
        floor.ledger.person([mobile(n)])
    floor.start()
    if channel is Channel.AUTO_CALL:
        floor.clock.at += timedelta(days=7)
    floor.drain(channel)
    return [(UUID(contact.reference), ref) for ref, contact in floor.carrier.taken]


def tell(floor: Floor, *receipts: Receipt, attempt: UUID | None = None) -> int:
    reports = [Reported(receipt, attempt, Via.WEBHOOK) for receipt in receipts]
    return store_receipts(floor.service.engine, "scripted", reports, floor.clock.now())


def test_the_order_of_reports_makes_no_difference(floor: Floor) -> None:
    kinds = [
        (None, False, "sending"),
        (None, False, "sent"),
        (Outcome.UNDELIVERED, True, "undelivered"),
        (Outcome.DELIVERED, True, "delivered"),
    ]
    orders = list(itertools.permutations(kinds))
    attempts = sent(floor, len(orders))
    for (_, ref), order in zip(attempts, orders, strict=True):
        for outcome, final, status in order:
            tell(floor, report(ref, outcome, final=final, status=status))
    assert floor.ledger.rows(
        "SELECT state, outcome, count(*) FROM attempt WHERE channel = 'sms' AND try_number = 1 "
        "GROUP BY 1, 2"
    ) == [("finished", "delivered", len(orders))]


def test_a_repeated_report_changes_nothing(floor: Floor) -> None:
    [(_, ref)] = sent(floor)
    assert tell(floor, delivered(ref)) == 1
    before = floor.ledger.rows("SELECT * FROM attempt ORDER BY id")
    assert tell(floor, delivered(ref), delivered(ref)) == 0
    assert floor.ledger.rows("SELECT * FROM attempt ORDER BY id") == before
    assert floor.ledger.one("SELECT count(*) FROM event") == 1


def test_a_report_that_comes_before_the_send_is_recorded_counts(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    lane: Lane = floor.lane()

    def at(point: str) -> None:
        if point == "recording":
            ((ref, contact),) = floor.carrier.taken
            tell(floor, delivered(ref), attempt=UUID(contact.reference))
            assert floor.states() == {"leased": 1}

    lane.reached = at
    asyncio.run(lane.drain(5))
    assert floor.states() == {"finished": 1}


def test_a_report_settles_an_attempt_whose_answer_was_lost(floor: Floor) -> None:
    from providers.base import Unknown

    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("reset")
    floor.drain()
    ((ref, contact),) = floor.carrier.taken
    tell(floor, report(ref, None, final=False), attempt=UUID(contact.reference))
    assert floor.states() == {"accepted": 1}
    tell(floor, delivered(ref))
    assert floor.states() == {"finished": 1}


def test_a_report_of_an_unknown_attempt_is_kept(floor: Floor) -> None:
    assert tell(floor, delivered("stranger"), attempt=uuid4()) == 1
    assert floor.ledger.one("SELECT count(*) FROM event WHERE provider_ref = 'stranger'") == 1


def test_a_report_is_kept_though_nothing_can_be_made_of_it(floor: Floor) -> None:
    """Whatever keeps us from heeding it: the carrier may never say it again."""
    [(attempt_id, ref)] = sent(floor)
    floor.ledger.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'not now'; END $$"
    )
    floor.ledger.run(
        "CREATE TRIGGER refuse BEFORE UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(DBAPIError, match="not now"):
        tell(floor, delivered(ref), attempt=attempt_id)
    assert floor.ledger.one("SELECT count(*) FROM event WHERE provider_ref = :ref", ref=ref) == 1
    floor.ledger.run("DROP TRIGGER refuse ON attempt")
    floor.ledger.run("DROP FUNCTION refuse()")
    assert tell(floor, delivered(ref), attempt=attempt_id) == 0
    assert floor.states() == {"finished": 1}


def test_answer_and_report_written_at_the_same_moment_are_both_seen(floor: Floor) -> None:
    """The answer is recorded, not yet committed; the report must wait and then count."""
    from sqlalchemy import text

    [(attempt_id, ref)] = sent(floor)
    floor.ledger.run("UPDATE attempt SET state = 'leased', provider_ref = NULL, "
                     "lease_until = clock_timestamp() WHERE id = :id", id=attempt_id)  # fmt: skip
    with floor.service.engine.connect() as connection:
        connection.execute(
            text("UPDATE attempt SET state = 'accepted', provider_ref = :ref WHERE id = :id"),
            {"ref": ref, "id": attempt_id},
        )
        webhook = threading.Thread(
            target=tell, args=(floor, delivered(ref)), kwargs={"attempt": attempt_id}
        )
        webhook.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity "
                       "WHERE wait_event_type = 'Lock' AND datname = current_database()")  # fmt: skip
        with floor.service.engine.connect() as other:
            while not other.scalar(waiting):
                other.rollback()
        connection.commit()
    webhook.join(60)
    assert floor.states() == {"finished": 1}


def test_undelivered_is_tried_again_as_often_as_the_step_says(floor: Floor) -> None:
    [(_, ref)] = sent(floor)
    undelivered = Outcome.UNDELIVERED
    tell(floor, report(ref, undelivered, final=True))
    tell(floor, report(ref, undelivered, final=True))
    assert floor.states() == {"finished": 1, "planned": 1}
    floor.drain()
    assert len(floor.carrier.taken) == 1  # not before two hours have passed
    floor.clock.at += timedelta(hours=2)
    floor.drain()
    assert len(floor.carrier.taken) == 2
    tell(floor, report(floor.carrier.taken[1][0], undelivered, final=True))
    assert floor.states() == {"finished": 2}


@pytest.mark.parametrize(
    ("outcome", "minutes", "tries"),
    [(Outcome.BUSY, 5, 3), (Outcome.NO_ANSWER, 120, 3), (Outcome.UNREACHABLE, 120, 1)],
)
def test_calls_are_retried_by_cause(
    floor: Floor, outcome: Outcome, minutes: int, tries: int
) -> None:
    sent(floor, channel=Channel.AUTO_CALL)
    for _ in range(5):
        ref = floor.carrier.taken[-1][0]
        receipt = Receipt(Channel.AUTO_CALL, ref, outcome.value, outcome, True, floor.clock.now())
        tell(floor, receipt)
        floor.clock.at += timedelta(minutes=minutes) - timedelta(seconds=1)
        before = len(floor.carrier.taken)
        floor.drain(Channel.AUTO_CALL)
        assert len(floor.carrier.taken) == before
        floor.clock.at += timedelta(seconds=1)
        floor.drain(Channel.AUTO_CALL)
    assert len(floor.carrier.taken) == tries
    assert floor.ledger.one("SELECT count(*) FROM call WHERE origin = 'auto_call'") == tries


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.OPTED_OUT, "opted_out"),
        (Outcome.WRONG_PERSON, "wrong_person"),
        (Outcome.INVALID_NUMBER, "invalid_number"),
    ],
)
def test_the_number_is_left_alone_from_then_on(floor: Floor, outcome: Outcome, kind: str) -> None:
    [(_, ref)] = sent(floor)
    tell(floor, report(ref, outcome, final=True))
    tell(floor, report(ref, outcome, final=True))
    assert floor.ledger.rows("SELECT kind FROM restriction") == [(kind,)]
    floor.clock.at += timedelta(days=7)
    floor.drain(Channel.AUTO_CALL)
    assert len(floor.carrier.taken) == 1
    assert floor.reasons("auto_call") == {"restricted": 1}


def test_a_key_press_outranks_the_end_of_the_call_whichever_comes_first(floor: Floor) -> None:
    attempts = sent(floor, 2, Channel.AUTO_CALL)
    for place, (attempt_id, ref) in enumerate(attempts):
        ended = Receipt(
            Channel.AUTO_CALL, ref, "completed", Outcome.ANSWERED, True, talk_seconds=31
        )
        if place:
            tell(floor, ended)
        key_pressed(
            floor.service.engine, "scripted", ref, attempt_id, "message", Outcome.CONFIRMED,
            floor.clock.now(),
        )  # fmt: skip
        if not place:
            assert floor.states("auto_call")["accepted"] == 2
            tell(floor, ended)
    assert floor.ledger.rows(
        "SELECT DISTINCT a.outcome, c.result, c.talk_seconds, c.direction FROM attempt a "
        "JOIN call c ON c.attempt_id = a.id"
    ) == [("confirmed", "talked", 31, "outbound")]


def test_no_more_calls_counts_before_the_call_has_ended(floor: Floor) -> None:
    [(attempt_id, ref)] = sent(floor, channel=Channel.AUTO_CALL)
    key_pressed(
        floor.service.engine, "scripted", ref, attempt_id, "stop", Outcome.OPTED_OUT,
        floor.clock.now(),
    )  # fmt: skip
    assert floor.states("auto_call") == {"accepted": 1}
    assert floor.ledger.rows("SELECT kind FROM restriction") == [("opted_out",)]


def test_whoever_confirmed_is_not_put_on_the_operators_list(floor: Floor) -> None:
    from contact_service.callcentre.list import next_person
    from contact_service.domain.actors import Actor, Role

    attempts = sent(floor, 2, Channel.AUTO_CALL)
    for (attempt_id, ref), outcome in zip(attempts, ("confirmed", "machine"), strict=True):
        receipt = Receipt(Channel.AUTO_CALL, ref, "completed", Outcome(outcome), True)
        tell(floor, receipt, attempt=attempt_id)
    floor.clock.at += timedelta(days=7)
    operators = [Actor(name, Role.OPERATOR) for name in ("201", "202")]
    people = [next_person(floor.service, who, floor.clock.now()) for who in operators]
    assert [person is not None for person in people] == [True, False]
    assert floor.reasons("operator") == {"already_reached": 1}


def test_without_webhooks_outcomes_are_polled(floor: Floor) -> None:
    sent(floor, 3)
    floor.config = floor.config.model_copy(update={"webhook": False})
    assert asyncio.run(poll(floor.service, floor.config, floor.carrier)) == 0  # too soon
    floor.clock.at += timedelta(minutes=2)
    assert asyncio.run(poll(floor.service, floor.config, floor.carrier)) == 3
    assert floor.states() == {"finished": 3}


def test_calls_whose_end_went_unheard_are_asked_for_before_messages(floor: Floor) -> None:
    sent(floor, 2, Channel.AUTO_CALL)
    assert asyncio.run(poll(floor.service, floor.config, floor.carrier)) == 0
    floor.clock.at += timedelta(minutes=4)
    assert asyncio.run(poll(floor.service, floor.config, floor.carrier)) == 2
    assert floor.states("auto_call") == {"finished": 2}


def test_a_clock_set_back_keeps_nobody_from_asking(floor: Floor) -> None:
    sent(floor, 2)
    floor.clock.at -= timedelta(minutes=40)
    assert asyncio.run(poll(floor.service, floor.config, floor.carrier)) == 2


def test_silence_ends_an_attempt_and_a_late_report_still_counts(floor: Floor) -> None:
    [(_, ref)] = sent(floor)
    tell(floor, report(ref, None, final=False, status="sent"))
    engine = floor.service.engine
    assert finish_silent(engine, floor.clock.now() + timedelta(days=2)) == 0
    assert finish_silent(engine, floor.clock.now() + timedelta(days=4)) == 0  # nobody asked yet
    floor.ledger.run("UPDATE attempt SET checked_at = clock_timestamp() WHERE state = 'accepted'")
    assert finish_silent(engine, floor.clock.now() + timedelta(days=4)) == 1
    assert floor.ledger.rows("SELECT outcome FROM attempt WHERE channel = 'sms'") == [("unknown",)]
    tell(floor, delivered(ref))
    assert floor.ledger.rows("SELECT outcome FROM attempt WHERE channel = 'sms'") == [
        ("delivered",)
    ]
    assert floor.states() == {"finished": 1}


def test_a_repeated_intermediate_report_does_not_reopen_a_silent_attempt(floor: Floor) -> None:
    [(_, ref)] = sent(floor)
    tell(floor, report(ref, None, final=False, status="sent"))
    floor.ledger.run("UPDATE attempt SET checked_at = clock_timestamp() WHERE state = 'accepted'")
    finish_silent(floor.service.engine, floor.clock.now() + timedelta(days=4))
    tell(floor, report(ref, None, final=False, status="sent"))
    assert floor.states() == {"finished": 1}
