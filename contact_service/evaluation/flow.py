"""From assessed to paid: the flow of a run (CONSORT 2010 with its extension to clusters)."""

from __future__ import annotations

from typing import Any

from campaigns.vocabulary import Outcome
from contact_service.domain.states import ExclusionReason
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.facts import Completeness, RunFacts

#: Somebody was reached: a handset took the message, or a person answered. A machine, or a
#: stranger, is not the person.
REACHED = (
    Outcome.DELIVERED,
    Outcome.ANSWERED,
    Outcome.CONFIRMED,
    Outcome.TRANSFERRED,
    Outcome.OPTED_OUT,
)
#: The person said who they are.
CONFIRMED = (Outcome.CONFIRMED, Outcome.TRANSFERRED)


def prepare(counts: Counts, facts: RunFacts) -> None:
    """Make the tables that flow, payment and cost count from."""
    counts.prepare("prepare_claims", run_id=facts.id)
    counts.prepare("prepare_payments", start_day=facts.start_day, horizon_end=facts.horizon_end)
    counts.prepare("prepare_clusters", run_id=facts.id)


def flow(counts: Counts, facts: RunFacts, arms: list[Row]) -> dict[str, Any]:
    """Assessed, excluded by reason, randomised and what each arm went through.

    ``arms`` is the answer to ``arms.sql``. ``reconciles`` says whether everybody assessed is
    either excluded or in a target, and nobody is in two arms. Payments are ``None`` while no
    payments file can tell of them.
    """
    excluded = {row["reason"]: row["debtors"] for row in counts.rows("exclusions", run_id=facts.id)}
    debtors = {row["arm"]: row["debtors"] for row in counts.rows("debtors")}
    order = [reason.value for reason in ExclusionReason]
    reasons = [
        {"reason": reason, "debtors": excluded[reason]}
        for reason in [*order, *sorted(excluded.keys() - set(order))]
        if reason in excluded
    ]
    randomised = debtors.get(None, 0)
    gap = facts.assessed_debtors - sum(excluded.values()) - randomised
    known = facts.completeness is not Completeness.UNKNOWN
    in_two = sum(row["clusters_in_two_arms"] for row in arms)
    return {
        "assessed_debtors": facts.assessed_debtors,
        "assessed_claims": facts.assessed_claims,
        "excluded": reasons,
        "excluded_debtors": sum(excluded.values()),
        "randomised_debtors": randomised,
        "randomised_clusters": sum(row["clusters"] for row in arms),
        "unaccounted_debtors": gap,
        "clusters_in_two_arms": in_two,
        "reconciles": gap == 0 and in_two == 0,
        "arms": [
            {
                "arm": row["arm"],
                "clusters": row["clusters"],
                "targets": row["targets"],
                "debtors": debtors.get(row["arm"], 0),
                "claims": row["claims"],
                "outstanding_yen": row["outstanding_yen"],
                "paid_something": row["paid_something"] if known else None,
                "paid_in_full": row["paid_in_full"] if known else None,
                "paid_yen": row["paid_yen"] if known else None,
            }
            for row in arms
        ],
        "counted_by": ["run", "exclusions", "debtors", "arms", "prepare_claims",
                       "prepare_payments", "prepare_clusters"],
    }  # fmt: skip


def contacts(counts: Counts, facts: RunFacts) -> dict[str, Any]:
    """Contacts by arm and step: how many targets got how far, and what became of each attempt."""
    counts.prepare("prepare_attempts", run_id=facts.id)
    counts.prepare("prepare_talks")
    rows = counts.rows("attempts")
    reached = counts.rows(
        "reached",
        reached=[outcome.value for outcome in REACHED],
        confirmed=[outcome.value for outcome in CONFIRMED],
    )
    steps = {step.name: n for n, step in enumerate(facts.definition.steps)}

    def place(row: Row) -> tuple[int, str, int, str]:
        arms = facts.in_order({row["arm"]})
        defined = [arm.name for arm in facts.definition.arms]
        at = defined.index(arms[0]) if arms[0] in defined else len(defined)
        return steps.get(row["step"], len(steps)), row["step"], at, row["arm"]

    def attempts(of: Row, **wanted: str) -> int:
        return sum(
            r["attempts"]
            for r in rows
            if (r["arm"], r["step"]) == (of["arm"], of["step"])
            and all(r[key] == value for key, value in wanted.items())
        )

    return {
        "by_arm_and_step": [
            {
                **row,
                "attempts": {
                    stage: attempts(row, stage=stage)
                    for stage in ("made", "refused", "skipped", "waiting")
                },
                "skipped": {
                    r["skip_reason"]: attempts(row, stage="skipped", skip_reason=r["skip_reason"])
                    for r in rows
                    if (r["arm"], r["step"], r["stage"]) == (row["arm"], row["step"], "skipped")
                },
            }
            for row in sorted(reached, key=place)
        ],
        "outcomes": _outcomes(rows, steps),
        "parts": _parts(rows),
        "counted_by": ["attempts", "reached", "prepare_attempts"],
    }


def _outcomes(rows: list[Row], steps: dict[str, int]) -> list[Row]:
    """Per step and channel, arms together: attempts by outcome. ``pending``: nothing final
    was reported yet."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        step = found.setdefault(
            (row["step"], row["channel"]),
            {"step": row["step"], "channel": row["channel"], "made": 0, "unknown": 0,
             "needs_person": 0, "outcomes": {}},
        )  # fmt: skip
        step["needs_person"] += row["needs_person"]
        if row["stage"] not in ("made", "refused"):
            continue
        outcome = row["outcome"] or "pending"
        step["made"] += row["attempts"]
        step["unknown"] += row["attempts"] if outcome == Outcome.UNKNOWN.value else 0
        step["outcomes"][outcome] = step["outcomes"].get(outcome, 0) + row["attempts"]
    order = [*(outcome.value for outcome in Outcome), "pending"]
    for step in found.values():
        step["outcomes"] = {
            name: step["outcomes"][name] for name in order if name in step["outcomes"]
        }
    return sorted(found.values(), key=lambda s: (steps.get(s["step"], len(steps)), s["step"]))


def _parts(rows: list[Row]) -> list[Row]:
    """Billed SMS parts by arm and step."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["channel"] == "sms" and row["stage"] == "made":
            key = (row["arm"], row["step"])
            found[key] = found.get(key, 0) + row["parts"]
    return [{"arm": arm, "step": step, "parts": parts} for (arm, step), parts in found.items()]
