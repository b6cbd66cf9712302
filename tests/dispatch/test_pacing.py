"""Budgets, fairness, failover: nothing goes out beyond what was stated."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from campaigns.vocabulary import Channel, Outcome
from contact_service.dispatch.budgets import NoPrice, recount
from contact_service.dispatch.drain import redis_client
from contact_service.dispatch.limits import ProviderLimits, RateLimit
from contact_service.dispatch.pacing import BadPacingFile, CampaignPace, Centre, Pacing, pacing
from contact_service.planning.definitions import definitions_of
from providers.base import Accepted, Cause, Refused, Throttled, Unknown
from tests.dispatch.carrier import ScriptedCarrier
from tests.dispatch.conftest import Floor
from tests.ledger import definition, mobile

#: Longer than any test takes: what is seen of a carrier fades when a test says so.
HALF_LIFE = 3600.0
CONTACT_ALL = [{"name": "contact"}]


def people(floor: Floor, n: int, first: int = 0) -> None:
    for i in range(first, first + n):
        floor.ledger.person([mobile(i)])


def limit(floor: Floor, **limits: float) -> None:
    floor.config = floor.config.model_copy(update={"limits": ProviderLimits(**limits)})  # type: ignore[arg-type]


def drain_all(floor: Floor, workers: int = 4, channel: Channel = Channel.SMS) -> int:
    """Several workers at once, until none finds anything; how many contacts were taken."""

    async def together() -> None:
        await asyncio.gather(*(floor.lane(channel).drain(60) for _ in range(workers)))

    asyncio.run(together())
    if count_again(floor):  # a budget that is new opens when it has been counted
        asyncio.run(together())
    return len(floor.carrier.taken)


def count_again(floor: Floor) -> bool:
    """What housekeeping does every twenty seconds; whether any budget was new."""
    new = floor.ledger.one("SELECT count(*) FROM spent WHERE amount = 'Infinity'")
    with floor.service.engine.begin() as connection:
        recount(
            connection,
            floor.clock.now(),
            {floor.config.name: (floor.config, floor.carrier)},
            floor.pacing,
            lambda runs: definitions_of(connection, runs),
            floor.service.settings,
        )
    return bool(new)


# -- over a day --


def test_parts_per_day_are_never_exceeded_by_several_workers(floor: Floor) -> None:
    people(floor, 60)
    floor.start()
    floor.carrier.parts_each = 3
    limit(floor, parts_per_day=100)
    assert drain_all(floor) == 33
    floor.clock.at += timedelta(days=1)
    assert drain_all(floor) == 60


def test_yen_per_day_of_a_carrier_and_of_a_campaign(floor: Floor) -> None:
    people(floor, 40)
    floor.start()
    floor.carrier.yen_each = Decimal("9.5")
    limit(floor, yen_per_day=100)
    assert drain_all(floor) == 10
    limit(floor)
    floor.pacing = Pacing(campaigns={"test": CampaignPace(yen_per_day=190, yen=300)})
    assert drain_all(floor) == 20  # what went out before it was stated counts
    floor.clock.at += timedelta(days=1)
    assert drain_all(floor) == 31  # 300 yen in all, 9.5 each
    floor.clock.at += timedelta(days=1)
    assert drain_all(floor) == 31


def test_a_budget_in_yen_without_a_price_sends_nothing(floor: Floor) -> None:
    people(floor, 1)
    floor.start()
    limit(floor, yen_per_day=100)
    with pytest.raises(NoPrice, match="単価"):
        floor.drain()
    assert floor.carrier.taken == []
    assert floor.states() == {"planned": 1}


def test_budgets_hold_when_redis_has_forgotten_everything(floor: Floor) -> None:
    people(floor, 20)
    floor.start()
    limit(floor, parts_per_day=12)
    assert drain_all(floor) == 12
    redis_client(floor.service.settings.broker_url).flushdb()
    assert drain_all(floor) == 12


def test_what_was_provably_not_taken_is_given_back(floor: Floor) -> None:
    people(floor, 10)
    floor.start()
    limit(floor, parts_per_day=10)
    floor.carrier.takes = lambda contact: False
    floor.carrier.answer = lambda contact, ref: Throttled(timedelta(0))
    floor.drain()
    count_again(floor)
    asyncio.run(floor.lane().drain(0.3))
    assert floor.states() == {"planned": 10}
    assert floor.ledger.one("SELECT amount FROM spent") == 10
    count_again(floor)
    assert floor.ledger.one("SELECT amount FROM spent") == 0
    floor.carrier.takes = lambda contact: True
    floor.carrier.answer = lambda contact, ref: Accepted(ref)
    floor.clock.at += timedelta(minutes=1)
    assert drain_all(floor) == 10


def test_a_recount_counts_what_may_have_been_taken(floor: Floor) -> None:
    people(floor, 6)
    floor.start()
    limit(floor, parts_per_day=100)
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    drain_all(floor)
    floor.ledger.run("UPDATE spent SET amount = 77")
    count_again(floor)
    assert floor.ledger.one("SELECT amount FROM spent") == 6


# -- at once --


def test_concurrent_calls_are_never_more_than_stated(floor: Floor) -> None:
    people(floor, 30)
    steps = [{"name": "call-1", "channel": "auto_call", "script": "s"}]
    floor.start(definition(arms=CONTACT_ALL, steps=steps))
    limit(floor, concurrent_calls=7)
    assert drain_all(floor, channel=Channel.AUTO_CALL) == 7
    assert drain_all(floor, channel=Channel.AUTO_CALL) == 7  # they are still talking
    floor.ledger.run(
        "UPDATE attempt SET state = 'finished', outcome = 'confirmed' WHERE id IN "
        "(SELECT id FROM attempt WHERE state = 'accepted' LIMIT 3)"
    )
    assert drain_all(floor, channel=Channel.AUTO_CALL) == 10


# -- the centre --


def test_expected_calls_back_never_exceed_the_centre_over_all_campaigns(floor: Floor) -> None:
    people(floor, 60)
    floor.start(definition(arms=CONTACT_ALL, call_backs={"expected_rate": {"sms": 0.1}}))
    floor.pacing = Pacing(centre=Centre(calls_per_half_hour=2))
    assert drain_all(floor) == 20
    floor.clock.at += timedelta(minutes=29)
    assert drain_all(floor) == 20
    floor.clock.at += timedelta(minutes=1)
    assert drain_all(floor) == 40


def test_a_campaign_may_state_fewer_calls_back_of_its_own(floor: Floor) -> None:
    people(floor, 30)
    rates = {"expected_rate": {"sms": 0.2}, "per_half_hour": 3}
    floor.start(definition(arms=CONTACT_ALL, call_backs=rates))
    floor.pacing = Pacing(centre=Centre(calls_per_half_hour=100))
    assert drain_all(floor) == 15


# -- fair --


def run_of(floor: Floor, campaign: str, kind: str) -> UUID:
    return floor.start(definition(campaign=campaign, arms=CONTACT_ALL, select={"kinds": [kind]}))


@pytest.mark.parametrize(("weight", "part"), [(1, 0.5), (3, 0.75)])
def test_two_campaigns_share_a_lane_by_weight(floor: Floor, weight: int, part: float) -> None:
    from tests.ledger import Owed

    for n in range(120):
        kind = "school_lunch" if n < 60 else "health_insurance"
        floor.ledger.person([mobile(n)], [Owed(kind=kind)])
    first = run_of(floor, "first", "school_lunch")
    run_of(floor, "second", "health_insurance")
    floor.ledger.run("UPDATE attempt SET due_at = due_at - interval '1 hour' WHERE run_id <> :r", r=first)  # fmt: skip
    floor.pacing = Pacing(campaigns={"first": CampaignPace(weight=weight)})
    limit(floor, parts_per_day=60)
    assert drain_all(floor) == 60
    done = floor.ledger.one(
        "SELECT count(*) FROM attempt WHERE run_id = :r AND state = 'accepted'", r=first
    )
    assert abs(int(str(done)) / 60 - part) < 0.12
    limit(floor)
    assert drain_all(floor) == 120  # what one leaves unused the other takes


def test_an_urgent_campaign_has_lanes_of_its_own(floor: Floor) -> None:
    people(floor, 3)
    floor.start()
    floor.pacing = Pacing(campaigns={"test": CampaignPace(urgent=True)})
    floor.drain()
    assert floor.carrier.taken == []
    lane = floor.lane()
    lane.urgent = True
    asyncio.run(lane.drain(60))
    assert len(floor.carrier.taken) == 3


# -- two carriers --


class Pair:
    """Two lanes to two carriers for one channel, asked in turn as two workers would."""

    def __init__(self, floor: Floor, weights: tuple[float, float] = (1, 1)) -> None:
        self.client = redis_client(floor.service.settings.broker_url)
        self.names = ("a", "b")
        channel = self.channel = f"sms-{id(floor)}"
        self.lanes = {
            name: RateLimit(
                self.client, f"{name}/{channel}", 5000,
                ProviderLimits(weight=weight, slow_seconds=1, recovery_seconds=HALF_LIFE),
            )
            for name, weight in zip(self.names, weights, strict=True)
        }  # fmt: skip
        for lane in self.lanes.values():
            lane.take(10)  # the bucket begins to fill
        threading.Event().wait(0.3)

    def later(self, half_lives: int) -> None:
        """What was seen of the carriers was seen so long ago."""
        for name in self.names:
            self.client.hincrbyfloat(f"health:{self.channel}:{name}", "at", -half_lives * HALF_LIFE)

    def split(self, rounds: int = 40, each: int = 10) -> Counter[str]:
        got: Counter[str] = Counter()
        for _ in range(rounds):
            for name, lane in self.lanes.items():
                got[name] += lane.take(each).tokens
            threading.Event().wait(0.002)
        return got


def test_two_carriers_share_a_channel_by_weight(floor: Floor) -> None:
    got = Pair(floor, (3, 1)).split(100)
    assert got["a"] / got.total() == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize("how", ["fails", "slow"])
def test_a_carrier_that_fails_or_is_slow_gets_little_and_drifts_back(
    floor: Floor, how: str
) -> None:
    pair = Pair(floor)
    bad, seconds = ([Unknown("500")], 0.1) if how == "fails" else ([Accepted("x")], 9.0)
    for _ in range(60):
        pair.lanes["a"].observe(bad, [seconds])  # type: ignore[arg-type]
    got = pair.split(15)
    assert got["a"] / got.total() < 0.25
    pair.later(10)
    got = pair.split(60)
    assert got["a"] / got.total() > 0.4


def test_a_carrier_on_hold_or_away_holds_nobody_back(floor: Floor) -> None:
    pair = Pair(floor)
    pair.lanes["a"].hold(30)
    assert pair.split(20)["b"] == 200


def test_an_attempt_of_unknown_fate_is_never_handed_to_another_carrier(floor: Floor) -> None:
    people(floor, 5)
    floor.start()
    floor.carrier.answer = lambda contact, ref: Unknown("timeout")
    floor.drain()
    other = ScriptedCarrier()
    floor.carrier, first = other, floor.carrier
    floor.config = floor.config.model_copy(update={"name": "other"})
    floor.drain()
    assert other.taken == []
    assert floor.states() == {"unknown": 5}
    # nor does the other carrier's empty listing prove anything
    floor.settle_unknown()
    assert floor.states() == {"unknown": 5}
    assert len(first.taken) == 5


# -- what is stated --


def test_a_faulty_file_is_refused_with_its_field(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "pacing.yaml"
    path.write_text("centre: {calls_per_half_hour: -3}\n")
    with pytest.raises(BadPacingFile, match="centre.calls_per_half_hour"):
        pacing(path)
    path.with_name("other.yaml").write_text("campaigns: {a: {yen_per_day: 100}}\n")
    assert pacing(path.with_name("other.yaml")).campaign("a").yen_per_day == 100


def test_a_refusal_of_credentials_speaks_against_the_carrier() -> None:
    from contact_service.dispatch.limits import is_bad

    assert is_bad(Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER))
    assert not is_bad(Refused(Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER))
    assert not is_bad(Throttled(timedelta(0), "late"))


def test_tokens_that_find_nothing_to_do_are_not_used_up(floor: Floor) -> None:
    """A lane that is asked all the time and has nothing due must not starve the others."""
    people(floor, 1)
    floor.start()
    floor.drain()
    lane = floor.lane()
    lane.limit.take(1)
    threading.Event().wait(0.5)
    for _ in range(20):
        asyncio.run(lane.drain(0.5))
    assert lane.limit.take(500).tokens == 500


def test_a_bucket_that_was_lost_starts_empty(floor: Floor) -> None:
    """A restart of Redis is no burst, however long the service has been idle."""
    lane = floor.lane()
    lane.limit.take(1)
    threading.Event().wait(0.3)
    assert lane.limit.take(500).tokens == 500
    redis_client(floor.service.settings.broker_url).flushdb()
    lost = lane.limit.take(500)
    assert lost.tokens == 0
    assert 0 < lost.wait_seconds <= 0.3  # and fills at its rate: 200 of them take 0.1 s
