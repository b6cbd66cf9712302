"""Tokens with which other systems of the office use the JSON API.

A token is shown once; the table holds its SHA-256 (it is 256 random bits, so that no slower
hash is needed). It has a label that says who holds it, a role and an office as an account has
them, the scopes that it opens, and an end. Everything goes by the database's clock.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text

from campaigns.vocabulary import ClaimKind
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.identity.accounts import ROLES, CannotDo
from contact_service.offices import kinds_of, unknown
from contact_service.store import audit

#: So that a token is known for one wherever it turns up.
PREFIX = "contact_"
LONGEST_DAYS = 365
#: The token that every deployment has for its telephone system (``CONTACT_API_TOKEN``).
OWN_LABEL = "deployment"


class Scope(StrEnum):
    """What a token opens. Reading and writing are apart; neither contains the other."""

    CENTRE = "centre"  # the telephone system: whom to call, results, the call log
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    REPORTS_READ = "reports:read"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, slots=True)
class Token:
    """One token, as lists show it. Instants are real time."""

    id: int
    label: str
    role: Role
    office: str
    scopes: frozenset[Scope]
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    kinds: frozenset[ClaimKind] = frozenset()  # of claims, that the office keeps

    def actor(self, origin: str = "") -> Actor:
        """Who acts when this token does, from the address ``origin``."""
        return Actor(f"token:{self.label}", self.role, self.office, origin, self.kinds)


_COLUMNS = """id, label, role, office, scopes, created_by, expires_at, used_at, revoked_at"""


def issue(
    service: Service,
    actor: Actor,
    label: str,
    role: Role,
    scopes: frozenset[Scope],
    days: int,
    office: str = "*",
) -> str:
    """Make a token and return it: the only time that anybody sees it.

    ``days`` from now it ends. Raises :class:`CannotDo` for a label that cannot be, no scope, a
    role that no token has, an office that keeps no claims, or too long a time; and ``NotAllowed``.
    """
    require(actor, Role.ADMINISTRATOR)
    label = label.strip()
    if not 1 <= len(label) <= 60 or not label.isprintable() or label == OWN_LABEL:
        raise CannotDo(
            "誰が使うかを、1～60文字で書いてください / say in 1 to 60 characters who holds it"
        )
    if role not in ROLES or role is Role.ADMINISTRATOR:
        # accounts and tokens are made by people who are there, with their second factor
        raise CannotDo(f"役割「{role}」はトークンには付けられません / no token has the role {role}")
    if wrong := unknown(office, role, service.settings):
        raise CannotDo(wrong)
    if not scopes:
        raise CannotDo("使える範囲を一つ以上選んでください / name at least one scope")
    if not 1 <= days <= LONGEST_DAYS:
        raise CannotDo(
            f"期限は1日から{LONGEST_DAYS}日までです / a token lasts 1 to {LONGEST_DAYS} days"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    with service.engine.begin() as connection:
        made = _store(connection, token, label, role, office, scopes, days, actor.name)
        audit.record(
            connection, service.clock.now(), actor, "token.issued", f"token:{made}",
            label=label, role=role, office=office, scopes=sorted(scopes), days=days,
        )  # fmt: skip
    return token


def register_own(service: Service, token: str) -> None:
    """See that the deployment's own token is known: it opens the telephone system's doors.

    Known already, it is left as it is: one that was revoked does not come back by a restart.
    """
    with service.engine.begin() as connection:
        _store(
            connection, token, OWN_LABEL, Role.OPERATOR, "*",
            frozenset({Scope.CENTRE}), LONGEST_DAYS, "deployment",
        )  # fmt: skip


def holder(service: Service, token: str) -> Token | None:
    """Whose token this is, or ``None`` when it has ended or never was."""
    with service.engine.begin() as connection:
        row = connection.execute(
            text(f"""
            SELECT {_COLUMNS},
                coalesce(used_at < clock_timestamp() - interval '1 minute', true) AS stale
            FROM api_token
            WHERE token_hash = :hash AND revoked_at IS NULL AND expires_at > clock_timestamp()
            """),
            {"hash": _hash(token)},
        ).one_or_none()
        if row is None:
            return None
        if row.stale:
            connection.execute(
                text("UPDATE api_token SET used_at = clock_timestamp() WHERE id = :id"),
                {"id": row.id},
            )
    return replace(_token(*row[:-1]), kinds=kinds_of(row.office, service.settings))


def tokens(connection: Connection) -> list[Token]:
    """All tokens, those that are over too, newest first."""
    return [
        _token(*row)
        for row in connection.execute(text(f"SELECT {_COLUMNS} FROM api_token ORDER BY id DESC"))
    ]


def now(connection: Connection) -> datetime:
    """The instant by which tokens end: the database's."""
    found: datetime = connection.scalar(text("SELECT clock_timestamp()"))
    return found


def revoke(service: Service, actor: Actor, token_id: int) -> None:
    """End a token from this moment. Raises :class:`CannotDo` when there is none to end."""
    require(actor, Role.ADMINISTRATOR)
    with service.engine.begin() as connection:
        label = connection.scalar(
            text("""
            UPDATE api_token SET revoked_at = clock_timestamp(), revoked_by = :by
            WHERE id = :id AND revoked_at IS NULL RETURNING label
            """),
            {"id": token_id, "by": actor.name},
        )
        if label is None:
            raise CannotDo(
                f"有効なトークン{token_id}はありません / there is no token {token_id} to revoke"
            )
        audit.record(
            connection, service.clock.now(), actor, "token.revoked", f"token:{token_id}",
            label=label,
        )  # fmt: skip


def _store(
    connection: Connection,
    token: str,
    label: str,
    role: Role,
    office: str,
    scopes: frozenset[Scope],
    days: int,
    by: str,
) -> int | None:
    made: int | None = connection.scalar(
        text("""
        INSERT INTO api_token (label, token_hash, role, office, scopes, created_at, created_by,
            expires_at)
        VALUES (:label, :hash, :role, :office, :scopes, clock_timestamp(), :by,
            clock_timestamp() + make_interval(days => :days))
        ON CONFLICT (token_hash) DO NOTHING RETURNING id
        """),
        {
            "label": label,
            "hash": _hash(token),
            "role": role.value,
            "office": office,
            "scopes": sorted(scopes),
            "days": days,
            "by": by,
        },
    )
    return made


def _token(
    id: int,
    label: str,
    role: str,
    office: str,
    scopes: list[str],
    created_by: str,
    expires_at: datetime,
    used_at: datetime | None,
    revoked_at: datetime | None,
) -> Token:
    held = frozenset(Scope(item) for item in scopes)
    return Token(id, label, Role(role), office, held, created_by, expires_at, used_at, revoked_at)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
