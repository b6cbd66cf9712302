"""Counts and estimates on a world whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from contact_service.bootstrap import Service
from contact_service.domain.states import ExclusionReason
from contact_service.evaluation.chapters.whole import run_document
from contact_service.evaluation.disclosure import HIDDEN
from contact_service.evaluation.document.model import Words
from contact_service.evaluation.facts import Completeness, RunFacts
from contact_service.evaluation.report import run_figures
from contact_service.planning.registration import register
from tests.conftest import NOW
from tests.evaluation.world import QUIET, RUN, World, build, by_arm, figures_of, told

Figures = dict[str, Any]


def test_the_flow_reconciles(known: Figures) -> None:
    flow = known["flow"]
    excluded = {row["reason"]: row["debtors"] for row in flow["excluded"]}
    assert excluded == {"restricted": 12, "no_number": 30, "amount": 7}
    assert list(excluded) == [reason for reason in ExclusionReason if reason in excluded]
    arms = by_arm(flow["arms"])
    assert list(arms) == ["holdout", "sms", "sms_call"]  # in the definition's order
    assert {arm: row["clusters"] for arm, row in arms.items()} == {
        "holdout": 80, "sms": 70, "sms_call": 75,
    }  # fmt: skip
    people = sum(row["debtors"] for row in arms.values())
    assert people == flow["randomised_debtors"] == 225 + 22  # every tenth cluster has two
    assert flow["assessed_debtors"] == people + 49
    assert flow["reconciles"]
    assert flow["unaccounted_debtors"] == 0


def test_what_departs_from_the_registration_is_said_first(blank: Engine) -> None:
    """A shorter horizon and a household moved to another arm, after all was registered."""
    shorter = """UPDATE campaign_version
                 SET definition = jsonb_set(definition, '{trial,horizon_days}', '21')"""
    moved = "UPDATE target SET arm = 'sms' WHERE cluster = 1"
    with blank.connect() as connection:
        build(connection, QUIET)
        facts, _ = _counted(connection)
        register(connection, facts.definition, RUN, NOW)
        kept = told(*_counted(connection))
        for change in (shorter, moved):
            connection.execute(text(change))
        facts, counted = _counted(connection)
    assert (kept["registration"]["intact"], kept["registration"]["departures"]) == (True, [])
    assert not any("departs" in note for note in kept["summary"]["notes"])
    departed = told(facts, counted)
    said = " ".join(_methods_of(facts, departed))
    assert "Caution: this departs from what was registered" in departed["summary"]["notes"][-1]
    assert [one["path"] for one in departed["registration"]["departures"]] == [
        "trial.horizon_days", "allocation",
    ]  # fmt: skip
    assert "trial.horizon_days: registered 28, found 21" in said
    assert "the arms' sizes differ from those registered" in said


def _counted(connection: Connection) -> tuple[RunFacts, Figures]:
    """As often as one likes: what counting leaves in the transaction is undone."""
    with connection.begin_nested() as counting:
        found = run_figures(connection, RUN, NOW)
        counting.rollback()
    return found


def _methods_of(facts: RunFacts, figures: Figures) -> Sequence[str]:
    (section,) = [one for one in run_document(facts, figures, "en").sections if one.id == "methods"]
    (words,) = [block for block in section.blocks if isinstance(block, Words)]
    return words.lines


def test_a_gap_is_said(blank: Engine) -> None:
    change = "UPDATE run SET assessed_debtors = assessed_debtors + 3"
    figures = figures_of(blank, QUIET, change)
    assert figures["flow"]["unaccounted_debtors"] == 3
    assert not figures["flow"]["reconciles"]
    assert any("differ by +3" in note for note in figures["summary"]["notes"])


def test_a_cluster_in_two_arms_is_said(blank: Engine) -> None:
    change = """UPDATE target SET arm = 'sms' WHERE id =
                (SELECT max(id::text)::uuid FROM target WHERE cluster = 10)"""
    figures = figures_of(blank, QUIET, change)
    assert figures["flow"]["clusters_in_two_arms"] == 1
    assert not figures["flow"]["reconciles"]


def test_the_known_difference(known: Figures) -> None:
    payment = known["payment"]
    found = by_arm(payment["comparisons"])["sms"]
    assert found["control"] == "holdout"
    assert found["risk_difference"]["estimate"] == pytest.approx(0.2)
    assert round(found["risk_difference"]["low"], 4) == 0.0524
    assert round(found["risk_difference"]["high"], 4) == 0.3339
    assert found["risk_ratio"]["estimate"] == pytest.approx(4 / 3)
    assert found["number_needed_to_contact"]["estimate"] == pytest.approx(5)
    larger = max(row["p_value"] for row in payment["comparisons"])
    smaller = min(row["p_value"] for row in payment["comparisons"])
    assert [row["p_adjusted"] for row in payment["comparisons"]] == pytest.approx(
        [min(1, max(2 * smaller, larger))] * 2  # both: 2·p(1) exceeds p(2) here
    )


def test_only_payments_within_the_horizon_count(known: Figures) -> None:
    """The world's non-payers paid a day too early and a day too late."""
    assert by_arm(known["flow"]["arms"])["holdout"]["paid_something"] == 48
    last = [row for row in known["payment"]["curves"] if row["day"] == 27]
    assert by_arm(last)["holdout"]["paid_something"]["clusters"] == 48
    assert {row["date"] for row in last} == {"2026-10-04"}


