"""What else may happen twice, late, or in the wrong order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.reconcile import collect_unknown
from contact_service.planning import runs
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Accepted, Contact, Listed, Receipt, Throttled, Unknown
from tests.dispatch.carrier import delivered
from tests.dispatch.conftest import STAFF, Floor
from tests.ledger import definition, mobile


def people(floor: Floor, n: int) -> None:
    for i in range(n):
        floor.ledger.person([mobile(i)])


def tell(floor: Floor, receipt: Receipt, attempt: object | None) -> int:
    reported = [Reported(receipt, attempt, Via.WEBHOOK)]  # type: ignore[arg-type]
    return store_receipts(floor.service.engine, "scripted", reported, floor.clock.now())


def test_a_wake_up_delivered_five_times_sends_once(floor: Floor) -> None:
    people(floor, 30)
    floor.start()

    async def five_times() -> None:
        await asyncio.gather(*(floor.lane().drain(2) for _ in range(5)))

    asyncio.run(five_times())
    for _ in range(4):
        floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.states() == {"accepted": 30}


def test_two_schedulers_at_once_collect_and_ask_once(floor: Floor) -> None:
    """Every chore done twice at the same moment does what doing it once does."""
    people(floor, 12)
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.takes = lambda contact: int(contact.to[-1]) % 2 == 0
    floor.drain()
    taken = len(floor.carrier.taken)

    async def twice() -> None:
        await asyncio.gather(*(asyncio.to_thread(floor.settle_unknown) for _ in "ab"))

    asyncio.run(twice())
    assert floor.states() == {"accepted": taken, "planned": 12 - taken}
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}


def test_a_lease_that_ends_while_its_worker_still_runs(floor: Floor) -> None:
    """The worker is held up beyond its lease; the attempt is settled, sent again by another, and
    the first worker's late answer changes nothing."""
    people(floor, 1)
    floor.start()
    calls = 0

    def held_up(contact: Contact, ref: str) -> Throttled | Accepted:
        nonlocal calls
        calls += 1
        if calls > 1:
            return Accepted(ref)
        floor.ledger.run(
            "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
            "WHERE state = 'leased'"
        )
        assert floor.settle_unknown_in_thread().planned_again == 1
        floor.drain_in_thread()  # another worker
        return Throttled(timedelta(seconds=1), "of the first worker, much too late")

    floor.carrier.takes = lambda contact: calls > 1
    floor.carrier.answer = held_up
    floor.drain()
    assert floor.states() == {"accepted": 1}
    assert floor.ledger.one("SELECT lease_number FROM attempt WHERE channel = 'sms'") == 2


def test_a_late_answer_while_the_second_lease_is_held(floor: Floor) -> None:
    """The first worker was refused for now, and says so only when another has the attempt in
    hand: giving it back then would let a third send it beside the second."""
    people(floor, 1)
    floor.start()
    second = []

    def held_up(contact: Contact, ref: str) -> Throttled:
        floor.ledger.run(
            "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
            "WHERE state = 'leased'"
        )
        assert floor.settle_unknown_in_thread().planned_again == 1
        second.extend(floor.lane().lease(10)[0])  # another worker, its request still to come
        return Throttled(timedelta(0), "of the first worker, much too late")

    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = held_up
    first = floor.drain()
    assert [leased.lease.lease_number for leased in second] == [2]
    assert (first.leased, first.recorded) == (1, 0)
    assert floor.states() == {"leased": 1}


def test_a_report_before_the_sending_is_recorded(floor: Floor) -> None:
    people(floor, 3)
    floor.start()

    def reports_first(contact: Contact, ref: str) -> Accepted:
        tell(floor, delivered(ref), contact.reference)
        return Accepted(ref)

    floor.carrier.answer = reports_first
    floor.drain()
    assert floor.ledger.rows(
        "SELECT state, outcome, count(*) FROM attempt WHERE channel = 'sms' GROUP BY 1, 2"
    ) == [("finished", "delivered", 3)]


