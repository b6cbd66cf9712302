"""The operators' list: one person at a time, every promise checked again at that moment."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.definition import Definition
from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.callcentre.own import target_is_own
from contact_service.callcentre.presence import one_at_a_time
from contact_service.dispatch.lease import Lease, lease
from contact_service.dispatch.pacing import Pacing, pacing
from contact_service.domain.actors import Actor, Role, require
from contact_service.planning.definitions import definitions_running, kinds_of
from contact_service.store import audit

#: How long a person stays with one operator without a disposition, in real seconds.
HOLD_SECONDS = 7200.0
#: How many are judged at once when the first is to be left alone after all.
LOOK_AHEAD = 500
SHOWN = "person.shown"


@dataclass(frozen=True, slots=True)
class NextPerson:
    """Whom an operator calls next."""

    attempt_id: UUID
    phone: str
    """E.164."""


def next_person(service: Service, actor: Actor, now: datetime) -> NextPerson | None:
    """Give the operator the next due person, and nobody else the same one: who asked to be
    called back comes first, then the campaigns' lists, drawn by the campaigns' weights.

    ``None`` when nobody is due. Seeing a number is recorded: by whoever asks again for the person
    that they have, once.
    """
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.begin() as connection:
        one_at_a_time(connection, actor.name)
        held = held_of_list(connection, actor)
        if held is not None:  # asked again before recording: still the same person
            _recorded_once(connection, actor, held.id, now)
            return NextPerson(held.id, service.vault.open("phone.number", held.number))
        definitions = {
            run_id: definition
            for run_id, definition in definitions_running(connection).items()
            if all(actor.sees(kind) for kind in kinds_of(definition))
        }
        found = _lease_one(connection, actor, definitions, now, requested=True)
        for run_id in _drawn(definitions, pacing(service.settings.pacing_file)):
            if found is not None:
                break
            found = _lease_one(connection, actor, {run_id: definitions[run_id]}, now)
        if found is None:
            return None
        audit.record(connection, now, actor, SHOWN, str(found.attempt_id))
    assert found.sealed_number is not None, "the operators' list holds numbers"
    return NextPerson(found.attempt_id, service.vault.open("phone.number", found.sealed_number))


def _drawn(definitions: Mapping[UUID, Definition], weights: Pacing) -> Iterator[UUID]:
    """All runs, in an order drawn by weight: whoever is first has the next person, if it has any.
    A long list that fell due earlier does not hold up the others."""
    left = {run: weights.campaign(of.campaign).weight for run, of in definitions.items()}
    while left:
        (run,) = random.choices(list(left), list(left.values()))
        del left[run]
        yield run


def _lease_one(
    connection: Connection,
    actor: Actor,
    definitions: dict[UUID, Definition],
    now: datetime,
    *,
    requested: bool = False,
) -> Lease | None:
    # those put aside by the re-checks are no answer; where one is, there are often many
    looked_at, size = 1, 1
    while looked_at:
        leases, looked_at = lease(
            connection, definitions, Channel.OPERATOR, "centre", actor.name, now, size,
            HOLD_SECONDS, carrier=None, most=1, requested=requested,
        )  # fmt: skip
        if leases:
            return leases[0]
        size = LOOK_AHEAD
    return None


def held_of_list(connection: Connection, actor: Actor) -> Row[Any] | None:
    """Whom this operator has from a list: the attempt's ``id`` and the sealed ``number``. Whom
    another office's claims are about they do not have: they came from that office with somebody
    open, or it is a telephone system of another office that says their name."""
    held = _held(connection, actor.name)
    return next((row for row in held if target_is_own(connection, actor, row.target_id)), None)


def has_of_list(connection: Connection, operator: str) -> bool:
    """Whether somebody from a list is with the operator of this name, whosever they are."""
    return bool(_held(connection, operator))


def _held(connection: Connection, operator: str) -> Sequence[Row[Any]]:
    return connection.execute(
        text("""
        SELECT a.id, a.target_id, p.number FROM attempt a JOIN phone p ON p.id = a.phone_id
        WHERE a.state = 'leased' AND a.channel = 'operator' AND a.lease_owner = :name
        AND a.lease_until > clock_timestamp()
        ORDER BY a.id
        """),
        {"name": operator},
    ).all()


def _recorded_once(connection: Connection, actor: Actor, attempt_id: UUID, now: datetime) -> None:
    """That the actor, from where they ask, was shown who is open: a telephone system asks for the
    same person again and again, and another one for the first time."""
    recorded = connection.scalar(
        text("""
        SELECT 1 FROM audit_log WHERE subject = :attempt AND action = :shown AND actor = :me
        AND office = :office AND origin = :origin LIMIT 1
        """),
        {
            "attempt": str(attempt_id), "shown": SHOWN, "me": actor.name, "office": actor.office,
            "origin": actor.origin,
        },
    )  # fmt: skip
    if recorded is None:
        audit.record(connection, now, actor, SHOWN, str(attempt_id))
