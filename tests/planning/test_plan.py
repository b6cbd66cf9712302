"""Planning: who is in, who is left out and why, and that doing it twice makes nothing new."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine

from campaigns.definition import Definition
from contact_service.clock import TOKYO, FixedClock
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.planning import runs
from contact_service.planning.schedule import DoesNotFit
from contact_service.store.crypto import Vault
from tests.ledger import Ledger, Owed, definition, mobile

STAFF = Actor("planner", Role.STAFF)
APPROVER = Actor("approver", Role.APPROVER)
FIRST_DAY = date(2026, 10, 26)
FIXED_LINE = "+81312345678"


@pytest.fixture
def ledger(engine: Engine, vault: Vault) -> Ledger:
    return Ledger(engine, vault)


def plan(ledger: Ledger, clock: FixedClock, spec: Definition | None = None) -> UUID:
    spec = spec or definition(arms=[{"name": "contact"}])
    source = spec.model_dump_json()
    return runs.plan(ledger.engine, STAFF, spec, source, FIRST_DAY, clock.now()).run_id


def excluded(ledger: Ledger) -> dict[object, object]:
    return dict(ledger.rows("SELECT debtor_id, reason FROM exclusion"))  # type: ignore[arg-type]


def test_one_contact_a_number_however_many_people_and_claims(
    ledger: Ledger, clock: FixedClock
) -> None:
    ledger.person([mobile(1)], [Owed(1000), Owed(2000)], household="a")
    ledger.person([mobile(1)], [Owed(4000)], household="a")
    ledger.person([FIXED_LINE, mobile(2)], [Owed(8000)], household="a")
    run_id = plan(ledger, clock)
    assert ledger.rows("SELECT outstanding_yen, claims FROM target ORDER BY 1") == [
        (7000, 3),
        (8000, 1),
    ]
    assert ledger.one("SELECT count(DISTINCT cluster) FROM target") == 1
    assert ledger.one("SELECT count(*) FROM target_claim") == 4
    assert ledger.one("SELECT count(*) FROM target WHERE phone_kind = 'mobile'") == 2
    assert ledger.one("SELECT count(*) FROM attempt WHERE run_id = :r", r=run_id) == 6


def test_people_linked_by_homes_and_numbers_are_one_cluster_and_get_one_arm(
    ledger: Ledger, clock: FixedClock
) -> None:
    for n in range(12):  # a chain: n shares a number with n+1, and pairs share homes
        ledger.person([mobile(n), mobile(n + 1)], household=f"h{n // 2}")
    ledger.person([mobile(100)])
    plan(ledger, clock, definition())
    assert ledger.one("SELECT count(DISTINCT cluster) FROM target") == 2
    assert (
        ledger.one(
            "SELECT max(n) FROM (SELECT count(DISTINCT arm) n FROM target GROUP BY cluster) x"
        )
        == 1
    )


def test_everybody_left_out_has_the_first_reason_that_applies(
    ledger: Ledger, clock: FixedClock
) -> None:
    kept = ledger.person([mobile(1)])
    too_young = ledger.person([mobile(2)], [Owed(due_on=date(2026, 10, 26))])
    no_number = ledger.person([])
    deferred = ledger.person([mobile(3)])
    ledger.restrict("collection_deferred", debtor_id=deferred)
    opted_out = ledger.person([mobile(4)])
    ledger.restrict("opted_out", phone=mobile(4))
    small = ledger.person([mobile(5)], [Owed(100)])
    paid = ledger.person([mobile(6)])
    ledger.pays(paid)
    run_id = plan(
        ledger,
        clock,
        definition(arms=[{"name": "contact"}], select={"debtor_outstanding_yen": {"min": 1000}}),
    )
    assert excluded(ledger) == {
        too_young: "not_selected",
        no_number: "no_number",
        deferred: "restricted",
        opted_out: "restricted",
        small: "amount",
    }
    assert ledger.rows("SELECT addressee_id FROM target") == [(kept,)]
    [(assessed,)] = ledger.rows("SELECT assessed_debtors FROM run WHERE id = :r", r=run_id)
    assert assessed == 6  # who has paid is not assessed


def test_a_restriction_that_names_an_unknown_notice_covers_all_claims(
    ledger: Ledger, clock: FixedClock
) -> None:
    person = ledger.person([mobile(1)], [Owed(1000), Owed(2000)])
    ledger.run(
        "INSERT INTO restriction (kind, debtor_id, notice_number, starts_on, origin) "
        "VALUES ('collection_deferred', :id, 'unknown', '2020-01-01', 'file')",
        id=person,
    )
    with pytest.raises(runs.CannotDo, match="交渉制限 1 人"):
        plan(ledger, clock)
    ledger.person([mobile(2)])
    plan(ledger, clock)
    assert excluded(ledger) == {person: "restricted"}


def test_protection_covers_everybody_who_shares_home_or_telephone(
    ledger: Ledger, clock: FixedClock
) -> None:
    hidden = ledger.person([mobile(1)], household="a")
    ledger.restrict("protection_measure", debtor_id=hidden)
    at_home = ledger.person([mobile(2)], household="a")
    same_phone = ledger.person([mobile(1)], household="b")
    elsewhere = ledger.person([mobile(3)], household="c")
    plan(ledger, clock)
    assert set(excluded(ledger)) == {hidden, at_home, same_phone}
    assert ledger.rows("SELECT addressee_id FROM target") == [(elsewhere,)]


def test_a_mobile_is_chosen_for_sms_and_a_wrong_number_is_passed_over(
    ledger: Ledger, clock: FixedClock
) -> None:
    ledger.person([FIXED_LINE, mobile(1), mobile(2)])
    ledger.restrict("wrong_person", phone=mobile(1))
    ledger.person(["+81398765432"])
    plan(ledger, clock)
    kinds = ledger.rows("SELECT phone_kind, count(*) FROM target GROUP BY 1 ORDER BY 1")
    assert kinds == [("fixed", 1), ("mobile", 1)]
    by_channel = ledger.rows("SELECT channel, count(*) FROM attempt GROUP BY 1 ORDER BY 1")
    assert by_channel == [("auto_call", 2), ("operator", 2), ("sms", 1)]
    second = ledger.vault.indexes("phone", mobile(2))[0]
    assert ledger.one(
        "SELECT count(*) FROM target t JOIN phone p ON p.id = t.phone_id WHERE number_index = :i",
        i=second,
    )


def test_planning_twice_makes_nothing_new(ledger: Ledger, clock: FixedClock) -> None:
    for n in range(30):
        ledger.person([mobile(n)])
    first = plan(ledger, clock, definition())
    before = ledger.rows("SELECT id, arm FROM target ORDER BY id")
    attempts = ledger.rows("SELECT id, due_at FROM attempt ORDER BY id")
    assert plan(ledger, clock, definition()) == first
    assert ledger.rows("SELECT id, arm FROM target ORDER BY id") == before
    # from nothing but what is stored the same allocation comes again
    for table in (
        "campaign_transition",
        "attempt",
        "target_claim",
        "exclusion",
        "target",
        "run_step",
        "run",
    ):
        ledger.run(f"DELETE FROM {table}")
    assert plan(ledger, clock, definition()) == first
    assert ledger.rows("SELECT id, arm FROM target ORDER BY id") == before
    assert ledger.rows("SELECT id, due_at FROM attempt ORDER BY id") == attempts


def test_arms_are_balanced_within_strata_and_depend_on_the_seed(
    ledger: Ledger, clock: FixedClock
) -> None:
    for n in range(120):
        kind = "resident_tax" if n % 3 else "health_insurance"
        ledger.person([mobile(n)], [Owed(kind=kind)])
    arms = [{"name": "holdout", "holdout": True}, {"name": "a"}, {"name": "b"}]
    plan(ledger, clock, definition(arms=arms))
    sizes = ledger.rows("SELECT stratum, arm, count(*) FROM target GROUP BY 1, 2")
    assert len(sizes) == 6
    for stratum in {row[0] for row in sizes}:
        counts = [int(str(n)) for s, _, n in sizes if s == stratum]
        assert max(counts) - min(counts) <= 1
    first = ledger.rows("SELECT phone_id, arm FROM target ORDER BY 1")
    ledger.run("UPDATE run SET state = 'cancelled'")
    other = definition(arms=arms, allocation={"seed": "another"})
    second_id = plan(ledger, clock, other)
    second = ledger.rows(
        "SELECT phone_id, arm FROM target WHERE run_id = :r ORDER BY 1", r=second_id
    )
    assert [p for p, _ in first] == [p for p, _ in second]
    assert first != second


def test_a_holdout_gets_no_attempt(ledger: Ledger, clock: FixedClock) -> None:
    for n in range(20):
        ledger.person([mobile(n)])
    plan(ledger, clock, definition())
    contacted = ledger.rows(
        "SELECT DISTINCT t.arm FROM attempt a JOIN target t ON t.id = a.target_id"
    )
    assert contacted == [("contact",)]


def test_nobody_is_in_two_runs_at_once(ledger: Ledger, clock: FixedClock) -> None:
    person = ledger.person([mobile(1)])
    plan(ledger, clock)
    newcomer = ledger.person([mobile(2)])
    second = plan(ledger, clock, definition(campaign="other", arms=[{"name": "contact"}]))
    reasons = ledger.rows("SELECT debtor_id, reason FROM exclusion WHERE run_id = :r", r=second)
    assert reasons == [(person, "in_another_run")]
    assert ledger.rows("SELECT addressee_id FROM target WHERE run_id = :r", r=second) == [
        (newcomer,)
    ]


def test_pace_spreads_over_open_half_hours(ledger: Ledger, clock: FixedClock) -> None:
    for n in range(40):
        ledger.person([mobile(n)])
    steps = [{"name": "sms-1", "channel": "sms", "message": "m", "start": {"at": "16:00"},
              "per_half_hour": 10}]  # fmt: skip
    plan(ledger, clock, definition(arms=[{"name": "contact"}], steps=steps))
    due = ledger.rows("SELECT due_at, count(*) FROM attempt GROUP BY 1 ORDER BY 1")
    at = [datetime(2026, 10, 26, 16, 0), datetime(2026, 10, 26, 16, 30),
          datetime(2026, 10, 27, 9, 0), datetime(2026, 10, 27, 9, 30)]  # fmt: skip
    assert due == [(when.replace(tzinfo=TOKYO), 10) for when in at]


def test_a_step_that_cannot_reach_everybody_is_refused_and_nothing_is_left(
    ledger: Ledger, clock: FixedClock
) -> None:
    for n in range(40):
        ledger.person([mobile(n)])
    steps = [{"name": "sms-1", "channel": "sms", "message": "m", "per_half_hour": 1,
              "expires_after_days": 1}]  # fmt: skip
    with pytest.raises(DoesNotFit, match="sms-1.*16"):
        plan(ledger, clock, definition(arms=[{"name": "contact"}], steps=steps))
    assert ledger.one("SELECT count(*) FROM run") == 0


def test_a_second_person_starts_a_run(ledger: Ledger, clock: FixedClock) -> None:
    ledger.person([mobile(1)])
    run_id = plan(ledger, clock)
    with pytest.raises(NotAllowed):
        runs.start(ledger.engine, STAFF, run_id, clock.now(), [])
    with pytest.raises(NotAllowed, match="別の人"):
        same = Actor(STAFF.name, Role.APPROVER)
        runs.start(ledger.engine, same, run_id, clock.now(), [])
    with pytest.raises(runs.CannotDo, match="訓練データ"):
        runs.start(ledger.engine, APPROVER, run_id, clock.now(), ["live-carrier"])
    runs.start(ledger.engine, APPROVER, run_id, clock.now(), [])
    with pytest.raises(runs.CannotDo):
        runs.start(ledger.engine, APPROVER, run_id, clock.now(), [])
    assert ledger.one("SELECT state FROM run") == "running"