def test_reports_that_match_nothing_are_kept_and_count_when_they_match(floor: Floor) -> None:
    people(floor, 1)
    floor.start()
    # by the carrier's identifier alone, before anybody knows it; and of an attempt of nobody
    assert tell(floor, delivered("early"), None) == 1
    assert tell(floor, delivered("never"), uuid4()) == 1
    assert tell(floor, delivered("early"), None) == 0
    floor.carrier.answer = lambda contact, ref: Accepted("early")
    floor.drain()
    assert floor.ledger.rows("SELECT state, outcome FROM attempt WHERE channel = 'sms'") == [
        ("finished", "delivered")
    ]
    assert floor.ledger.one("SELECT count(*) FROM event WHERE provider_ref = 'never'") == 1


def test_forty_eight_hours_without_the_carrier_then_no_flood(floor: Floor) -> None:
    people(floor, 110)
    steps = [{"name": "sms-1", "channel": "sms", "message": "m", "expires_after_days": 10}]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))
    rate = 40
    floor.config = floor.config.model_copy(
        update={"per_second": {Channel.SMS: rate, Channel.AUTO_CALL: rate}}
    )
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Throttled(
        timedelta(milliseconds=5), "no connection"
    )
    for _ in range(16):  # every three hours, at night too
        asyncio.run(floor.lane().drain(0.15))
        collect_unknown(floor.service)
        floor.clock.at += timedelta(hours=3)
    assert floor.states() == {"planned": 110}
    assert floor.clock.at.hour == 10
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    arrived: list[float] = []

    async def for_half_a_second() -> None:
        lane = floor.lane()
        loop = asyncio.get_running_loop()
        lane.reached = lambda p: arrived.append(loop.time()) if p == "answered" else None
        await asyncio.gather(lane.drain(0.5), floor.lane().drain(0.5))

    asyncio.run(for_half_a_second())
    assert 0 < len(floor.carrier.taken) <= rate * 0.5 + rate  # a second's worth and what grows
    for _ in range(40):
        floor.drain(seconds=0.5)
        if floor.states() == {"accepted": 110}:
            break
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.states() == {"accepted": 110}


def test_a_clock_of_ours_that_runs_ahead_does_not_hide_what_was_taken(floor: Floor) -> None:
    """Our clock is set back between lease and listing: the carrier's entry looks too old."""
    people(floor, 1)
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.ahead_of_lease = -timedelta(minutes=20)
    floor.drain()
    settled = floor.settle_unknown()
    assert (settled.planned_again, settled.for_a_person) == (0, 1)
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    floor.drain()
    assert len(floor.carrier.taken) == 1


def two_waves(floor: Floor, second: str = "11:00") -> None:
    """One person, who is to get the same text at ten and once more."""
    people(floor, 1)
    steps = [
        {"name": "sms-1", "channel": "sms", "message": "m"},
        {"name": "sms-2", "channel": "sms", "message": "m", "start": {"at": second}},
    ]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))


def test_two_unknown_to_one_number_with_a_wrong_clock_wait_for_one_another(floor: Floor) -> None:
    two_waves(floor)
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    floor.clock.at += timedelta(hours=1)
    floor.carrier.takes = lambda contact: False
    floor.drain()
    assert floor.states() == {"unknown": 2}
    floor.settle_unknown()
    assert floor.ledger.rows(
        "SELECT step, state FROM attempt WHERE channel = 'sms' ORDER BY step"
    ) == [("sms-1", "accepted"), ("sms-2", "planned")]


#: How long after the second of the second wave's lease the carrier says that it took it: carriers
#: know no fractions, so within that second it is the second itself.
TOLD = pytest.mark.parametrize("told", [timedelta(seconds=2), timedelta(0)])


@TOLD
def test_a_later_contacts_entry_is_not_taken_for_an_earlier_unknown_one(
    floor: Floor, told: timedelta
) -> None:
    """The first wave never reached the carrier, the second did, with the same text, and neither
    was answered: the one entry is the second's. Taken for the first's, the second goes out again."""
    two_waves(floor)
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.takes = lambda contact: False
    floor.drain()
    floor.clock.at += timedelta(hours=1, seconds=0.7)
    floor.carrier.takes = lambda contact: True
    floor.drain()
    floor.carrier.created_at = floor.clock.at.replace(microsecond=0) + told
    assert floor.states() == {"unknown": 2}
    for _ in range(3):
        floor.ledger.run("UPDATE attempt SET checked_at = NULL")
        floor.settle_unknown()
        floor.carrier.answer = lambda contact, ref: Accepted(ref)
        floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.ledger.rows(
        "SELECT step, state, needs_person FROM attempt WHERE channel = 'sms' ORDER BY step"
    ) == [("sms-1", "unknown", True), ("sms-2", "accepted", False)]


