"""Freezing targets: who is contacted at which number, who is left out and why.

Everything happens in temporary tables of one transaction; the database does the counting.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.vocabulary import Channel, NumberKind
from contact_service.domain.states import ExclusionReason, RunState
from contact_service.planning import allocation
from contact_service.planning.selection import PERIOD, compile_selection, within
from contact_service.store import left_alone

#: Which numbers a channel can use.
USABLE: dict[Channel, tuple[NumberKind, ...]] = {
    Channel.SMS: (NumberKind.MOBILE,),
    Channel.AUTO_CALL: (NumberKind.MOBILE, NumberKind.FIXED, NumberKind.IP),
    Channel.OPERATOR: (NumberKind.MOBILE, NumberKind.FIXED, NumberKind.IP),
    Channel.LETTER: (),  # needs none: the core system knows the address
}


def by_letter(definition: Definition) -> bool:
    """Whether people without a usable number are reached: a step of its own writes to them."""
    return any(step.channel is Channel.LETTER for step in definition.steps)


def lifted(definition: Definition) -> list[str]:
    """The kinds of restriction that the campaign lifts by name."""
    return [each.exclusion.value for each in definition.lift]


def select_claims(connection: Connection, definition: Definition, as_of: date) -> None:
    """Fill ``plan_claim``: selected claims of people, each marked when it is restricted."""
    condition, values = compile_selection(definition.select, as_of, definition.default_language)
    connection.execute(
        text(f"""
        CREATE TEMP TABLE plan_claim ON COMMIT DROP AS
        WITH restricted_claim AS ({left_alone.RESTRICTED_CLAIMS}),
        restricted_debtor AS ({left_alone.RESTRICTED_DEBTORS}),
        protected_cluster AS (
            SELECT DISTINCT pc.cluster FROM plan_cluster pc
            WHERE pc.debtor_id IN ({left_alone.PROTECTED_DEBTORS})
        )
        SELECT c.id AS claim_id, c.debtor_id, pc.cluster, c.kind, {PERIOD} AS period,
            c.legal_class,
            c.outstanding_yen AS yen,
            c.id IN (SELECT claim_id FROM restricted_claim)
            OR c.debtor_id IN (SELECT debtor_id FROM restricted_debtor)
            OR pc.cluster IN (SELECT cluster FROM protected_cluster) AS restricted
        FROM claim c JOIN plan_cluster pc USING (debtor_id)
        WHERE {condition}
        """),
        values | left_alone.parameters(as_of, lifted(definition)),
    )
    connection.execute(text("CREATE INDEX ON plan_claim (debtor_id)"))
    connection.execute(text("ANALYZE plan_claim"))


def choose_numbers(connection: Connection, definition: Definition, as_of: date) -> None:
    """Fill ``plan_debtor``: each selected person's number: a mobile first, then file order.

    ``place`` is where the person is reached: the number's id or, without one and where letters
    are written, the person's own below zero; NULL: nowhere."""
    kinds = {kind for step in definition.steps for kind in USABLE[step.channel]}
    connection.execute(
        text(f"""
        CREATE TEMP TABLE plan_debtor ON COMMIT DROP AS
        WITH owing AS (
            SELECT debtor_id, cluster, bool_and(restricted) AS restricted
            FROM plan_claim GROUP BY debtor_id, cluster
        ), usable AS (
            SELECT dp.debtor_id, dp.phone_id, p.kind, dp.rank,
                dp.phone_id IN ({left_alone.RESTRICTED_PHONES}) AS restricted
            FROM debtor_phone dp JOIN phone p ON p.id = dp.phone_id
            WHERE p.kind = ANY(:usable_kinds)
        ), best AS (
            SELECT DISTINCT ON (debtor_id) debtor_id, phone_id, kind FROM usable
            WHERE NOT restricted
            ORDER BY debtor_id, kind <> :mobile, rank
        )
        SELECT o.debtor_id, o.cluster, b.phone_id, b.kind AS phone_kind,
            coalesce(b.phone_id, CASE WHEN :letters THEN -o.debtor_id END) AS place,
            o.restricted OR (b.phone_id IS NULL AND NOT :letters AND EXISTS (
                SELECT 1 FROM usable u WHERE u.debtor_id = o.debtor_id)) AS restricted
        FROM owing o LEFT JOIN best b USING (debtor_id)
        """),
        {
            "usable_kinds": sorted(kind.value for kind in kinds),
            "mobile": NumberKind.MOBILE.value,
            "letters": by_letter(definition),
        }
        | left_alone.parameters(as_of, lifted(definition)),
    )
    connection.execute(text("CREATE UNIQUE INDEX ON plan_debtor (debtor_id)"))
    connection.execute(text("ANALYZE plan_debtor"))


