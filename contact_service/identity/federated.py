"""Accounts of people whom the office's identity provider vouches for.

An account is the provider's word for a person (issuer and subject), made at the first sign-in and
set anew at each: role and office are what the deployment's table makes of the groups. A name that
somebody else has already is nobody's way into that account.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import SYSTEM, Actor
from contact_service.identity import sessions
from contact_service.identity.accounts import NAME, account_of, end_sessions
from contact_service.identity.oidc import Person, Place
from contact_service.store import audit


class Unwanted(StrEnum):
    """Why somebody whom the provider knows does not come in."""

    NO_PLACE = "no_place"  # in no group of the table
    NO_NAME = "no_name"  # a name that nobody can have here
    NAME_TAKEN = "name_taken"  # by an account that is not theirs
    DISABLED = "disabled"


def let_in(
    service: Service, issuer: str, person: Person, address: str, agent: str
) -> str | Unwanted:
    """A session for ``person``: what the cookie carries; or why there is none."""
    with service.engine.begin() as connection:
        row = _found(connection, issuer, person)
        if person.place is None:
            if row is not None:
                end_sessions(connection, row.id)
            return _refused(connection, service, row, address, Unwanted.NO_PLACE)
        if row is None:
            if not NAME.fullmatch(person.name):
                return _refused(connection, service, row, address, Unwanted.NO_NAME)
            row = _made(connection, service, issuer, person, person.place)
            if row is None:
                return _refused(connection, service, row, address, Unwanted.NAME_TAKEN)
        if row.disabled_at is not None:
            return _refused(connection, service, row, address, Unwanted.DISABLED)
        if (row.role, row.office) != (person.place.role, person.place.office):
            _move(connection, service, row, person.place)
        connection.execute(
            text("UPDATE user_account SET shown_name = :shown WHERE id = :id"),
            {"shown": person.shown_name or row.name, "id": row.id},
        )
        token = sessions.open_session(connection, row.id, address, agent)
        actor = Actor(row.name, person.place.role, person.place.office, address)
        audit.record(connection, service.clock.now(), actor, "session.opened", row.name, by="oidc")
        return token


def refuse(service: Service, address: str, why: str) -> None:
    """Write down that an answer was not believed."""
    with service.engine.begin() as connection:
        _write_down(connection, service, None, address, why)


def _found(connection: Connection, issuer: str, person: Person) -> Any:
    return connection.execute(
        text("""
        SELECT * FROM user_account WHERE oidc_issuer = :issuer AND oidc_subject = :subject
        FOR UPDATE
        """),
        {"issuer": issuer, "subject": person.subject},
    ).one_or_none()


def _made(
    connection: Connection, service: Service, issuer: str, person: Person, place: Place
) -> Any:
    connection.execute(
        text("""
        INSERT INTO user_account (name, shown_name, role, office, password_set_at, must_change,
            created_at, created_by, oidc_issuer, oidc_subject)
        VALUES (:name, :shown, :role, :office, clock_timestamp(), false, clock_timestamp(),
            'oidc', :issuer, :subject)
        ON CONFLICT DO NOTHING
        """),
        {
            "name": person.name,
            "shown": person.shown_name or person.name,
            "role": place.role.value,
            "office": place.office,
            "issuer": issuer,
            "subject": person.subject,
        },
    )
    row = _found(connection, issuer, person)  # somebody else's transaction may have made it
    if row is not None:
        audit.record(
            connection, service.clock.now(), SYSTEM, "user.added", row.name,
            role=place.role, office=place.office, by="oidc",
        )  # fmt: skip
    return row


def _move(connection: Connection, service: Service, row: Any, place: Place) -> None:
    """The provider's groups have changed: sessions with the old role are over."""
    connection.execute(
        text("UPDATE user_account SET role = :role, office = :office WHERE id = :id"),
        {"role": place.role.value, "office": place.office, "id": row.id},
    )
    end_sessions(connection, row.id)
    audit.record(
        connection, service.clock.now(), SYSTEM, "user.assigned", row.name, by="oidc",
        before={"role": row.role, "office": row.office},
        after={"role": place.role, "office": place.office},
    )  # fmt: skip


def _refused(
    connection: Connection, service: Service, row: Any, address: str, why: Unwanted
) -> Unwanted:
    _write_down(connection, service, row, address, why)
    return why


def _write_down(connection: Connection, service: Service, row: Any, address: str, why: str) -> None:
    actor = account_of(row).actor if row is not None else SYSTEM
    audit.record(
        connection, service.clock.now(), actor, "session.refused",
        row.name if row is not None else "unknown", address=address, by="oidc", why=str(why),
    )  # fmt: skip
