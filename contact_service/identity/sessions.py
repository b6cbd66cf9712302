"""Sessions: kept by the server, ended by time, by their owner, or by an administrator.

The cookie carries 256 random bits; the table holds their SHA-256, so that a copy of the
database opens no session.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor
from contact_service.identity.accounts import Account, account_of
from contact_service.offices import kinds_of
from contact_service.store import audit

#: After this long without a request a session has ended (OWASP ASVS 5.0, V7.3).
IDLE_MINUTES = 30
#: However busy somebody is: a working day with its evening session.
LONGEST_HOURS = 12


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. ``form_token`` stands in every form of theirs."""

    id: int
    account: Account
    form_token: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A session, as its owner sees it listed."""

    id: int
    opened_at: datetime
    seen_at: datetime
    address: str
    agent: str


def open_session(connection: Connection, user_id: int, address: str, agent: str) -> str:
    """A new session; returns what the cookie carries."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        text("""
        INSERT INTO user_session (token_hash, user_id, form_token, opened_at, seen_at, ends_at,
            address, agent)
        VALUES (:hash, :user, :form, clock_timestamp(), clock_timestamp(),
            clock_timestamp() + make_interval(hours => :hours), :address, :agent)
        """),
        {
            "hash": _hash(token),
            "user": user_id,
            "form": secrets.token_urlsafe(24),
            "hours": LONGEST_HOURS,
            "address": address[:45],
            "agent": agent[:200],
        },
    )
    return token


def resume(service: Service, token: str, origin: str = "") -> Session | None:
    """Whose session a cookie belongs to, or ``None`` when it has ended or never was.

    ``origin`` is the address from which it comes now."""
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT u.*, s.id AS session_id, s.form_token,
                s.seen_at < clock_timestamp() - interval '1 minute' AS stale
            FROM user_session s JOIN user_account u ON u.id = s.user_id
            WHERE s.token_hash = :hash AND s.ended_at IS NULL AND u.disabled_at IS NULL
            AND s.ends_at > clock_timestamp()
            AND s.seen_at > clock_timestamp() - make_interval(mins => :idle)
            """),
            {"hash": _hash(token), "idle": IDLE_MINUTES},
        ).one_or_none()
        if row is None:
            return None
        if row.stale:  # once a minute is enough to know that somebody is there
            connection.execute(
                text("UPDATE user_session SET seen_at = clock_timestamp() WHERE id = :id"),
                {"id": row.session_id},
            )
    kinds = kinds_of(row.office, service.settings)
    return Session(row.session_id, account_of(row, origin, kinds), row.form_token)


def open_sessions(connection: Connection, user_id: int) -> list[Shown]:
    """An account's sessions that could still be used, newest first."""
    rows = connection.execute(
        text("""
        SELECT id, opened_at, seen_at, address, agent FROM user_session
        WHERE user_id = :user AND ended_at IS NULL AND ends_at > clock_timestamp()
        AND seen_at > clock_timestamp() - make_interval(mins => :idle)
        ORDER BY opened_at DESC
        """),
        {"user": user_id, "idle": IDLE_MINUTES},
    )
    return [Shown(*row) for row in rows]


def end(service: Service, actor: Actor, user_id: int, session_id: int) -> bool:
    """End one of an account's own sessions. Returns whether there was one to end."""
    with service.engine.begin() as connection:
        ended = connection.execute(
            text("""
            UPDATE user_session SET ended_at = clock_timestamp()
            WHERE id = :id AND user_id = :user AND ended_at IS NULL
            """),
            {"id": session_id, "user": user_id},
        ).rowcount
        if ended:
            audit.record(
                connection, service.clock.now(), actor, "session.ended", actor.name, id=session_id
            )
    return bool(ended)


def end_others(connection: Connection, user_id: int, keep: int) -> None:
    """End all sessions of an account but one: whoever had the old password is out."""
    connection.execute(
        text("""
        UPDATE user_session SET ended_at = clock_timestamp()
        WHERE user_id = :user AND id <> :keep AND ended_at IS NULL
        """),
        {"user": user_id, "keep": keep},
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
