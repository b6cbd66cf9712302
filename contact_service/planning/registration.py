"""Registering a trial before launch: its protocol and its allocation, hashed and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from campaigns import sample_size
from campaigns.definition import Definition
from campaigns.protocol import Departure, departures, digest, protocol
from contact_service.planning import allocation
from contact_service.planning.schedule import DoesNotFit
from contact_service.store.tables.campaigns import trial_registration


@dataclass(frozen=True, slots=True)
class Registration:
    """What was registered of a run, and when: before its first attempt could go out."""

    protocol: dict[str, Any]
    sha256: str
    allocation_sha256: str
    clusters: dict[str, int]
    warnings: list[str]
    registered_at: datetime

    @property
    def intact(self) -> bool:
        """Whether the protocol still has the hash that was registered."""
        return digest(self.protocol) == self.sha256


def register(connection: Connection, definition: Definition, run_id: UUID, now: datetime) -> None:
    """Freeze the protocol and the allocation of a run whose targets have just been written.

    Raises ``DoesNotFit`` for a run that is too small for its expected effect, when the
    definition says that such a run is refused; else the warning is kept with the registration.
    """
    clusters = allocation.clusters_by_arm(connection, run_id)
    verdict = sample_size.judge(definition, clusters)
    said = [f"{ja} / {en}" for ja, en in zip(verdict.said("ja"), verdict.said("en"), strict=True)
            ] if verdict else []  # fmt: skip
    if verdict and verdict.refuse:
        raise DoesNotFit("; ".join(said))
    found = protocol(definition)
    connection.execute(
        insert(trial_registration).values(
            run_id=run_id,
            protocol=found,
            sha256=digest(found),
            allocation_sha256=allocation.digest(connection, run_id),
            clusters=clusters,
            warnings=said,
            registered_at=now,
        )
    )


def registration(connection: Connection, run_id: UUID) -> Registration | None:
    """What was registered of a run; ``None`` for one that is older than registration, or that
    is not frozen yet."""
    row = connection.execute(
        select(trial_registration).where(trial_registration.c.run_id == run_id)
    ).one_or_none()
    if row is None:
        return None
    return Registration(
        row.protocol,
        row.sha256,
        row.allocation_sha256,
        row.clusters,
        row.warnings,
        row.registered_at,
    )


def departed(registered: Registration, definition: Definition) -> list[Departure]:
    """How what a definition says now departs from what was registered."""
    return departures(registered.protocol, protocol(definition))