def test_the_curve_ends_at_the_totals(known: Figures) -> None:
    ends = by_arm([row for row in known["payment"]["curves"] if row["day"] == 27])
    for arm, row in by_arm(known["flow"]["arms"]).items():
        assert ends[arm]["paid_something"]["clusters"] == row["paid_something"]
        assert ends[arm]["paid_in_full"]["clusters"] == row["paid_in_full"]
        assert ends[arm]["paid_yen"] == row["paid_yen"]
    periods = known["payment"]["by_period"]
    assert {(row["arm"], row["period"]) for row in periods} == {
        (arm, period) for arm in ends for period in ("current", "carried_over")
    }
    paid = sum(row["paid_yen"] for row in known["flow"]["arms"])
    assert sum(row["paid_yen"] for row in periods) == paid


def test_money_above_the_frozen_sum_and_money_taken_back(blank: Engine) -> None:
    """A claim paid twice counts once, and one paid and taken back was not paid at the end."""
    twice = """INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment, paid_on,
                   amount_yen, method, source_file_id, source_line)
               SELECT claim_id, debtor_code, kind, notice_number, instalment, paid_on,
                   amount_yen, 'again', source_file_id, 2
               FROM payment WHERE method = 'convenience'"""
    figures = figures_of(blank, QUIET, twice)
    for row in figures["flow"]["arms"]:
        assert row["paid_yen"] <= row["outstanding_yen"]
    once = {"holdout": (48, 45, 930000), "sms": (56, 51, 980000), "sms_call": (60, 51, 1190000)}
    assert {
        row["arm"]: (row["paid_something"], row["paid_in_full"], row["paid_yen"])
        for row in figures["flow"]["arms"]
    } == once


