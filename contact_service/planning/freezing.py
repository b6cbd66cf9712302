"""Freezing a run: targets, arms and attempts are taken from the ledger as it is at that moment."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from contact_service.domain.life import CannotDo
from contact_service.domain.states import EXCLUSION_JA, ExclusionReason
from contact_service.planning import allocation, registration, targets
from contact_service.planning.clusters import find_clusters
from contact_service.planning.schedule import freeze_steps, plan_attempts
from contact_service.store.engine import LEDGER_LOCK


def lock_ledger(connection: Connection) -> None:
    """One planner at a time (two would both find nobody in another run), and no file that
    changes the ledger between two of the statements that read it."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})


def freeze(
    connection: Connection,
    definition: Definition,
    run_id: UUID,
    first_day: date,
    now: datetime,
    call_backs: float | None = None,
) -> None:
    """Write who is contacted in the run, in which arm, when; and who is not, and why.

    ``call_backs`` is how many expected call-backs per half-hour the office allows. The
    ledger is locked by the caller. Raises ``DoesNotFit`` (also for a
    trial that is too small and must not be), and :class:`CannotDo` when nobody would be
    contacted; the caller's transaction is then undone.
    """
    # sorts and joins of a whole ledger; only for this transaction
    connection.execute(text("SET LOCAL work_mem = '256MB'"))
    connection.execute(
        text("""
        UPDATE run SET frozen_at = :now, lifted = :lifted,
            quiet_conversation_days = :conversation, quiet_promise_days = :promise,
            quiet_payment_days = :payment, assessed_claims = a.claims, assessed_debtors = a.debtors,
            training = a.training
        FROM (
            SELECT count(*) AS claims, count(DISTINCT c.debtor_id) AS debtors,
                coalesce(bool_or(d.training), false) AS training
            FROM claim c JOIN debtor d ON d.id = c.debtor_id WHERE c.outstanding_yen > 0
        ) a
        WHERE run.id = :run_id
        """),
        {
            "run_id": run_id,
            "now": now,
            "lifted": targets.lifted(definition),
            "conversation": definition.quiet.after_conversation_days,
            "promise": definition.quiet.after_promise_days,
            "payment": definition.quiet.after_payment_days,
        },
    )
    find_clusters(connection)
    targets.select_claims(connection, definition, first_day)
    targets.choose_numbers(connection, definition, first_day)
    targets.group_by_number(connection, run_id)
    targets.exclude(connection, definition, run_id)
    _must_reach_somebody(connection, run_id)
    allocation.allocate(connection, definition, run_id)
    registration.register(connection, definition, run_id, now)
    freeze_steps(connection, definition, run_id, first_day)
    plan_attempts(connection, definition, run_id, first_day, call_backs)


def drop_working_tables(connection: Connection) -> None:
    """For a second run in the same transaction: what :func:`freeze` worked in."""
    for name in ("plan_cluster", "plan_claim", "plan_debtor", "plan_target", "plan_left_out"):
        connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))


def _must_reach_somebody(connection: Connection, run_id: UUID) -> None:
    if not connection.scalar(text("SELECT EXISTS (SELECT 1 FROM plan_target)")):
        reasons = connection.execute(
            text("""
            SELECT reason, count(*) AS n FROM exclusion WHERE run_id = :run_id
            GROUP BY 1 ORDER BY 2 DESC
            """),
            {"run_id": run_id},
        )
        said = "、".join(
            f"{EXCLUSION_JA[ExclusionReason(row.reason)]} {row.n} 人" for row in reasons
        )
        raise CannotDo(
            f"対象になる人がいません（{said or '滞納のある人がいません'}）。select の条件を見直して"
            "ください / nobody would be contacted: look at the definition's select"
        )