def test_a_later_unknown_waits_until_the_earlier_one_is_asked_about(floor: Floor) -> None:
    """A minute apart, as far as a carrier's clock may be wrong: the entry could be either's. The
    earlier one is in another asker's hands, and would be taken for not sent, and sent again."""
    two_waves(floor, "10:01")
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    floor.carrier.created_at = floor.clock.at
    floor.clock.at += timedelta(minutes=1)
    floor.carrier.takes = lambda contact: False
    floor.drain()
    assert floor.states() == {"unknown": 2}
    floor.ledger.run(
        "UPDATE attempt SET checked_at = clock_timestamp() + interval '1 hour' WHERE step = 'sms-1'"
    )
    floor.settle_unknown()
    assert floor.states() == {"unknown": 2}
    floor.ledger.run("UPDATE attempt SET checked_at = NULL")
    floor.settle_unknown()
    assert floor.ledger.one("SELECT state FROM attempt WHERE step = 'sms-1'") == "accepted"
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    for _ in range(2):
        floor.ledger.run("UPDATE attempt SET checked_at = NULL")
        floor.settle_unknown()
        floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.states() == {"accepted": 2}


@TOLD
def test_an_entry_of_what_goes_out_while_the_carrier_is_asked_is_not_the_earlier_ones(
    floor: Floor, told: timedelta
) -> None:
    two_waves(floor)
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.takes = lambda contact: False
    floor.drain()
    floor.clock.at += timedelta(hours=1, seconds=0.7)
    floor.carrier.created_at = floor.clock.at.replace(microsecond=0) + told
    listing = floor.carrier.list_sent

    async def meanwhile(channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        floor.carrier.takes = lambda contact: True
        floor.drain_in_thread()
        return await listing(channel, to, since)

    floor.carrier.list_sent = meanwhile  # type: ignore[method-assign]
    floor.settle_unknown()
    assert floor.states() == {"unknown": 2}
    floor.carrier.list_sent = listing  # type: ignore[method-assign]
    for _ in range(2):
        floor.ledger.run("UPDATE attempt SET checked_at = NULL")
        floor.settle_unknown()
        floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.ledger.rows(
        "SELECT step, state FROM attempt WHERE channel = 'sms' ORDER BY step"
    ) == [("sms-1", "unknown"), ("sms-2", "accepted")]


def test_resuming_neither_repeats_nor_skips(floor: Floor) -> None:
    people(floor, 40)
    run_id = floor.start()
    engine, now = floor.service.engine, floor.clock.now()
    lane = floor.lane()
    stopped = False

    def pause_midway(point: str) -> None:
        nonlocal stopped
        if point == "answered" and len(floor.carrier.taken) >= 10 and not stopped:
            stopped = True
            runs.pause(engine, STAFF, run_id, now)

    lane.config = lane.config.model_copy(update={"in_flight": 8})
    lane.reached = pause_midway
    asyncio.run(lane.drain(3))
    assert 10 <= len(floor.carrier.taken) < 30
    assert set(floor.states()) == {"accepted", "planned"}  # what was leased went out or back
    floor.drain()
    before = len(floor.carrier.taken)
    assert before < 40
    runs.resume(engine, STAFF, run_id, now)
    floor.clock.at += timedelta(seconds=5)  # what was given back is due a second later
    floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert len(floor.carrier.taken) == 40


def test_an_outcome_that_nobody_asked_for_changes_nobody_else(floor: Floor) -> None:
    people(floor, 2)
    floor.start()
    floor.drain()
    tell(floor, Receipt(Channel.SMS, "stranger", "failed", Outcome.UNDELIVERED, True), None)
    assert floor.states() == {"accepted": 2}
