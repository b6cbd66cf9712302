"""Browsers from which an account was used: whoever guesses elsewhere does not lock its owner out.

A browser that has let somebody in keeps a token, and wrong tries from there are counted by
themselves; those of strangers lock the account for strangers alone (OWASP, *Slow Down Online
Guessing Attacks with Device Cookies*). The token opens nothing: the password is asked as ever. One
token serves everybody who signs in at a shared desk.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, text

#: So many of an account are known, those last used: a browser that keeps no cookies is a new one
#: every time.
MOST = 20


@dataclass(frozen=True, slots=True)
class Tries:
    """Where wrong tries at an account are counted, and how many there were in a row."""

    browser: int | None
    """Of a known browser; ``None``: of all others together."""
    failures: int
    locked: bool


def known(connection: Connection, name: str, token: str) -> bool:
    """Whether this account was used from the browser with this token."""
    found = connection.scalar(
        text("""
        SELECT true FROM known_browser k JOIN user_account u ON u.id = k.user_id
        WHERE u.name = :name AND k.token_hash = :hash
        """),
        {"name": name, "hash": _hash(token)},
    )
    return bool(found)


def tries(connection: Connection, user_id: int, token: str) -> Tries:
    """Those that count for this browser. The account's row must be locked."""
    row = connection.execute(
        text("""
        SELECT k.id, coalesce(k.failures, u.failures) AS failures, coalesce(
            CASE WHEN k.id IS NULL THEN u.locked_until ELSE k.locked_until END
            > clock_timestamp(), false) AS locked
        FROM user_account u
        LEFT JOIN known_browser k ON k.user_id = u.id AND k.token_hash = :hash
        WHERE u.id = :user
        """),
        {"user": user_id, "hash": _hash(token)},
    ).one()
    return Tries(row.id, row.failures, row.locked)


def count(connection: Connection, user_id: int, of: Tries, failures: int, minutes: int) -> None:
    """Set how many wrong tries there were, and lock for so many minutes; 0: not."""
    table, id_ = ("user_account", user_id) if of.browser is None else ("known_browser", of.browser)
    connection.execute(
        text(f"""
        UPDATE {table} SET failures = :failures, locked_until = CASE WHEN :minutes > 0
            THEN clock_timestamp() + make_interval(mins => :minutes) END
        WHERE id = :id
        """),
        {"failures": failures, "minutes": minutes, "id": id_},
    )


def remember(connection: Connection, user_id: int, token: str) -> str:
    """Know the browser that has ``token`` from now on; the token that it is to keep: the same, or
    a new one where it brought none of ours."""
    ours = connection.scalar(
        text("SELECT true FROM known_browser WHERE token_hash = :hash LIMIT 1"),
        {"hash": _hash(token)},
    )
    token = token if ours else secrets.token_urlsafe(32)
    connection.execute(
        text("""
        INSERT INTO known_browser (token_hash, user_id, seen_at)
        VALUES (:hash, :user, clock_timestamp())
        ON CONFLICT (token_hash, user_id) DO UPDATE SET seen_at = excluded.seen_at
        """),
        {"hash": _hash(token), "user": user_id},
    )
    connection.execute(
        text("""
        DELETE FROM known_browser WHERE user_id = :user AND id NOT IN (SELECT id FROM known_browser
            WHERE user_id = :user ORDER BY seen_at DESC, id DESC LIMIT :most)
        """),
        {"user": user_id, "most": MOST},
    )
    return token


def forget(connection: Connection, user_id: int) -> None:
    """Know none of an account's any more."""
    connection.execute(text("DELETE FROM known_browser WHERE user_id = :user"), {"user": user_id})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
