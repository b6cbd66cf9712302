"""Clusters: people who share a home or a telephone number, directly or through others."""

from __future__ import annotations

from sqlalchemy import Connection, text


def find_clusters(connection: Connection) -> None:
    """Fill the temporary table ``plan_cluster (debtor_id, cluster)`` for the whole ledger.

    A cluster is named after its smallest debtor id. Labels spread over homes and numbers in
    turn until none changes; a chain of n shared homes and numbers takes n rounds.
    """
    connection.execute(
        text("""
        CREATE TEMP TABLE plan_cluster ON COMMIT DROP AS
        SELECT d.id AS debtor_id, d.household_id,
            coalesce(min(d.id) OVER (PARTITION BY d.household_id), d.id) AS cluster
        FROM debtor d WHERE d.household_id IS NOT NULL
        UNION ALL
        SELECT d.id, NULL, d.id FROM debtor d WHERE d.household_id IS NULL
        """)
    )
    connection.execute(text("CREATE UNIQUE INDEX ON plan_cluster (debtor_id)"))
    connection.execute(text("ANALYZE plan_cluster"))
    while _spread_over_numbers(connection):
        _spread_within_homes(connection)


def _spread_over_numbers(connection: Connection) -> int:
    """Give everybody the smallest label behind any of their numbers."""
    return connection.execute(
        text("""
        WITH smallest AS (
            SELECT dp.phone_id, min(pc.cluster) AS cluster
            FROM debtor_phone dp JOIN plan_cluster pc USING (debtor_id)
            GROUP BY dp.phone_id HAVING min(pc.cluster) < max(pc.cluster)
        ), better AS (
            SELECT dp.debtor_id, min(s.cluster) AS cluster
            FROM debtor_phone dp JOIN smallest s USING (phone_id) GROUP BY dp.debtor_id
        )
        UPDATE plan_cluster pc SET cluster = b.cluster
        FROM better b WHERE b.debtor_id = pc.debtor_id AND b.cluster < pc.cluster
        """)
    ).rowcount


def _spread_within_homes(connection: Connection) -> None:
    """Give everybody the smallest label in their home."""
    connection.execute(
        text("""
        WITH smallest AS (
            SELECT household_id, min(cluster) AS cluster FROM plan_cluster
            WHERE household_id IS NOT NULL
            GROUP BY household_id HAVING min(cluster) < max(cluster)
        )
        UPDATE plan_cluster pc SET cluster = s.cluster
        FROM smallest s WHERE s.household_id = pc.household_id AND s.cluster < pc.cluster
        """)
    )