def test_money_that_comes_in_parts(blank: Engine) -> None:
    """Half at once and half a day later: the same sums, each yen on its day."""
    halve = "UPDATE payment SET amount_yen = amount_yen / 2 WHERE method = 'convenience'"
    second = """INSERT INTO payment (claim_id, debtor_code, kind, notice_number, instalment,
                    paid_on, amount_yen, method, source_file_id, source_line)
                SELECT claim_id, debtor_code, kind, notice_number, instalment,
                    least(paid_on + 1, DATE '2026-10-04'), amount_yen, 'second', source_file_id, 2
                FROM payment WHERE method = 'convenience'"""
    figures = figures_of(blank, QUIET, halve, second)
    at_once = figures_of(blank, QUIET)["payment"]["curves"]
    curve = {(row["arm"], row["day"]): row for row in figures["payment"]["curves"]}
    for row in at_once:
        if row["day"] < 26:  # nothing comes later than the last day
            later = curve[row["arm"], row["day"] + 1]
            assert later["paid_in_full"]["clusters"] == row["paid_in_full"]["clusters"]
            same = curve[row["arm"], row["day"]]
            assert same["paid_something"]["clusters"] == row["paid_something"]["clusters"]
    ends = by_arm([row for row in figures["payment"]["curves"] if row["day"] == 27])
    assert {
        arm: (row["paid_something"]["clusters"], row["paid_in_full"]["clusters"], row["paid_yen"])
        for arm, row in ends.items()
    } == {"holdout": (48, 45, 930000), "sms": (56, 51, 980000), "sms_call": (60, 51, 1190000)}


def test_attempts_add_up(known: Figures, shared: Service) -> None:
    contacts = known["contacts"]
    with shared.engine.connect() as connection:
        stored = dict(
            connection.execute(text("SELECT step, count(*) FROM attempt GROUP BY 1")).all()
        )
        made = dict(
            connection.execute(
                text("SELECT step, count(*) FROM attempt WHERE state <> 'skipped' GROUP BY 1")
            ).all()
        )
    counted: dict[str, int] = {}
    for row in contacts["by_arm_and_step"]:
        counted[row["step"]] = counted.get(row["step"], 0) + sum(row["attempts"].values())
        assert row["attempts"]["skipped"] == sum(row["skipped"].values())
        assert row["planned"] >= row["contacted"] >= row["reached"] >= row["confirmed"]
    assert counted == stored
    contacted = dict.fromkeys(made, 0)  # one try each
    for row in contacts["by_arm_and_step"]:
        contacted[row["step"]] += row["contacted"]
    assert contacted == made
    for step in contacts["outcomes"]:
        assert sum(step["outcomes"].values()) == step["made"]
    # operators hand nothing to a carrier, so no carrier can refuse it
    assert {row["attempts"]["refused"] for row in contacts["by_arm_and_step"]} == {0}
    assert [step["step"] for step in contacts["outcomes"]] == ["sms-1", "call-1", "operators"]


def test_a_refusal_is_no_contact(blank: Engine) -> None:
    refuse = """UPDATE attempt SET provider_ref = NULL, outcome = 'delivered'
                WHERE step = 'sms-1' AND state = 'finished'"""
    contacts = figures_of(blank, QUIET, refuse)["contacts"]
    sms = [row for row in contacts["by_arm_and_step"] if row["step"] == "sms-1"]
    assert all(row["attempts"]["refused"] > 0 and row["reached"] == 0 for row in sms)


def test_at_a_planned_look_the_bound_decides(blank: Engine) -> None:
    """Day 14 of 28 has come, the payments until then have: the design may stop, and says with
    which interval. Before that day it may not, whatever the difference."""
    apart = World(arms={"holdout": (80, 20), "sms": (80, 76), "sms_call": (80, 30)},
                  calls_per_half_hour=-9, known_until=date(2026, 10, 4))  # fmt: skip
    early = """UPDATE payment SET paid_on = '2026-09-08'
               WHERE paid_on BETWEEN '2026-09-08' AND '2026-10-04'"""
    looks = """UPDATE campaign_version SET definition =
               jsonb_set(jsonb_set(definition, '{{trial,looks}}', '[14]'),
                         '{{trial,payment_lag_days}}', '{}')"""
    come = "UPDATE source_file SET imported_at = '2026-10-01' WHERE kind = 'payments'"
    figures = figures_of(blank, apart, early, come, looks.format(3))
    (stopped,) = [one for one in figures["analysis"]["interim"]["monitored"] if one["arm"] == "sms"]
    assert (figures["run"]["completeness"], stopped["crossed"]) == ("interim", True)
    assert stopped["interval"]["method"] == "repeated confidence interval"
    assert "allows stopping here" in figures["summary"]["sure"][0]
    assert "allows stopping" not in figures["summary"]["sure"][1]
    found = {row["arm"]: row["p_adjusted"] for row in figures["analysis"]["comparisons"]}
    assert {row["arm"]: row["p_adjusted"] for row in figures["payment"]["comparisons"]} == found
    too_soon = figures_of(blank, apart, early, come, looks.format(14))
    assert "allows stopping" not in " ".join(too_soon["summary"]["sure"])


