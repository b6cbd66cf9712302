"""Allocation into arms: seeded, stratified, by household, in blocks; and dealt again from what
is stored, years later, to show that nobody chose.

Everything happens in the database, in the transaction that freezes the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition, Stratum
from campaigns.vocabulary import NumberKind
from contact_service.domain.ages import age_band_sql

#: Amounts by which the allocation is balanced, in yen: up to, and named.
AMOUNT_BANDS = (
    "CASE WHEN yen < 20000 THEN 'a:-2万' WHEN yen < 50000 THEN 'b:2-5万'"
    " WHEN yen < 150000 THEN 'c:5-15万' ELSE 'd:15万-' END"
)

#: Whether anybody of a cluster was contacted before, at any of its numbers or by letter, by any
#: run.
EARLIER_CONTACT = (
    "CASE WHEN s.cluster IN (SELECT pc.cluster FROM attempt a"
    " JOIN debtor_phone dp ON dp.phone_id = a.phone_id"
    " JOIN plan_cluster pc ON pc.debtor_id = dp.debtor_id"
    " WHERE a.submitted_at IS NOT NULL UNION SELECT pc.cluster FROM attempt a"
    " JOIN target_claim tc ON tc.target_id = a.target_id JOIN claim c ON c.id = tc.claim_id"
    " JOIN plan_cluster pc ON pc.debtor_id = c.debtor_id"
    " WHERE a.submitted_at IS NOT NULL AND a.phone_id IS NULL) THEN 'contacted' ELSE 'new' END"
)

#: What stands for a cluster in each kind of stratum.
STRATUM_OF: dict[Stratum, str] = {
    Stratum.KIND: "kind",
    Stratum.PERIOD: "period",
    Stratum.AMOUNT: AMOUNT_BANDS,
    Stratum.NUMBER: "number",
    Stratum.EARLIER_CONTACT: EARLIER_CONTACT,
}

#: From ``placed (cluster, stratum, code)``: the arm of each cluster.
DEALT = """
    SELECT cluster, stratum, code,
        (CAST(:arms AS text[]))[1 + place % cardinality(CAST(:arms AS text[]))] AS arm
    FROM (
        SELECT cluster, stratum, code, row_number() OVER (
            PARTITION BY stratum
            ORDER BY sha256(convert_to(:seed || ':' || code, 'UTF8')), cluster) - 1
            + ('x' || encode(substring(sha256(convert_to(:seed || '/' || stratum, 'UTF8'))
                FROM 1 FOR 3), 'hex'))::bit(24)::int AS place
        FROM placed
    ) ranked
"""

#: Clusters of ``plan_target`` that the definition's permanent holdout leaves out.
PERMANENTLY_HELD_OUT = """
    SELECT p.cluster FROM (SELECT DISTINCT cluster FROM plan_target) p
    JOIN debtor d ON d.id = p.cluster
    WHERE ('x' || encode(substring(sha256(convert_to(
        'permanent holdout/' || :holdout_seed || ':' || d.code, 'UTF8'))
        FROM 1 FOR 3), 'hex'))::bit(24)::int < :holdout_limit
