"""What contacts cost, and what each yen collected beyond the control cost, on a known world."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.evaluation.report import run_figures
from tests.conftest import NOW
from tests.evaluation.world import QUIET, RUN, World, build, by_arm, figures_of, told

Figures = dict[str, Any]


def test_cost(known: Figures, shared: Service) -> None:
    with shared.engine.connect() as connection:
        parts = connection.execute(
            text("""
            SELECT sum(a.parts) FROM attempt a JOIN target t ON t.id = a.target_id
            WHERE t.arm = 'sms' AND a.state IN ('finished', 'unknown')""")
        ).scalar_one()
    row = next(r for r in known["cost"]["steps"] if (r["arm"], r["step"]) == ("sms", "sms-1"))
    assert (row["amount"], row["yen"]) == (parts, parts * 12)
    arms = by_arm(known["cost"]["arms"])
    assert arms["holdout"]["contact_yen"] == 0
    with shared.engine.connect() as connection:
        talks = connection.execute(
            text("SELECT talk_seconds FROM call WHERE origin = 'auto_call'")
        ).scalars()
        minutes = sum(ceil(seconds / 60) for seconds in talks)
        inbound = connection.execute(
            text("""
            SELECT count(*) FROM call WHERE origin = 'resident' AND phone_id IN (
                SELECT phone_id FROM target WHERE arm = 'sms')
            AND started_at < '2026-10-05'""")
        ).scalar_one()
    calls = next(r for r in known["cost"]["steps"] if r["measure"] == "call_minutes")
    assert (calls["amount"], calls["yen"]) == (minutes, minutes * 18)
    assert arms["sms"]["inbound_calls"] == inbound > 0
    with shared.engine.connect() as connection:
        seconds = connection.execute(
            text("""
            SELECT sum(c.talk_seconds + c.wrap_seconds) FROM call c
            JOIN attempt a ON a.id = c.attempt_id JOIN target t ON t.id = a.target_id
            WHERE t.arm = 'sms' AND c.origin = 'operator'""")
        ).scalar_one()
    (hours,) = [
        r for r in known["cost"]["steps"] if (r["arm"], r["measure"]) == ("sms", "operator_hours")
    ]
    assert hours["amount"] == pytest.approx(seconds / 3600)
    extra = by_arm(known["cost"]["additional"])["sms"]
    control = arms["holdout"]["total_yen"] / 80 * 70
    assert extra["additional_cost_yen"] == round(arms["sms"]["total_yen"] - control)
    # 14,000 − 11,625 yen a cluster cannot be told from nothing: no ratio, and it is said
    assert extra["additional_collected_yen"]["estimate"] == 166250
    assert extra["additional_collected_yen"]["low"] < 0
    assert extra["cost_per_additional_yen"] is None
    money = next(c["money"] for c in known["analysis"]["comparisons"] if c["arm"] == "sms")
    assert money["cost_per_additional_yen"]["high"] is None  # Fieller: it has no end
    # the analysis of units and the sums of the arms cost the same
    assert extra["additional_cost_interval"]["estimate"] == pytest.approx(
        extra["additional_cost_yen"], abs=2
    )
    assert extra["additional_cost_interval"]["low"] < extra["additional_cost_yen"]
    assert any("no cost per additional yen" in line for line in known["summary"]["cost"])


def test_the_cost_of_a_yen_has_fiellers_interval_and_the_verdict_the_designs_alpha(
    blank: Engine,
) -> None:
    apart = World(arms={"holdout": (80, 20), "sms": (80, 60), "sms_call": (80, 30)},
                  calls_per_half_hour=-9)  # fmt: skip
    with blank.connect() as connection:
        build(connection, apart)
        facts, counted = run_figures(connection, RUN, NOW)
    figures = told(facts, counted)
    extra = by_arm(figures["cost"]["additional"])["sms"]
    ratio, net = extra["cost_per_additional_yen"], extra["net_benefit_yen"]
    assert ratio["method"] == "ratio of differences, Fieller"
    assert 0 < ratio["low"] < ratio["estimate"] < ratio["high"] < 1
    assert (
        net["low"]
        < net["estimate"]
        == pytest.approx(
            extra["additional_collected_yen"]["estimate"] - extra["additional_cost_yen"], abs=3
        )
    )
    assert any("additional ¥1,000 collected cost" in line for line in figures["summary"]["cost"])
    ends = [f"¥{net[end]:,}" for end in ("estimate", "low", "high")]
    assert any("Net of cost it brought {} (95% interval {} to {})".format(*ends) in line
               for line in figures["summary"]["cost"])  # fmt: skip
    assert "hardly explains" in figures["summary"]["sure"][0]
    trial = facts.definition.trial.model_copy(update={"alpha": 1e-12})
    strict = facts.definition.model_copy(update={"trial": trial})
    assert "not sure" in told(replace(facts, definition=strict), counted)["summary"]["sure"][0]


def test_calls_to_the_centre_cost_within_the_horizon(blank: Engine) -> None:
    """Two of four; and who calls about a contact is no call of ours, however it is recorded."""
    calls = """INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result,
            phone_id, attempt_id, deduplication_key)
        SELECT 'resident', 'inbound', CAST(v.at AS timestamptz), 100, 20, 'talked', t.phone_id,
            (SELECT min(id::text)::uuid FROM attempt WHERE target_id = t.id), v.at
        FROM (SELECT * FROM target WHERE arm = 'sms' ORDER BY cluster LIMIT 1) t,
            (VALUES ('2026-09-06 23:59+09'), ('2026-09-07 00:00+09'), ('2026-10-04 23:59+09'),
                    ('2026-10-05 00:00+09')) AS v(at)"""
    before, after = figures_of(blank, QUIET)["cost"], figures_of(blank, QUIET, calls)["cost"]
    arms = by_arm(after["arms"])
    assert arms["sms"]["inbound_calls"] == 2
    assert arms["holdout"]["inbound_calls"] == arms["sms_call"]["inbound_calls"] == 0
    assert after["steps"] == before["steps"]
    spent = arms["sms"]["total_yen"] - by_arm(before["arms"])["sms"]["total_yen"]
    assert spent == round(2 * 120 / 3600 * 2800)


def test_letters_cost_what_each_costs(blank: Engine) -> None:
    """Thirty letters to the first thirty people of an arm, of as many lines as they owe claims, in
    two batches that are numbered from one each."""
    written = (
        """INSERT INTO attempt (id, run_id, target_id, step, try_number, channel, state, due_at,
               expires_at, provider_ref, submitted_at, outcome)
           SELECT md5('L' || id)::uuid, run_id, id, 'letter-1', 1, 'letter', 'finished',
               '2026-09-08', '2026-09-09', 'l', '2026-09-08', 'handed_over'
           FROM target WHERE arm = 'sms' ORDER BY addressee_id LIMIT 30""",
        """INSERT INTO letter_batch (run_id, step, number, letters, handed_over_at, handed_over_by)
           SELECT id, 'letter-1', n, 15, '2026-09-08', 's' FROM run, generate_series(1, 2) AS n""",
        """INSERT INTO letter_line (batch_id, line, letter, attempt_id, claim_id, outstanding_yen)
           SELECT b.id, row_number() OVER (PARTITION BY b.id ORDER BY c.id),
               dense_rank() OVER (PARTITION BY b.id ORDER BY t.id), a.id, c.claim_id,
               c.outstanding_yen
           FROM attempt a JOIN target t ON t.id = a.target_id
           JOIN letter_batch b ON b.number = 1 + t.addressee_id % 2
           JOIN (SELECT row_number() OVER () AS id, * FROM target_claim) c ON c.target_id = t.id
           WHERE a.channel = 'letter'""",
    )
    before = figures_of(blank, QUIET)
    figures = figures_of(blank, QUIET, *written)
    (letters,) = [row for row in figures["cost"]["steps"] if row["measure"] == "letters"]
    assert (letters["arm"], letters["amount"], letters["yen"]) == ("sms", 30, 3300)

    def spent(of: Figures) -> tuple[int, float]:
        (money,) = [one["money"] for one in of["analysis"]["comparisons"]
                    if one["arm"] == "sms"]  # fmt: skip
        total: int = by_arm(of["cost"]["arms"])["sms"]["total_yen"]
        return total, money["additional_cost_yen"]["estimate"] * 70

    assert [late - early for early, late in zip(spent(before), spent(figures), strict=True)] == (
        pytest.approx([3300, 3300])
    )
