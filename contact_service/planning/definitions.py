"""The definitions behind runs, as they were approved."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.vocabulary import ClaimKind


def definitions_of(connection: Connection, run_ids: Collection[UUID]) -> dict[UUID, Definition]:
    """The definition of each run."""
    rows = connection.execute(
        text("SELECT id, campaign_version_id FROM run WHERE id = ANY(:ids)"),
        {"ids": list(run_ids)},
    )
    return {
        row.id: definition_of_version(connection, row.campaign_version_id) for row in rows.all()
    }


def definitions_running(connection: Connection) -> dict[UUID, Definition]:
    """The definitions of all running runs."""
    ids = connection.execute(text("SELECT id FROM run WHERE state = 'running'")).scalars().all()
    return definitions_of(connection, ids)


def kinds_of(definition: Definition) -> frozenset[ClaimKind]:
    """The kinds of claim that a campaign may concern: those that it names, else all."""
    return frozenset(definition.select.kinds or ClaimKind)


#: A version is never changed, so what was read once need not be read again.
_known: dict[tuple[str, int], Definition] = {}


def definition_of_version(connection: Connection, version_id: int) -> Definition:
    """The definition that a version holds."""
    key = (str(connection.engine.url), version_id)
    if key not in _known:
        stored = connection.scalar(
            text("SELECT definition FROM campaign_version WHERE id = :id"), {"id": version_id}
        )
        _known[key] = Definition.model_validate(stored)
    return _known[key]