@pytest.mark.parametrize(
    ("known_until", "expected", "days"),
    [
        (date(2026, 10, 26), Completeness.FINAL, 28),
        (date(2026, 10, 18), Completeness.FINAL, 28),
        (date(2026, 10, 17), Completeness.PROVISIONAL, 28),
        (date(2026, 10, 4), Completeness.PROVISIONAL, 28),
        (date(2026, 10, 3), Completeness.INTERIM, 27),
        (date(2026, 9, 7), Completeness.INTERIM, 1),
        (date(2026, 9, 6), Completeness.UNKNOWN, 0),
    ],
)
def test_how_much_can_be_known(
    blank: Engine, known_until: date, expected: Completeness, days: int
) -> None:
    later = "UPDATE source_file SET imported_at = '2026-11-30' WHERE kind = 'claims'"
    figures = figures_of(blank, World(known_until=known_until, calls_per_half_hour=-9), later)
    run = figures["run"]
    assert (run["completeness"], run["days_observed"]) == (expected.value, days)
    assert len(figures["payment"]["curves"]) == days * 3
    incomplete = {row["date"] for row in figures["payment"]["curves"] if not row["complete"]}
    assert all(date.fromisoformat(day) > known_until - timedelta(days=14) for day in incomplete)
    said = " ".join(figures["summary"]["sure"])
    assert ("No conclusion before" in said) == (expected is Completeness.INTERIM)
    assert ("hardly explains" in said) == (
        expected in (Completeness.FINAL, Completeness.PROVISIONAL)
    )
    if expected is Completeness.UNKNOWN:
        assert figures["payment"]["comparisons"] == []
        assert {row["paid_something"] for row in figures["flow"]["arms"]} == {None}


def test_ages_are_a_subgroup(known: Figures) -> None:
    analysis = known["analysis"]
    ages = [one for one in analysis["subgroups"] if one["factor"] == "age_band"]
    assert [one["arm"] for one in ages] == ["sms", "sms_call"]
    for one in ages:
        groups = {group["group"]: group for group in one["groups"]}
        assert list(groups) == ["30-44", "45-59", "60-74"]  # of a quarter nothing is known
        assert sum(group["control_n"] for group in groups.values()) == 60
        assert one["p_value"] <= one["p_adjusted"] <= 1
        assert groups["45-59"]["effect"]["low"] < groups["45-59"]["effect"]["high"]


def test_an_interval_over_zero_is_called_chance(blank: Engine) -> None:
    world = World(arms={"holdout": (80, 40), "sms": (80, 44), "sms_call": (80, 39)},
                  calls_per_half_hour=-9)  # fmt: skip
    figures = figures_of(blank, world)
    assert all("cannot be told from chance" in line for line in figures["summary"]["sure"])
    assert all(row["number_needed_to_contact"] is None for row in figures["payment"]["comparisons"])


def test_arms_of_the_wrong_size_raise_the_alarm(blank: Engine) -> None:
    world = World(arms={"holdout": (40, 20), "sms": (90, 45), "sms_call": (80, 39)})
    figures = figures_of(blank, world)
    assert figures["payment"]["sample_ratio"]["p_value"] < 0.001
    assert any("planned ratio" in note for note in figures["summary"]["notes"])


