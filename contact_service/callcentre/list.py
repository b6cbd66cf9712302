"""The operators' list: one person at a time, every promise checked again at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.dispatch.lease import Lease, lease
from contact_service.domain.actors import Actor, Role, require
from contact_service.planning.definitions import definitions_running, kinds_of
from contact_service.store import audit

#: How long a person stays with one operator without a disposition, in real seconds.
HOLD_SECONDS = 7200.0
#: How many are judged at once when the first is to be left alone after all.
LOOK_AHEAD = 500


@dataclass(frozen=True, slots=True)
class NextPerson:
    """Whom an operator calls next."""

    attempt_id: UUID
    phone: str
    """E.164."""


def next_person(service: Service, actor: Actor, now: datetime) -> NextPerson | None:
    """Give the operator the next due person, and nobody else the same one: who asked to be
    called back comes first, then the campaigns' lists.

    ``None`` when nobody is due. Seeing a number is recorded.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        held = _held(connection, actor)
        if held is not None:  # asked again before recording: still the same person
            return NextPerson(held.id, service.vault.open("phone.number", held.number))
        definitions = {
            run_id: definition
            for run_id, definition in definitions_running(connection).items()
            if all(actor.sees(kind) for kind in kinds_of(definition))
        }
        leases: list[Lease] = []
        for requested in (True, False):
            # those put aside by the re-checks are no answer; where one is, there are often many
            looked_at, size = 1, 1
            while looked_at and not leases:
                leases, looked_at = lease(
                    connection, definitions, Channel.OPERATOR, "centre", actor.name, now, size,
                    HOLD_SECONDS, carrier=None, most=1, requested=requested,
                )  # fmt: skip
                size = LOOK_AHEAD
        if not leases:
            return None
        audit.record(connection, now, actor, "person.shown", str(leases[0].attempt_id))
    sealed = leases[0].sealed_number
    assert sealed is not None, "the operators' list holds numbers"
    phone = service.vault.open("phone.number", sealed)
    return NextPerson(leases[0].attempt_id, phone)


def _held(connection: Connection, actor: Actor) -> Row[Any] | None:
    """The person that this operator already has."""
    return connection.execute(
        text("""
        SELECT a.id, p.number FROM attempt a JOIN phone p ON p.id = a.phone_id
        WHERE a.state = 'leased' AND a.channel = 'operator' AND a.lease_owner = :name
        AND a.lease_until > clock_timestamp()
        ORDER BY a.id LIMIT 1
        """),
        {"name": actor.name},
    ).one_or_none()
