"""What one carrier says is about what was handed to it: nobody else is left alone by its word."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from campaigns.vocabulary import Channel, Outcome
from contact_service.receipts.events import Reported, Via, key_pressed, store_receipts
from tests.dispatch.carrier import report
from tests.dispatch.conftest import Floor
from tests.dispatch.test_second_thoughts import answer_well, lose_answers
from tests.ledger import mobile

RESTRICTING = [Outcome.OPTED_OUT, Outcome.WRONG_PERSON, Outcome.INVALID_NUMBER]


def said(floor: Floor, provider: str, ref: str, attempt: UUID, outcome: Outcome) -> None:
    for final in (False, True):
        told = report(ref, outcome, final=final, status=f"{provider}{final}")
        store_receipts(
            floor.service.engine, provider, [Reported(told, attempt, Via.WEBHOOK)],
            floor.clock.now(),
        )  # fmt: skip


def begun(floor: Floor) -> UUID:
    floor.ledger.person([mobile(1)])
    floor.start()
    found: UUID = floor.ledger.one("SELECT id FROM attempt WHERE channel = 'sms'")
    return found


@pytest.mark.parametrize("outcome", RESTRICTING)
def test_another_carriers_word_leaves_nobody_alone(floor: Floor, outcome: Outcome) -> None:
    """It names an attempt that it never had; the report is kept, as all are."""
    attempt = begun(floor)
    floor.drain()
    ((ref, _),) = floor.carrier.taken
    said(floor, "other", "of another", attempt, outcome)
    said(floor, "scripted", "of another message", attempt, outcome)
    before = floor.ledger.rows("SELECT provider, provider_ref, state, outcome FROM attempt")
    assert ("scripted", ref, "accepted", None) in before
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 0
    assert floor.ledger.one("SELECT count(*) FROM event WHERE attempt_id IS NOT NULL") == 4
    # its own may say so, and nothing of what was said before stands in its way
    said(floor, "scripted", ref, attempt, outcome)
    assert floor.ledger.rows("SELECT kind, starts_on FROM restriction") == [
        (outcome.value, floor.clock.now().date())
    ]


def test_nor_does_it_of_what_was_never_handed_to_anybody(floor: Floor) -> None:
    """And it does not keep anybody from being contacted, by its saying that they were."""
    attempt = begun(floor)
    said(floor, "other", "of another", attempt, Outcome.OPTED_OUT)
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 0
    floor.drain()
    assert [contact.reference for _, contact in floor.carrier.taken] == [str(attempt)]
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 0


def test_nor_does_it_keep_anybody_from_the_next_step(floor: Floor) -> None:
    """Which is for whom the one before has not reached."""
    attempt = begun(floor)
    floor.drain()
    ((ref, _),) = floor.carrier.taken
    said(floor, "scripted", ref, attempt, Outcome.UNDELIVERED)
    said(floor, "other", "of another", attempt, Outcome.CONFIRMED)
    floor.ledger.run("UPDATE run_step SET unless = '{confirmed}' WHERE step = 'call-1'")
    floor.clock.at += timedelta(days=7)
    floor.drain(Channel.AUTO_CALL)
    assert floor.reasons("auto_call") == {}
    assert len(floor.carrier.taken) == 2


def test_its_own_word_of_what_it_has_though_we_forgot_counts_when_its_turn_comes(
    floor: Floor,
) -> None:
    """After a backup was restored, say: it is not sent again, and who said no is left alone."""
    attempt = begun(floor)
    said(floor, "scripted", "before", attempt, Outcome.OPTED_OUT)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.ledger.rows("SELECT kind FROM restriction") == [("opted_out",)]


@pytest.mark.parametrize("outcome", RESTRICTING)
def test_of_a_call_that_was_thought_lost_and_made_again_each_may_be_the_one(
    floor: Floor, outcome: Outcome
) -> None:
    """The answer was lost and the carrier did not list it: pressed in the first call, it counts."""
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.clock.at += timedelta(days=7)
    lose_answers(floor, taken=False)
    floor.drain(Channel.AUTO_CALL)
    floor.settle_unknown()
    floor.clock.at += timedelta(minutes=1)
    answer_well(floor)
    floor.drain(Channel.AUTO_CALL)
    ((_, contact),) = floor.carrier.taken
    attempt = UUID(contact.reference)
    key_pressed(floor.service.engine, "other", "x", attempt, "stop", outcome, floor.clock.now())
    assert floor.ledger.rows("SELECT kind FROM restriction") == []
    key_pressed(
        floor.service.engine, "scripted", "first", attempt, "stop", outcome, floor.clock.now()
    )
    assert floor.ledger.rows("SELECT kind FROM restriction") == [(outcome.value,)]
