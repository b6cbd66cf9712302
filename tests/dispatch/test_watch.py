"""The service pauses by itself, with a reason, and never on a handful."""

from __future__ import annotations

from datetime import timedelta

import pytest

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.pacing import Centre, Pacing, Pauses, Threshold
from contact_service.dispatch.reconcile import collect_unknown
from contact_service.dispatch.switches import lift_switch, switches
from contact_service.dispatch.watch import watch
from contact_service.planning import runs
from providers.base import Accepted, Cause, Refused, Unknown
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.ledger import definition, mobile

SOME = Threshold(share=0.2, least=10)


def people(floor: Floor, n: int) -> None:
    for i in range(n):
        floor.ledger.person([mobile(i)])


def stopped(floor: Floor) -> dict[str, str]:
    with floor.service.engine.connect() as connection:
        return switches(connection)


def test_a_carrier_that_fails_too_often_is_stopped_with_the_reason(floor: Floor) -> None:
    people(floor, 12)
    floor.start()
    floor.carrier.answer = lambda contact, ref: (
        Unknown("500") if len(floor.carrier.taken) % 3 == 0 else Accepted(ref)
    )
    floor.drain()
    rules = Pacing(pauses=Pauses(failures=SOME))
    assert len(watch(floor.service, rules)) == 1
    assert "4/12" in stopped(floor)["provider:scripted"]
    assert watch(floor.service, rules) == []  # once
    # who lets it go on is not overruled by what happened before
    lift_switch(floor.service.engine, APPROVER, "provider:scripted", floor.clock.now())
    floor.clock.at += timedelta(minutes=1)
    assert watch(floor.service, rules) == []


def test_what_a_carrier_refuses_at_once_counts_once_and_what_it_delivers_too(floor: Floor) -> None:
    people(floor, 12)
    floor.start()
    floor.carrier.answer = lambda contact, ref: (
        Refused(Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED, "30003")
        if len(floor.carrier.taken) % 3 == 0
        else Accepted(ref)
    )
    floor.drain()
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', outcome = 'delivered', outcome_at = :now"
        " WHERE state = 'accepted'",
        now=floor.clock.now(),
    )
    (reason,) = watch(floor.service, Pacing(pauses=Pauses(failures=SOME)))
    assert "4 of 12" in reason


def test_a_handful_stops_nothing(floor: Floor) -> None:
    people(floor, 9)
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("500")
    floor.drain()
    assert watch(floor.service, Pacing(pauses=Pauses(failures=SOME))) == []
    assert stopped(floor) == {}


def test_a_worker_that_died_says_nothing_of_the_carrier(floor: Floor) -> None:
    people(floor, 12)
    floor.start()
    floor.drain()
    floor.ledger.run(
        "UPDATE attempt SET state = 'leased', lease_until = '2020-01-01' WHERE state = 'accepted'"
    )
    collect_unknown(floor.service)
    assert floor.ledger.one("SELECT count(*) FROM attempt WHERE state = 'unknown'") == 12
    assert watch(floor.service, Pacing(pauses=Pauses(failures=SOME))) == []
    assert stopped(floor) == {}


@pytest.mark.parametrize(
    ("outcome", "rule", "word"),
    [("wrong_person", "wrong_numbers", "wrong numbers"), ("opted_out", "complaints", "complaints")],
)
def test_a_run_that_is_unwelcome_pauses_with_the_reason(
    floor: Floor, outcome: str, rule: str, word: str
) -> None:
    people(floor, 20)
    run_id = floor.start()
    floor.drain()
    say(floor, "delivered", 16)
    say(floor, outcome, 4)
    quiet = Pacing(pauses=Pauses(wrong_numbers=None, complaints=None))
    assert watch(floor.service, quiet) == []
    rules = Pacing(pauses=Pauses(**{"wrong_numbers": None, "complaints": None, rule: SOME}))  # type: ignore[arg-type]
    assert watch(floor.service, rules) == []  # a fifth is not more than a fifth
    say(floor, outcome, 5)
    (reason,) = watch(floor.service, rules)
    assert word in reason
    assert floor.ledger.one("SELECT state FROM run WHERE id = :r", r=run_id) == "paused"
    assert (
        floor.ledger.one("SELECT reason FROM campaign_transition WHERE action = 'pause'") == reason
    )
    runs.resume(floor.service.engine, STAFF, run_id, floor.clock.now())
    floor.clock.at += timedelta(minutes=1)
    assert watch(floor.service, rules) == []


def test_complaints_that_operators_record_pause_a_run(floor: Floor) -> None:
    people(floor, 12)
    run_id = floor.start()
    floor.drain()
    say(floor, "confirmed", 12)
    rules = Pacing(pauses=Pauses(wrong_numbers=None, complaints=SOME))
    for kind, paused in (("refused", False), ("complaint", True)):
        floor.ledger.run(
            "INSERT INTO disposition (attempt_id, kind, recorded_at, recorded_by) SELECT id, :kind,"
            " :now, 'o' FROM attempt WHERE state = 'finished' ORDER BY id LIMIT 3"
            " ON CONFLICT (attempt_id) DO UPDATE SET kind = excluded.kind",
            kind=kind, now=floor.clock.now(),
        )  # fmt: skip
        assert any("complaints (3 of 12)" in reason for reason in watch(floor.service, rules)) is (
            paused
        )
    assert floor.ledger.one("SELECT state FROM run WHERE id = :r", r=run_id) == "paused"


def say(floor: Floor, outcome: str, n: int) -> None:
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', outcome = :o, outcome_at = :now WHERE id IN "
        "(SELECT id FROM attempt WHERE channel = 'sms' AND (state = 'accepted' "
        "OR outcome = 'delivered') ORDER BY state LIMIT :n)",
        o=outcome, n=n, now=floor.clock.now(),
    )  # fmt: skip


def test_a_full_operators_list_stops_what_fills_it_until_it_has_drained(floor: Floor) -> None:
    people(floor, 10)
    steps = [
        {"name": "operators", "channel": "operator"},
        {"name": "sms-1", "channel": "sms", "message": "m"},
    ]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))
    rules = Pacing(centre=Centre(most_waiting=10))
    watch(floor.service, rules)
    assert set(stopped(floor)) == {"channel:sms", "channel:auto_call"}
    assert "10" in stopped(floor)["channel:sms"]
    floor.drain()
    assert floor.carrier.taken == []
    finish_some = (
        "UPDATE attempt SET state = 'finished' WHERE id IN (SELECT id FROM attempt "
        "WHERE channel = 'operator' AND state = 'planned' LIMIT :n)"
    )
    floor.ledger.run(finish_some, n=1)
    watch(floor.service, rules)
    assert set(stopped(floor)) == {"channel:sms", "channel:auto_call"}  # nearly full
    floor.ledger.run(finish_some, n=2)
    watch(floor.service, rules)
    assert stopped(floor) == {}
    floor.drain(Channel.SMS)
    assert len(floor.carrier.taken) == 10


def test_what_a_person_stopped_stays_stopped(floor: Floor) -> None:
    people(floor, 1)
    floor.start()
    from contact_service.dispatch.switches import set_switch

    set_switch(floor.service.engine, STAFF, "channel:sms", "x", floor.clock.now(), ["scripted"])
    watch(floor.service, Pacing(centre=Centre(most_waiting=5)))
    assert set(stopped(floor)) == {"channel:sms"}
