"""Payment by arm, by any field of the selections: against the world's known answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from campaigns.conditions import FIELDS
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation.by_field import NoSuchField, by_field, lines
from tests.evaluation.world import QUIET, RUN, World, build


def told(service: Service, actor: Actor, field: str, threshold: int = 0) -> list[dict[str, Any]]:
    """The rows of a break-down."""
    shown = service.settings.model_copy(update={"disclosure_threshold": threshold})
    rows: list[dict[str, Any]] = by_field(replace(service, settings=shown), actor, RUN, field)[
        "rows"
    ]
    return rows


def test_every_field_breaks_the_same_people_down(shared: Service, evaluator: Actor) -> None:
    whole: dict[str, list[object]] = {}
    for field in FIELDS:
        sums: dict[tuple[str, str], list[int]] = {}
        for row in told(shared, evaluator, field):
            found = sums.setdefault((row["arm"], row["period"]), [0, 0, 0, 0])
            for place, key in enumerate(
                ("clusters", "paid_something", "outstanding_yen", "paid_yen")
            ):
                found[place] += row[key]
        whole[field] = sorted(sums.items())
    assert all(each == whole["period"] for each in whole.values())
    current = {arm: sums[:2] for (arm, period), sums in whole["period"] if period == "current"}
    assert {arm: n for arm, (n, _) in current.items()} == {
        a: n for a, (n, _) in World().arms.items()
    }


def test_periods_are_never_pooled_and_bands_are_those_of_the_field(
    shared: Service, evaluator: Actor
) -> None:
    rows = told(shared, evaluator, "claim_outstanding_yen")
    assert {(row["period"], row["value"]) for row in rows} == {
        ("current", 1), ("carried_over", 20_000)
    }  # fmt: skip
    assert all(row["period"] == row["value"] for row in told(shared, evaluator, "period"))


def test_what_a_whole_number_owes_is_the_sum_that_was_frozen(
    service: Service, evaluator: Actor
) -> None:
    with service.engine.begin() as connection:
        build(connection, QUIET)
        connection.execute(text("UPDATE target_claim SET outstanding_yen = 80000"))
        claims = set(
            connection.scalars(text("SELECT count(*) FROM target_claim GROUP BY target_id"))
        )
    assert claims == {1, 2}
    rows = told(service, evaluator, "debtor_outstanding_yen")
    assert {row["value"] for row in rows} == {50_000, 150_000}


def test_what_was_frozen_does_not_follow_the_ledger(service: Service, evaluator: Actor) -> None:
    with service.engine.begin() as connection:
        build(connection, QUIET)
    frozen = ("legal_classes", "claim_outstanding_yen", "period")
    before = {field: told(service, evaluator, field) for field in frozen}
    with service.engine.begin() as connection:  # a later claims file says otherwise
        connection.execute(text(
            "UPDATE claim SET legal_class = 'private', outstanding_yen = 0, assessed_year = 2020"
        ))  # fmt: skip
    assert {field: told(service, evaluator, field) for field in frozen} == before
    said = {field: by_field(service, evaluator, RUN, field)["read"]
            for field in ("legal_classes", "kinds", "languages")}  # fmt: skip
    assert said == {"legal_classes": "frozen", "kinds": "as_of", "languages": "now"}


def test_small_numbers_are_withheld_and_never_one_alone(shared: Service, evaluator: Actor) -> None:
    full = told(shared, evaluator, "kinds")
    rows = told(shared, evaluator, "kinds", threshold=10)
    assert min(row["clusters"] for row in full) < 10, "the world has a rare kind"
    assert {"x"} < {row["clusters"] for row in rows}
    for row in rows:
        if row["clusters"] == "x":
            assert not any(row[key] for key in ("paid_something", "share", "interval", "paid_yen"))
        elif row["paid_something"] != "x":
            assert row["paid_something"] == 0 or row["paid_something"] >= 10
    for group in {(row["arm"], row["period"]) for row in rows}:
        own = [row for row in rows if (row["arm"], row["period"]) == group]
        for key in ("clusters", "paid_something"):
            assert sum(row[key] in ("x", None) for row in own) != 1 or len(own) == 1


def test_no_small_group_is_the_difference_of_two_tables(service: Service, evaluator: Actor) -> None:
    """Three who owe a rare private kind are not the private claims without school lunches."""
    with service.engine.begin() as connection:
        build(connection, replace(QUIET, arms={"holdout": (80, 48), "sms": (70, 50)}))
        connection.execute(
            text("""
            CREATE TEMP TABLE k ON COMMIT DROP AS
            SELECT arm, cluster, row_number() OVER (PARTITION BY arm ORDER BY cluster) AS n
            FROM (SELECT DISTINCT arm, cluster FROM target) x""")
        )
        connection.execute(
            text("""
            UPDATE claim c SET kind = CASE WHEN k.n <= 40 THEN 'school_lunch'
                    WHEN k.n <= 43 THEN 'student_loan' WHEN k.n <= 46 THEN 'nursery_fee'
                    WHEN k.n <= 49 THEN 'care_insurance'
                    WHEN k.n <= 59 THEN 'health_insurance' ELSE 'resident_tax' END,
                legal_class = CASE WHEN k.n <= 43 THEN 'private' ELSE 'compulsory_public' END
            FROM target_claim tc JOIN target t ON t.id = tc.target_id
            JOIN k ON k.cluster = t.cluster AND k.arm = t.arm WHERE tc.claim_id = c.id""")
        )
        connection.execute(text(
            "UPDATE target_claim tc SET legal_class = c.legal_class FROM claim c "
            "WHERE c.id = tc.claim_id"))  # fmt: skip
    private = {"school_lunch", "student_loan"}
    for key in ("clusters", "paid_something"):
        kinds, classes = (
            {(row["arm"], row["period"], row["value"]): row
             for row in told(service, evaluator, field, threshold=5)}
            for field in ("kinds", "legal_classes")
        )  # fmt: skip
        for (arm, period, legal_class), whole in classes.items():
            if whole[key] in ("x", None):
                continue
            inside = [row for (a, p, kind), row in kinds.items()
                      if (a, p) == (arm, period) and (kind in private) == (legal_class == "private")]  # fmt: skip
            hidden = [row for row in inside if row[key] in ("x", None)]
            rest = whole[key] - sum(row[key] for row in inside if row not in hidden)
            if hidden == inside:
                continue  # their sum is what the class tells by itself
            assert not hidden or len(hidden) > 1, (arm, period, legal_class, key)
            assert rest == 0 or rest >= 10, (arm, period, legal_class, key)
    assert any(row["clusters"] == "x" for row in kinds.values()), "there is something to hide"


def test_what_it_says(shared: Service, evaluator: Actor) -> None:
    figures = by_field(shared, evaluator, RUN, "days_since_due")
    ja, en = list(lines(figures, "ja")), list(lines(figures, "en"))
    assert ja[0].startswith("区分\t納期限からの日数\t群")
    assert any(line.startswith("現年分\t21–60日\tholdout") for line in ja)
    assert any(f"\t21–60 {figures['field']['unit']['en']}\t" in line for line in en)
    words = list(lines(by_field(shared, evaluator, RUN, "kinds"), "ja"))
    assert any("国民健康保険料" in line for line in words)
    assert "種類は変わらない" in words[-1]


def test_a_field_that_is_none_and_a_reader_who_may_not(shared: Service, evaluator: Actor) -> None:
    with pytest.raises(NoSuchField, match="`days_since_due` ですか"):
        by_field(shared, evaluator, RUN, "due_dat")
    with pytest.raises(NotAllowed):
        by_field(shared, Actor("o", Role.OPERATOR), RUN, "kinds")


def test_without_payments_there_is_nothing_to_break_down(
    service: Service, evaluator: Actor
) -> None:
    with service.engine.begin() as connection:
        build(connection, replace(QUIET, known_until=None))
    figures = by_field(service, evaluator, RUN, "kinds")
    assert figures["rows"] == []
    assert "no payments file" in list(lines(figures, "en"))[-1]