"""


def permanent_holdout_parameters(definition: Definition) -> dict[str, Any]:
    """For :data:`PERMANENTLY_HELD_OUT`; nobody without a permanent holdout."""
    held_out = definition.allocation.permanent_holdout
    if held_out is None:
        return {"holdout_seed": "", "holdout_limit": 0}
    return {"holdout_seed": held_out.seed, "holdout_limit": round(held_out.share * 2**24)}


def dealing_order(definition: Definition) -> list[str]:
    """One block: the arms in order, each as often as its weight."""
    return [arm.name for arm in definition.arms for _ in range(arm.weight)]


def allocate(connection: Connection, definition: Definition, run_id: UUID) -> None:
    """Write ``target`` and ``target_claim``: every cluster gets one arm.

    Within a stratum clusters are put in the order of a hash of seed and person code, and the
    arms dealt out in turn by weight, from a place that depends on seed and stratum: blocks of
    as many clusters as there are weights, in which each arm comes as often as it should. What
    is stored (seed, strata, codes) replays it: :func:`replay`.
    """
    strata = " || '/' || ".join(f"({STRATUM_OF[s]})" for s in definition.allocation.strata)
    connection.execute(
        text(f"""
        WITH cluster_kind AS (
            SELECT DISTINCT ON (cluster) cluster, kind, period FROM (
                SELECT t.cluster, c.kind, c.period, sum(c.yen) AS yen
                FROM plan_target t
                JOIN plan_debtor pd ON pd.place = t.place AND NOT pd.restricted
                JOIN plan_claim c ON c.debtor_id = pd.debtor_id AND NOT c.restricted
                GROUP BY t.cluster, c.kind, c.period) sums
            ORDER BY cluster, yen DESC, kind, period
        ), cluster_sum AS (
            SELECT cluster, sum(yen) AS yen,
                CASE WHEN bool_or(phone_kind = :mobile) THEN 'mobile'
                    WHEN bool_or(phone_kind IS NOT NULL) THEN 'fixed' ELSE 'none' END AS number
            FROM plan_target GROUP BY cluster
        ), placed AS (
            SELECT s.cluster, {strata or "'all'"} AS stratum, d.code
            FROM cluster_sum s JOIN cluster_kind k USING (cluster)
            JOIN debtor d ON d.id = s.cluster
        ), dealt AS ({DEALT})
        INSERT INTO target (id, run_id, cluster, stratum, arm, phone_id, phone_kind,
            addressee_id, outstanding_yen, claims, age_band)
        SELECT t.id, :run_id, t.cluster, r.stratum,
            r.arm, t.phone_id, t.phone_kind, t.addressee_id, t.yen, t.claims,
            {age_band_sql("a.birth_band", "extract(year FROM run.starts_at)::int")}
        FROM plan_target t JOIN dealt r USING (cluster) JOIN debtor a ON a.id = t.addressee_id
        JOIN run ON run.id = :run_id
        """),
        {
            "run_id": run_id,
            "seed": definition.allocation.seed,
            "arms": dealing_order(definition),
            "mobile": NumberKind.MOBILE.value,
        },
    )
    connection.execute(
        text("""
        INSERT INTO target_claim (target_id, claim_id, outstanding_yen, period, legal_class)
        SELECT t.id, c.claim_id, c.yen, c.period, c.legal_class
        FROM plan_target t
        JOIN plan_debtor pd ON pd.place = t.place AND NOT pd.restricted
        JOIN plan_claim c ON c.debtor_id = pd.debtor_id AND NOT c.restricted
        """)
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """An allocation dealt again: clusters, how many got another arm than is stored, how many
    have more than one arm, and the digest of what is stored."""

    clusters: int
    different: int
    in_two_arms: int
    sha256: str

    @property
    def same(self) -> bool:
        """Whether it is the same allocation."""
        return self.different == 0 and self.in_two_arms == 0


def replay(connection: Connection, definition: Definition, run_id: UUID) -> Replay:
    """Deal a run's arms again from seed, strata and person codes, and compare."""
    found = connection.execute(
        text(f"""
        WITH placed AS (
            SELECT t.cluster, min(t.stratum) AS stratum, d.code, min(t.arm) AS stored,
                count(DISTINCT t.arm) AS arms
            FROM target t JOIN debtor d ON d.id = t.cluster
            WHERE t.run_id = :run_id GROUP BY t.cluster, d.code
        ), dealt AS ({DEALT})
        SELECT count(*) AS clusters, count(*) FILTER (WHERE d.arm <> p.stored) AS different,
            count(*) FILTER (WHERE p.arms > 1) AS in_two_arms
        FROM dealt d JOIN placed p USING (cluster)
        """),
        {
            "run_id": run_id,
            "seed": definition.allocation.seed,
            "arms": dealing_order(definition),
        },
    ).one()
    return Replay(found.clusters, found.different, found.in_two_arms, digest(connection, run_id))


def digest(connection: Connection, run_id: UUID) -> str:
    """SHA-256 of a run's allocation: a line ``person code TAB stratum TAB arm`` a cluster, in
    the order of the code's bytes."""
    found = connection.scalar(
        text("""
        SELECT encode(sha256(convert_to(coalesce(string_agg(
            code || E'\t' || stratum || E'\t' || arm, E'\n' ORDER BY code COLLATE "C"), ''),
            'UTF8')), 'hex')
        FROM (SELECT DISTINCT d.code, t.stratum, t.arm FROM target t
            JOIN debtor d ON d.id = t.cluster WHERE t.run_id = :run_id) allocated
        """),
        {"run_id": run_id},
    )
    return str(found)


def clusters_by_arm(connection: Connection, run_id: UUID) -> dict[str, int]:
    """How many clusters each arm has."""
    rows = connection.execute(
        text(
            "SELECT arm, count(DISTINCT cluster) AS clusters FROM target"
            " WHERE run_id = :run_id GROUP BY arm ORDER BY arm"
        ),
        {"run_id": run_id},
    )
    return {row.arm: row.clusters for row in rows}
