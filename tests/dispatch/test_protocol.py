"""The dispatch protocol: at most once, only whom, only when, and nothing forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch import drain
from contact_service.dispatch.lease import lease
from contact_service.dispatch.switches import lift_switch, set_switch, switches
from contact_service.domain.actors import NotAllowed
from contact_service.planning import runs
from providers.base import Accepted, Cause, Refused, Throttled, Unknown
from tests.dispatch.conftest import APPROVER, STAFF, Floor
from tests.ledger import definition, mobile


def test_everybody_is_contacted_once_and_recorded(floor: Floor) -> None:
    for n in range(250):
        floor.ledger.person([mobile(n)])
    floor.start()
    drained = floor.drain()
    assert (drained.leased, drained.recorded) == (250, 250)
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert len({contact.to for _, contact in floor.carrier.taken}) == 250
    assert floor.states() == {"accepted": 250}
    floor.drain()
    assert len(floor.carrier.taken) == 250


def test_two_workers_share_a_lane_without_meeting(floor: Floor) -> None:
    for n in range(200):
        floor.ledger.person([mobile(n)])
    floor.start()

    async def both() -> None:
        await asyncio.gather(*(floor.lane().drain(60) for _ in range(4)))

    asyncio.run(both())
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.states() == {"accepted": 200}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("pays", "paid"),
        ("deceased", "restricted"),
        ("collection_deferred", "restricted"),
        ("written_off", "restricted"),
        ("protection_measure", "restricted"),
        ("opted_out", "restricted"),
    ],
)
def test_what_arrives_after_planning_stops_the_contact(
    floor: Floor, what: str, reason: str
) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.ledger.person([mobile(2)])
    floor.start()
    if what == "pays":
        floor.ledger.pays(person)
    elif what == "opted_out":
        floor.ledger.restrict(what, phone=mobile(1))
    else:
        floor.ledger.restrict(what, debtor_id=person)
    floor.drain()
    assert [contact.to for _, contact in floor.carrier.taken] == [mobile(2)]
    assert floor.reasons() == {reason: 1}


def test_somebody_protected_who_moves_in_stops_the_contact(floor: Floor) -> None:
    floor.ledger.person([mobile(1)], household="a")
    floor.start()
    hidden = floor.ledger.person([], household="a")
    floor.ledger.restrict("protection_measure", debtor_id=hidden)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"restricted": 1}


def test_one_restricted_claim_does_not_hide_another(floor: Floor) -> None:
    from tests.ledger import Owed

    floor.ledger.person([mobile(1)], [Owed(1000), Owed(2000)])
    floor.start()
    floor.ledger.run(
        "INSERT INTO restriction (kind, claim_id, notice_number, starts_on, origin) "
        "SELECT 'collection_deferred', id, notice_number, '2020-01-01', 'file' FROM claim "
        "ORDER BY id LIMIT 1"
    )
    floor.drain()
    assert len(floor.carrier.taken) == 1


@pytest.mark.parametrize(
    "at",
    ["2026-10-26T08:59", "2026-10-26T17:00", "2026-10-31T10:00", "2026-11-03T10:00"],
    ids=["before opening", "at closing", "saturday", "holiday"],
)
def test_outside_hours_nothing_goes_out_and_it_waits(floor: Floor, at: str) -> None:
    from datetime import datetime

    from contact_service.clock import TOKYO

    floor.ledger.person([mobile(1)])
    steps = [{"name": "sms-1", "channel": "sms", "message": "m", "expires_after_days": 20}]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))
    floor.clock.at = datetime.fromisoformat(at).replace(tzinfo=TOKYO)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.states() == {"planned": 1}
    floor.clock.at = datetime(2026, 11, 4, 9, 0, tzinfo=TOKYO)
    floor.drain()
    assert len(floor.carrier.taken) == 1


def test_what_expired_never_goes_out(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.clock.at += timedelta(days=3)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"expired": 1}


def test_the_contact_cap_holds_over_campaigns(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    caps = {"per_7_days": 1, "per_30_days": 2}
    floor.start(definition(arms=[{"name": "contact"}], caps=caps))
    floor.drain()
    floor.ledger.run("UPDATE run SET state = 'cancelled'")
    floor.start(definition(campaign="other", arms=[{"name": "contact"}], caps=caps))
    floor.drain()
    assert len(floor.carrier.taken) == 1
    assert floor.reasons() == {"contact_cap": 1}


def test_training_data_never_reach_a_live_carrier(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.config = floor.config.model_copy(update={"live": True})
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"training_data": 1}


def test_pause_resume_and_stop(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    run_id = floor.start()
    engine, now = floor.service.engine, floor.clock.now()
    runs.pause(engine, STAFF, run_id, now)
    floor.drain()
    assert floor.carrier.taken == []
    runs.resume(engine, STAFF, run_id, now)
    for scope in ("all", "provider:scripted", "channel:sms"):
        set_switch(engine, STAFF, scope, "test", now, ["scripted"])
        floor.drain()
        assert floor.carrier.taken == []
        with pytest.raises(NotAllowed):
            lift_switch(engine, STAFF, scope, now)
        assert lift_switch(engine, APPROVER, scope, now)
    runs.stop(engine, STAFF, run_id, now)
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"stopped": 1}


def test_throttled_goes_out_later_once(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Throttled(timedelta(milliseconds=20))
    floor.drain(seconds=0.2)
    assert floor.states() == {"planned": 1}
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    floor.clock.at += timedelta(seconds=2)
    asyncio.run(wait_for_accepted(floor))
    assert len(floor.carrier.taken) == 1


async def wait_for_accepted(floor: Floor) -> None:
    """The lane was asked to pause for some milliseconds: drain until it goes on."""
    async with asyncio.timeout(60):
        while floor.states() != {"accepted": 1}:
            await floor.lane().drain(1)


def test_refused_credentials_pause_the_provider_and_lose_nothing(floor: Floor) -> None:
    for n in range(5):
        floor.ledger.person([mobile(n)])
    floor.start()
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Refused(
        Cause.OUR_CREDENTIALS, Outcome.OTHER, "20003"
    )
    floor.drain()
    assert floor.states() == {"planned": 5}
    with floor.service.engine.connect() as connection:
        assert "20003" in switches(connection)["provider:scripted"]


def test_a_refused_number_is_finished_and_never_used_again(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Refused(
        Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER, "21211"
    )
    floor.drain()
    assert floor.states() == {"finished": 1}
    floor.clock.at += timedelta(days=7)
    floor.drain(Channel.AUTO_CALL)
    assert floor.reasons("auto_call") == {"restricted": 1}


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_an_unknown_is_settled_by_asking(floor: Floor, taken: bool) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.takes = lambda contact: taken
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    floor.drain()
    assert floor.states() == {"unknown": 1}
    assert len(floor.carrier.taken) == int(taken)
    settled = floor.settle_unknown()
    assert (settled.accepted, settled.planned_again) == (int(taken), int(not taken))
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    floor.drain()
    assert len(floor.carrier.taken) == 1
    assert floor.states() == {"accepted": 1}


def test_what_went_out_in_another_language_is_found_by_its_text(floor: Floor) -> None:
    person = floor.ledger.person([mobile(1)])
    floor.ledger.run("UPDATE debtor SET language = 'en' WHERE id = :d", d=person)
    text = {"ja": "お電話ください", "en": "Please call"}
    floor.start(definition(arms=[{"name": "contact"}], messages={"m": text}))
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    assert floor.settle_unknown().accepted == 1


def test_an_unknown_waits_until_the_listing_is_complete(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.capabilities = type(floor.carrier.capabilities)(
        floor.carrier.capabilities.channels, True, True, timedelta(minutes=2)
    )
    floor.drain()
    assert floor.settle_unknown().waiting == 1
    assert floor.states() == {"unknown": 1}
    floor.ledger.run(
        "UPDATE attempt SET lease_until = lease_until - interval '3 minutes', checked_at = NULL "
        "WHERE state = 'unknown'"
    )
    assert floor.settle_unknown().planned_again == 1


def test_where_nothing_can_be_proved_a_person_decides(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.capabilities = type(floor.carrier.capabilities)(
        floor.carrier.capabilities.channels, True, True, None
    )
    floor.drain()
    assert floor.settle_unknown().for_a_person == 1
    floor.drain()
    assert floor.states() == {"unknown": 1}
    assert floor.ledger.one("SELECT count(*) FROM attempt WHERE needs_person") == 1


def test_a_carrier_that_cannot_be_asked_changes_nothing(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.carrier.reachable = False
    floor.drain()
    assert floor.settle_unknown().waiting == 1
    assert floor.states() == {"unknown": 1}


def test_two_steps_with_one_text_are_told_apart(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    steps = [
        {"name": "sms-1", "channel": "sms", "message": "m"},
        {"name": "sms-2", "channel": "sms", "message": "m"},
    ]
    floor.start(definition(arms=[{"name": "contact"}], steps=steps))
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    assert len(floor.carrier.taken) == 2
    assert floor.settle_unknown().accepted == 2
    refs = floor.ledger.rows("SELECT DISTINCT provider_ref FROM attempt WHERE channel = 'sms'")
    assert len(refs) == 2


def test_a_late_answer_after_the_lease_settles_the_unknown(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()

    def lease_ends_meanwhile(contact: object, ref: str) -> Accepted:
        floor.ledger.run("UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
                         "WHERE state = 'leased'")  # fmt: skip
        from contact_service.dispatch.reconcile import collect_unknown

        assert collect_unknown(floor.service) == 1
        return Accepted(ref)

    floor.carrier.answer = lease_ends_meanwhile
    floor.drain()
    assert floor.states() == {"accepted": 1}


def test_an_answer_to_a_lease_that_another_took_over_counts_for_nothing(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()

    def taken_over(contact: object, ref: str) -> Accepted:
        floor.ledger.run(
            "UPDATE attempt SET lease_number = lease_number + 1 WHERE state = 'leased'"
        )
        return Accepted("stale")

    floor.carrier.answer = taken_over
    floor.drain()
    assert floor.ledger.one("SELECT count(*) FROM attempt WHERE provider_ref = 'stale'") == 0


def test_a_worker_that_was_held_up_sends_nothing(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    short = floor.service.settings.model_copy(update={"lease_seconds": 29.0})
    floor.service = type(floor.service)(
        short, floor.service.engine, floor.service.vault, floor.service.clock
    )
    floor.drain(seconds=0.3)
    assert floor.carrier.taken == []
    assert floor.states() == {"planned": 1}


@pytest.mark.parametrize("how", ["run", "all", "channel:sms", "provider:scripted"])
def test_a_stop_that_comes_while_a_lease_judges_sends_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    floor.ledger.person([mobile(1)])
    run_id = floor.start()
    engine, now = floor.service.engine, floor.clock.now()

    def slow(*given: Any, **named: Any) -> Any:
        found = lease(*given, **named)
        if not found[0]:
            return found
        if how == "run":
            runs.pause(engine, STAFF, run_id, now)
        else:
            set_switch(engine, STAFF, how, "x", now, ["scripted"])
        return found

    monkeypatch.setattr(drain, "lease", slow)
    floor.drain(seconds=0.3)
    assert floor.carrier.taken == []
    assert floor.states() == {"planned": 1}


def test_a_crash_before_recording_forgets_nobody_and_repeats_nobody(floor: Floor) -> None:
    for n in range(20):
        floor.ledger.person([mobile(n)])
    floor.start()
    lane = floor.lane()
    lane.reached = crash_at("recording")
    with pytest.raises(OperationalError):
        asyncio.run(lane.drain(60))
    taken = len(floor.carrier.taken)
    leased = floor.states()["leased"]
    assert 0 < taken <= leased
    floor.ledger.run("UPDATE attempt SET lease_until = clock_timestamp() - interval '1 s' "
                     "WHERE state = 'leased'")  # fmt: skip
    settled = floor.settle_unknown()
    assert (settled.accepted, settled.planned_again) == (taken, leased - taken)
    floor.drain()
    assert set(floor.carrier.taken_by_reference().values()) == {1}
    assert floor.states() == {"accepted": 20}


def crash_at(point: str):  # type: ignore[no-untyped-def]
    """Fail as if the database went away at a named point of the protocol."""

    def reached(name: str) -> None:
        if name == point:
            raise OperationalError("gone", None, Exception("gone"))

    return reached


def test_without_redis_nothing_is_sent(floor: Floor) -> None:
    from redis import RedisError

    from contact_service.dispatch.drain import redis_client
    from contact_service.dispatch.limits import RateLimit

    floor.ledger.person([mobile(1)])
    floor.start()
    lane = floor.lane()
    lane.limit = RateLimit(redis_client("redis://127.0.0.1:1/0"), "x", 100)
    with pytest.raises(RedisError):
        asyncio.run(lane.drain(1))
    assert floor.carrier.taken == []
    assert floor.states() == {"planned": 1}
