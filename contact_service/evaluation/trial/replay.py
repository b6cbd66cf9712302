"""A run's allocation and protocol held against what was registered before launch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from campaigns.definition import Definition
from contact_service.domain.actors import Actor
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.planning import allocation
from contact_service.planning.definitions import run_is_own
from contact_service.planning.registration import departed, registration
from contact_service.store.tables.campaigns import campaign_version, run


def replayed(connection: Connection, actor: Actor, run_id: UUID) -> dict[str, Any]:
    """The arms dealt again from seed, strata and person codes; the digests of allocation and
    protocol; and every departure of the definition from the protocol. ``as_registered`` is all
    of it in one word. Raises :class:`TrialRefused` for a run that is not there or not
    frozen; another office's is not there."""
    written = connection.scalar(
        select(campaign_version.c.definition)
        .join(run, run.c.campaign_version_id == campaign_version.c.id)
        .where(run.c.id == run_id)
    )
    if written is None or not run_is_own(connection, actor, run_id):
        raise TrialRefused(f"実施 {run_id} はありません。番号を確かめてください",
                           f"there is no run {run_id}; check its identifier")  # fmt: skip
    definition = Definition.model_validate(written)
    found = allocation.replay(connection, definition, run_id)
    if not found.clusters:
        raise TrialRefused(f"実施 {run_id} にはまだ割付がありません。開始後に照合してください",
                           f"run {run_id} has no allocation before it starts")  # fmt: skip
    kept = registration(connection, run_id)
    departures = departed(kept, definition) if kept else []
    agrees = None if kept is None else kept.allocation_sha256 == found.sha256
    intact = None if kept is None else kept.intact and not departures
    return {
        "run": str(run_id),
        "clusters": found.clusters,
        "different": found.different,
        "in_two_arms": found.in_two_arms,
        "allocation_sha256": found.sha256,
        "allocation_agrees": agrees,
        "protocol": kept.protocol if kept else None,
        "protocol_sha256": kept.sha256 if kept else None,
        "protocol_agrees": intact,
        "registered_at": kept.registered_at.isoformat() if kept else None,
        "departures": [one.as_dict() for one in departures],
        "warnings": kept.warnings if kept else [],
        "as_registered": found.same and agrees is not False and intact is not False,
    }
