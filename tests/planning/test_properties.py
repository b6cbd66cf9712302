"""Any valid definition on any ledger: whom a plan takes, and that it takes them again."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaigns.definition import Definition
from campaigns.parse import parse
from contact_service.domain.life import CannotDo
from contact_service.planning import runs
from contact_service.planning.schedule import DoesNotFit
from tests.campaigns.generated import Draft, drafts, written
from tests.dispatch.conftest import STAFF, Floor
from tests.planning.worlds import TODAY, World, draw_world

FEW = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a whole definition shrinks for minutes
    suppress_health_check=list(HealthCheck),
)


@st.composite
def taking_many(draw: st.DrawFn) -> Draft:
    """A definition, of which two in three ask for every overdue claim: most conditions fit
    nobody in a ledger of nine."""
    draft: Draft = draw(drafts())
    if draw(st.integers(0, 2)):
        draft["select"] = {"days_since_due": {"min": 1}}
    for step in draft["steps"]:
        step["per_half_hour"] = 2  # so that who comes first shows in the times
        step["expires_after_days"] = 14
    return draft


def planned(floor: Floor, draft: Draft) -> tuple[Definition, UUID | None]:
    """A definition, and its run; ``None`` when it is refused, because it reaches nobody or a
    step has no open hours."""
    spec = parse(written(draft), "generated.yaml")
    try:
        found = runs.plan(
            floor.service.engine, STAFF, spec, written(draft), TODAY, floor.clock.now()
        )
    except (DoesNotFit, CannotDo):
        return spec, None
    return spec, found.run_id


TAKEN = {
    "target": "SELECT t.id, t.cluster, t.stratum, t.arm, t.phone_id, t.addressee_id FROM target t",
    "claims": "SELECT target_id, claim_id, outstanding_yen, period FROM target_claim",
    "left out": "SELECT debtor_id, reason FROM exclusion",
    "attempt": "SELECT id, target_id, step, channel, phone_id, due_at, expires_at FROM attempt",
}


def taken(world: World) -> dict[str, set[Any]]:
    """All that planning has written."""
    return {name: set(world.book.rows(sql)) for name, sql in TAKEN.items()}


@pytest.fixture
def plans() -> list[int]:
    """How many targets each plan had: a property of nobody says nothing."""
    return []


def test_nobody_who_is_to_be_left_alone_is_taken(floor: Floor, plans: list[int]) -> None:
    kept_out = 0
    seeds = count(1)  # drawn integers depend on which modules are loaded

    @FEW
    @given(taking_many())
    def check(draft: Draft) -> None:
        nonlocal kept_out
        world = draw_world(floor.ledger, next(seeds))
        spec, run_id = planned(floor, draft)
        if run_id is None:
            return
        found = taken(world)
        claims, people, phones = world.untouchable({each.exclusion.value for each in spec.lift})
        whose = dict(world.book.rows("SELECT id, debtor_id FROM claim"))
        asked = {claim for _, claim, _, _ in found["claims"]}
        behind = {whose[claim] for claim in asked}
        assert not asked & claims
        assert not behind & people
        assert not {row[5] for row in found["target"]} & people
        assert not {row[4] for row in found["target"]} & phones
        left_out = {debtor for debtor, _ in found["left out"]}
        assert behind | left_out == set(whose.values()), "everybody is taken or told why not"
        assert not behind & left_out
        plans.append(len(found["target"]))
        kept_out += len(claims) + len(people) + len(phones)

    check()
    assert sum(plans) > 5
    assert kept_out > 5


def test_every_target_has_one_arm_and_a_home_or_number_never_two(
    floor: Floor, plans: list[int]
) -> None:
    seeds = count(1)  # drawn integers depend on which modules are loaded

    @FEW
    @given(taking_many())
    def check(draft: Draft) -> None:
        world = draw_world(floor.ledger, next(seeds), people=14)
        spec, run_id = planned(floor, draft)
        if run_id is None:
            return
        rows = world.book.rows(
            "SELECT t.id, t.arm, t.phone_id, d.household_id FROM target t "
            "JOIN target_claim tc ON tc.target_id = t.id JOIN claim c ON c.id = tc.claim_id "
            "JOIN debtor d ON d.id = c.debtor_id"
        )
        arms: dict[tuple[str, object], set[object]] = defaultdict(set)
        for target, arm, phone, home in rows:
            arms["target", target].add(arm)
            arms["home", home].add(arm)
            if phone is not None:  # a letter needs none
                arms["number", phone].add(arm)
        assert all(len(found) == 1 for found in arms.values())
        names = {arm.name for arm in spec.arms}
        assert {arm for found in arms.values() for arm in found} <= names
        assert not world.book.rows(
            "SELECT phone_id FROM target WHERE phone_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        )
        planned_for = set(
            world.book.rows("SELECT DISTINCT a.step, t.arm FROM attempt a "
                            "JOIN target t ON t.id = a.target_id")
        )  # fmt: skip
        assert planned_for <= {(s.name, arm) for s in spec.steps for arm in spec.arms_of(s)}
        assert not {arm.name for arm in spec.arms if arm.holdout} & {arm for _, arm in planned_for}
        plans.append(len({row[0] for row in rows}))

    check()
    assert sum(plans) > 5


def test_the_same_ledger_gives_the_same_plan(floor: Floor, plans: list[int]) -> None:
    seeds = count(1)  # drawn integers depend on which modules are loaded

    @FEW
    @given(taking_many())
    def check(draft: Draft) -> None:
        world = draw_world(floor.ledger, next(seeds))
        if planned(floor, draft)[1] is None:
            return
        first = taken(world)
        plans.append(len(first["target"]))
        world.book.run("TRUNCATE run, campaign_version, target, target_claim, attempt CASCADE")
        for table, column in (("claim", "kind"), ("debtor", "code"), ("debtor_phone", "rank")):
            # the rows lie in another order
            world.book.run(f"UPDATE {table} SET {column} = {column} WHERE random() < 0.5")
        assert planned(floor, draft)[1] is not None
        assert taken(world) == first

    check()
    assert sum(plans) > 5