def group_by_number(connection: Connection, run_id: UUID) -> None:
    """Fill ``plan_target``: one row a number, with everybody who is reached there, and one a
    person whom only letters reach."""
    connection.execute(
        text("""
        CREATE TEMP TABLE plan_target ON COMMIT DROP AS
        SELECT derived_id(:run_id || ':' || pd.place) AS id, pd.place, pd.phone_id, pd.phone_kind,
            min(pd.cluster) AS cluster, count(*) AS claims, sum(c.yen) AS yen,
            (array_agg(pd.debtor_id ORDER BY c.yen DESC, pd.debtor_id))[1] AS addressee_id
        FROM plan_debtor pd
        JOIN plan_claim c ON c.debtor_id = pd.debtor_id AND NOT c.restricted
        WHERE pd.place IS NOT NULL AND NOT pd.restricted
        GROUP BY pd.place, pd.phone_id, pd.phone_kind
        """),
        {"run_id": str(run_id)},
    )
    connection.execute(text("CREATE UNIQUE INDEX ON plan_target (place)"))
    connection.execute(text("ANALYZE plan_target"))


def exclude(connection: Connection, definition: Definition, run_id: UUID) -> None:
    """Write one ``exclusion`` a person who owes something and is no target, with the first
    reason that applies, and take them out of ``plan_target``."""
    condition, values = within(definition.select.debtor_outstanding_yen, "yen", "debtor_yen")
    parameters: dict[str, Any] = values | {
        "run_id": run_id,
        "not_selected": ExclusionReason.NOT_SELECTED,
        "restricted": ExclusionReason.RESTRICTED,
        "no_number": ExclusionReason.NO_NUMBER,
        "amount": ExclusionReason.AMOUNT,
        "in_another_run": ExclusionReason.IN_ANOTHER_RUN,
        "permanent_holdout": ExclusionReason.PERMANENT_HOLDOUT,
        "active": [RunState.SCHEDULED, RunState.RUNNING, RunState.PAUSED],
        "completed": RunState.COMPLETED,
        "together": list(definition.trial.may_share_people_with),
        **allocation.permanent_holdout_parameters(definition),
    }
    connection.execute(
        text(f"""
        CREATE TEMP TABLE plan_left_out ON COMMIT DROP AS
        WITH busy_run AS (
            -- under way, or a trial whose payments still count
            SELECT r.id FROM run own JOIN run r ON r.id <> own.id
            JOIN campaign_version v ON v.id = r.campaign_version_id
            WHERE own.id = :run_id AND v.key <> ALL(CAST(:together AS text[]))
            AND (r.state = ANY(:active) OR (r.state = :completed
                AND jsonb_path_exists(v.definition, '$.arms[*] ? (@.holdout == true)')
                AND r.starts_at + CAST(v.definition #>> '{{trial,horizon_days}}' AS int)
                    * interval '1 day' > own.starts_at))
        ), busy_cluster AS (
            SELECT pc.cluster FROM target t
            JOIN busy_run r ON r.id = t.run_id
            JOIN debtor_phone dp ON dp.phone_id = t.phone_id
            JOIN plan_cluster pc ON pc.debtor_id = dp.debtor_id
            UNION
            SELECT pc.cluster FROM target t
            JOIN busy_run r ON r.id = t.run_id
            JOIN target_claim tc ON tc.target_id = t.id
            JOIN claim c ON c.id = tc.claim_id
            JOIN plan_cluster pc ON pc.debtor_id = c.debtor_id
        ), held_out AS ({allocation.PERMANENTLY_HELD_OUT})
        SELECT place, CASE WHEN NOT ({condition}) THEN CAST(:amount AS text)
            WHEN cluster IN (SELECT cluster FROM busy_cluster) THEN :in_another_run
            ELSE :permanent_holdout END AS reason
        FROM plan_target
        WHERE NOT ({condition}) OR cluster IN (SELECT cluster FROM busy_cluster)
        OR cluster IN (SELECT cluster FROM held_out)
        """),
        parameters,
    )
    connection.execute(
        text("""
        INSERT INTO exclusion (run_id, debtor_id, reason)
        SELECT :run_id, d.id, CASE
            WHEN pd.debtor_id IS NULL THEN :not_selected
            WHEN pd.restricted THEN :restricted
            WHEN pd.place IS NULL THEN :no_number
            ELSE lo.reason END
        FROM debtor d
        LEFT JOIN plan_debtor pd ON pd.debtor_id = d.id
        LEFT JOIN plan_left_out lo ON lo.place = pd.place
        WHERE EXISTS (SELECT 1 FROM claim c WHERE c.debtor_id = d.id AND c.outstanding_yen > 0)
        AND (pd.debtor_id IS NULL OR pd.restricted OR pd.place IS NULL
            OR lo.place IS NOT NULL)
        """),
        parameters,
    )
    connection.execute(
        text("DELETE FROM plan_target t USING plan_left_out lo WHERE lo.place = t.place")
    )