def test_small_breakdowns_are_hidden_in_the_figures(blank: Engine) -> None:
    few = """UPDATE claim SET kind = 'student_loan' WHERE debtor_id IN (
                 SELECT addressee_id FROM target WHERE arm = 'sms' AND cluster % 10 <> 0
                 ORDER BY cluster LIMIT 2)"""
    analysis = figures_of(blank, QUIET, few, threshold=5)["analysis"]
    hidden: dict[str, set[str]] = {}
    for line in analysis["balance"]:
        if line["name"] == "kind":
            for arm, n in line["counts"].items():
                assert n == HIDDEN or n == 0 or n >= 5
                if n == HIDDEN:
                    assert line["values"][arm] is None
                    hidden.setdefault(arm, set()).add(line["group"])
    assert "student_loan" in hidden["sms"]
    assert len(hidden["sms"]) >= 2  # with one alone, the arm's total would tell it
    for one in analysis["subgroups"]:
        if one["factor"] != "kind":
            continue
        for group in one["groups"]:  # what one table hides, the other does not tell
            assert (group["n"] == HIDDEN) == (group["group"] in hidden.get(one["arm"], set()))
            if group["n"] == HIDDEN:
                assert group["effect"] is None


def test_nothing_that_is_written_holds_a_small_count(blank: Engine) -> None:
    """Whatever the world, no count of people from 1 to 4 is anywhere in the figures."""
    world = World(arms={"holdout": (40, 3), "sms": (41, 38), "sms_call": (4, 2)},
                  excluded={"restricted": 2, "no_number": 30})  # fmt: skip
    figures = figures_of(blank, world, threshold=5)
    counted = {"clusters", "debtors", "targets", "planned", "contacted", "reached", "confirmed",
               "paid_something", "paid_in_full", "made", "skipped", "refused", "waiting",
               "inbound_calls", "needs_person", "control_clusters", "events", "control_n",
               "control_total", "total"}  # fmt: skip

    def look(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                look(part, (*path, str(key)))
        elif isinstance(value, list):
            for part in value:
                look(part, path)
        elif path[-1] in counted or path[-2:-1] in (("outcomes",), ("skipped",)):
            assert not (isinstance(value, int) and 0 < value < 5), path

    for part in ("flow", "contacts", "payment", "cost", "analysis"):
        look(figures[part], (part,))
    sure = " ".join(figures["summary"]["sure"])
    assert "too few households paid, or did not" in sure


def test_a_run_that_has_not_started_is_not_told_as_done(blank: Engine) -> None:
    said = figures_of(blank, QUIET, "UPDATE run SET state = 'scheduled'")["summary"]
    assert "will be compared" in said["tried"][0]
    assert "nobody has been contacted" in said["notes"][0]
    for question in ("happened", "sure", "cost", "centre"):
        assert said[question] == ["Nothing to show: the run has not started."]


def test_a_run_of_nobody(blank: Engine) -> None:
    figures = figures_of(blank, World(arms={}))
    assert figures["flow"]["randomised_debtors"] == 0
    assert figures["payment"]["comparisons"] == []
    assert figures["flow"]["reconciles"]


def test_every_figure_can_be_traced(known: Figures) -> None:
    groups = [known[key] for key in ("flow", "contacts", "payment", "analysis", "cost", "load")]
    for group in groups:
        assert group["counted_by"]
        assert set(group["counted_by"]) <= set(known["sources"])
    source = known["sources"]["exclusions"]
    assert "FROM exclusion" in source["sql"]
    assert source["parameters"] == {"run_id": str(RUN)}
    assert source["rows"] == 3
    run = known["run"]
    assert run["definition_sha256"]
    assert (run["seed"], run["as_of"]) == ("world", "2026-08-31")
    json.dumps({key: value for key, value in known.items() if key != "facts"}, default=str)
