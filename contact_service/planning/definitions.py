"""The definitions behind runs, as they were approved."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition


def definitions_of(connection: Connection, run_ids: Collection[UUID]) -> dict[UUID, Definition]:
    """The definition of each run."""
    rows = connection.execute(
        text("""
        SELECT r.id, v.definition FROM run r
        JOIN campaign_version v ON v.id = r.campaign_version_id WHERE r.id = ANY(:ids)
        """),
        {"ids": list(run_ids)},
    )
    return {row.id: Definition.model_validate(row.definition) for row in rows}


def definitions_running(connection: Connection) -> dict[UUID, Definition]:
    """The definitions of all running runs."""
    ids = connection.execute(text("SELECT id FROM run WHERE state = 'running'")).scalars().all()
    return definitions_of(connection, ids)
