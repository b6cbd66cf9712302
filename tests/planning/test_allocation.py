"""Arms: dealt again from what is stored, registered before launch, nobody in two trials."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from campaigns.definition import Definition
from campaigns.protocol import digest, protocol
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.planning import allocation, runs
from contact_service.planning.registration import Registration, departed, registration
from contact_service.planning.schedule import DoesNotFit
from contact_service.store.crypto import Vault
from tests.ledger import Ledger, Owed, definition, mobile

STAFF = Actor("planner", Role.STAFF)
FIRST_DAY = date(2026, 10, 26)
STRATA = ["kind", "amount", "earlier_contact"]


@pytest.fixture
def ledger(engine: Engine, vault: Vault) -> Ledger:
    found = Ledger(engine, vault)
    for n in range(60):
        kind = "care_insurance" if n % 3 else "health_insurance"
        found.person([mobile(n)], [Owed(5000 * (1 + n % 11), kind)], household=f"h{n // 2}")
    return found


def spec(campaign: str = "trial", seed: str = "one", **parts: object) -> Definition:
    return definition(
        campaign=campaign, allocation={"seed": seed, "strata": STRATA} | dict(parts.pop("allocation", {})), **parts  # type: ignore[call-overload]
    )  # fmt: skip


def plan(ledger: Ledger, clock: FixedClock, given: Definition, day: date = FIRST_DAY) -> UUID:
    source = given.model_dump_json()
    return runs.plan(ledger.engine, STAFF, given, source, day, clock.now()).run_id


def replayed(ledger: Ledger, given: Definition, run_id: UUID) -> allocation.Replay:
    with ledger.engine.connect() as connection:
        return allocation.replay(connection, given, run_id)


def registered(ledger: Ledger, run_id: UUID) -> Registration:
    with ledger.engine.connect() as connection:
        found = registration(connection, run_id)
    assert found is not None
    return found


def test_years_later_the_same_arms_come_from_what_is_stored(
    ledger: Ledger, clock: FixedClock
) -> None:
    given = spec()
    run_id = plan(ledger, clock, given)
    kept = registered(ledger, run_id)
    # the ledger has moved on: claims are paid, people move in together
    ledger.run("UPDATE claim SET outstanding_yen = 0, kind = 'school_lunch'")
    ledger.run("UPDATE debtor SET household_id = (SELECT min(id) FROM household)")
    found = replayed(ledger, given, run_id)
    assert found.same and found.clusters == 30
    assert found.sha256 == kept.allocation_sha256
    assert sum(kept.clusters.values()) == 30


def test_a_moved_person_is_noticed(ledger: Ledger, clock: FixedClock) -> None:
    given = spec()
    run_id = plan(ledger, clock, given)
    ledger.run(
        "UPDATE target SET arm = CASE arm WHEN 'contact' THEN 'holdout' ELSE 'contact' END "
        "WHERE cluster = (SELECT min(cluster) FROM target)"
    )
    found = replayed(ledger, given, run_id)
    assert (found.different, found.same) == (1, False)
    assert found.sha256 != registered(ledger, run_id).allocation_sha256
    ledger.run("UPDATE target SET arm = 'holdout' WHERE id = (SELECT min(id::text)::uuid FROM target t WHERE EXISTS (SELECT FROM target u WHERE u.cluster = t.cluster AND u.id <> t.id AND t.arm = 'contact'))")  # fmt: skip
    assert replayed(ledger, given, run_id).in_two_arms == 1
    assert not replayed(ledger, spec(seed="two"), run_id).same


def test_blocks_keep_every_stratum_balanced(ledger: Ledger, clock: FixedClock) -> None:
    plan(ledger, clock, spec())
    worst = ledger.one("""
        SELECT max(abs(a - b)) FROM (SELECT count(DISTINCT cluster) FILTER (WHERE arm = 'contact') a,
            count(DISTINCT cluster) FILTER (WHERE arm = 'holdout') b
            FROM target GROUP BY stratum) s
    """)
    assert worst == 1


def test_who_was_contacted_before_is_a_stratum(ledger: Ledger, clock: FixedClock) -> None:
    first = plan(ledger, clock, spec())
    ledger.run("UPDATE attempt SET submitted_at = now()")
    ledger.run("UPDATE run SET state = 'cancelled'")
    second = plan(ledger, clock, spec("later", "two"))
    told = dict(ledger.rows("SELECT cluster, arm FROM target WHERE run_id = :r", r=first))
    strata = ledger.rows("SELECT cluster, stratum FROM target WHERE run_id = :r", r=second)
    assert len(strata) == 60
    for cluster, stratum in strata:
        ending = "contacted" if told[cluster] == "contact" else "new"
        assert str(stratum).endswith(ending)


def test_ages_are_frozen_in_bands(ledger: Ledger, clock: FixedClock) -> None:
    """In 2026 who was born in 1995 to 1999 counts as 29, in 1990 to 1994 as 34, and so on."""
    bands = {1995: "-29", 1990: "30-44", 1980: "30-44", 1975: "45-59", 1950: "60-74",
             1945: "75-", 1920: "75-", None: None}  # fmt: skip
    for place, band in enumerate(bands):
        ledger.run(
            "UPDATE debtor SET birth_band = :band WHERE id % :n = :place",
            band=band, n=len(bands), place=place,
        )  # fmt: skip
    plan(ledger, clock, spec())
    ledger.run("CREATE TABLE was AS SELECT id, birth_band FROM debtor")
    ledger.run("UPDATE debtor SET birth_band = 2000")
    with ledger.engine.connect() as connection:
        found = connection.execute(
            text("SELECT DISTINCT birth_band, age_band FROM target JOIN was ON was.id ="
                 " addressee_id")
        ).all()  # fmt: skip
    assert {row.birth_band: row.age_band for row in found} == bands


def test_the_protocol_is_registered_and_cannot_be_changed(
    ledger: Ledger, clock: FixedClock
) -> None:
    given = spec()
    run_id = plan(ledger, clock, given)
    kept = registered(ledger, run_id)
    assert kept.sha256 == digest(protocol(given)) and kept.intact
    assert kept.registered_at == clock.now()
    assert departed(kept, given) == []
    later = spec(trial={"primary_outcome": "paid_in_full", "horizon_days": 56})
    assert [one.path for one in departed(kept, later)] == [
        "trial.horizon_days", "trial.primary_outcome",
    ]  # fmt: skip
    for change in ("UPDATE trial_registration SET sha256 = ''", "DELETE FROM trial_registration"):
        with pytest.raises(DBAPIError, match="append-only"):
            ledger.run(change)


def test_a_run_too_small_is_said_or_refused(ledger: Ledger, clock: FixedClock) -> None:
    expected = {"expected_control": 0.3, "expected_effect": 0.05}
    warned = plan(ledger, clock, spec(trial=expected))
    (said,) = registered(ledger, warned).warnings
    assert "1,377" in said and "households" in said
    ledger.run("UPDATE run SET state = 'cancelled'")
    with pytest.raises(DoesNotFit, match="1,377"):
        plan(ledger, clock, spec("other", trial=expected | {"too_small": "refuse"}))
    assert ledger.one("SELECT count(*) FROM run") == 1


def test_a_permanent_holdout_is_the_same_people_in_every_campaign(
    ledger: Ledger, clock: FixedClock
) -> None:
    held_out = {"permanent_holdout": {"share": 0.2, "seed": "ward"}}

    def left_out(campaign: str, seed: str, allocation_: dict[str, object]) -> set[object]:
        run_id = plan(ledger, clock, spec(campaign, seed, allocation=allocation_))
        ledger.run("UPDATE run SET state = 'cancelled'")
        return {row[0] for row in ledger.rows(
            "SELECT debtor_id FROM exclusion WHERE run_id = :r AND reason = 'permanent_holdout'",
            r=run_id)}  # fmt: skip

    first = left_out("one", "a", held_out)
    assert first == left_out("two", "b", held_out)
    # whole homes: two people each
    assert 0 < len(first) < 30 and len(first) % 2 == 0
    assert left_out("three", "c", {}) == set()
    other = {"permanent_holdout": {"share": 0.2, "seed": "another"}}
    assert left_out("four", "d", other) != first


def test_nobody_is_in_two_trials_unless_the_design_says_so(
    ledger: Ledger, clock: FixedClock
) -> None:
    plan(ledger, clock, spec("first"))
    ledger.run("UPDATE run SET state = 'completed'")
    within = FIRST_DAY + timedelta(days=20)
    # the first trial still counts payments: nobody is left
    with pytest.raises(Exception, match="60"):
        plan(ledger, clock, spec("second"), within)
    shared = spec("third", trial={"may_share_people_with": ["first"]})
    assert plan(ledger, clock, shared, within)
    ledger.run("UPDATE run SET state = 'cancelled' WHERE state <> 'completed'")
    assert plan(ledger, clock, spec("fourth"), FIRST_DAY + timedelta(days=28))


def test_a_replay_is_of_this_run_alone(ledger: Ledger, clock: FixedClock) -> None:
    first = plan(ledger, clock, spec())
    ledger.run("UPDATE run SET state = 'cancelled'")
    plan(ledger, clock, spec("second", "two"))
    assert replayed(ledger, spec(), first).clusters == 30
