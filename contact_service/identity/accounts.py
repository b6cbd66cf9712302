"""Accounts: made by an administrator, never with a password that works for long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError

from campaigns.vocabulary import ClaimKind
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.identity import browsers, passwords
from contact_service.offices import kinds_of, unknown
from contact_service.store import audit
from contact_service.store.tables.identity import user_account

NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
#: What a person can be. ``system`` is the service itself.
ROLES = tuple(role for role in Role if role is not Role.SYSTEM)


class CannotDo(Exception):
    """What was asked cannot be done; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, as lists show it. Instants are real time."""

    id: int
    name: str
    shown_name: str
    role: Role
    office: str
    must_change: bool
    second_factor: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    federated: bool = False  # signs in at the office's identity provider
    origin: str = ""  # from where whoever has it acts just now
    kinds: frozenset[ClaimKind] = frozenset()  # of claims, that the office keeps

    @property
    def actor(self) -> Actor:
        """Who acts when this account does."""
        return Actor(self.name, self.role, self.office, self.origin, self.kinds)


def account_of(row: Any, origin: str = "", kinds: frozenset[ClaimKind] = frozenset()) -> Account:
    """An account from a row that has all of ``user_account``."""
    return Account(
        row.id,
        row.name,
        row.shown_name,
        Role(row.role),
        row.office,
        row.must_change,
        row.totp_confirmed_at is not None,
        row.locked_until,
        row.disabled_at,
        row.oidc_subject is not None,
        origin,
        kinds,
    )


def accounts(connection: Connection) -> list[Account]:
    """Everybody who has an account, by name."""
    rows = connection.execute(select(user_account).order_by(user_account.c.name))
    return [account_of(row) for row in rows]


def find(service: Service, name: str) -> Account | None:
    """The account of this name, if there is one, with what its office sees."""
    asked = select(user_account).where(user_account.c.name == name)
    with service.engine.connect() as connection:
        row = connection.execute(asked).one_or_none()
    return account_of(row, kinds=kinds_of(row.office, service.settings)) if row else None


def add(
    service: Service, actor: Actor, name: str, shown_name: str, role: Role, office: str = "*"
) -> str:
    """Make an account and return its first password, which must be changed at first sign-in.

    Raises :class:`CannotDo` for a name that is taken or no name or an office that keeps no claims,
    and ``NotAllowed``.
    """
    require(actor, Role.ADMINISTRATOR)
    if not NAME.fullmatch(name):
        raise CannotDo(
            f"利用者名「{name[:40]}」は使えません。英小文字で始め、英小文字・数字・. _ - で"
            "2～40文字にしてください / a sign-in name begins with a small letter, then small "
            "letters, digits, '.', '_' and '-', 2 to 40 in all"
        )
    _may_be(service, role, office)
    password = passwords.made_up()
    try:
        with service.engine.begin() as connection:
            connection.execute(
                text("""
                INSERT INTO user_account (name, shown_name, role, office, password_hash,
                    password_set_at, must_change, created_at, created_by)
                VALUES (:name, :shown, :role, :office, :hash, clock_timestamp(), true,
                    clock_timestamp(), :by)
                """),
                {
                    "name": name,
                    "shown": shown_name[:100] or name,
                    "role": role,
                    "office": office,
                    "hash": passwords.hashed(password),
                    "by": actor.name,
                },
            )
            now = service.clock.now()
            audit.record(connection, now, actor, "user.added", name, role=role, office=office)
    except IntegrityError:
        raise CannotDo(f"利用者名「{name}」はすでにあります / {name} is taken already") from None
    return password


def reset(service: Service, actor: Actor, name: str) -> str:
    """A new first password for somebody who lost theirs; also ends lock, second factor and
    sessions. Raises :class:`CannotDo` and ``NotAllowed``."""
    require(actor, Role.ADMINISTRATOR)
    password = passwords.made_up()
    _change_local(
        service,
        actor,
        name,
        "user.reset",
        """password_hash = :hash, password_set_at = clock_timestamp(), must_change = true,
        totp_secret = NULL, totp_confirmed_at = NULL, totp_last_step = NULL, failures = 0,
        locked_until = NULL""",
        hash=passwords.hashed(password),
    )
    return password


def disable(service: Service, actor: Actor, name: str) -> None:
    """Nobody signs in under this name any more, from this moment. The account stays, so that
    the audit log's names keep their meaning."""
    require(actor, Role.ADMINISTRATOR)
    if name == actor.name:
        raise CannotDo("自分自身は停止できません / nobody disables themselves")
    _change(service, actor, name, "user.disabled", "disabled_at = clock_timestamp()")


def enable(service: Service, actor: Actor, name: str) -> None:
    """Somebody comes back."""
    require(actor, Role.ADMINISTRATOR)
    _change(service, actor, name, "user.enabled", "disabled_at = NULL")


def assign(service: Service, actor: Actor, name: str, role: Role, office: str) -> None:
    """Another role or office; whoever is signed in signs in anew. Raises as :func:`add`."""
    require(actor, Role.ADMINISTRATOR)
    _may_be(service, role, office)
    if name == actor.name:
        raise CannotDo("自分の役割は変えられません / nobody changes their own role")
    _change_local(
        service,
        actor,
        name,
        "user.assigned",
        "role = :role, office = :office",
        role=role.value,
        office=office,
    )


def sign_out(service: Service, actor: Actor, name: str) -> None:
    """End all sessions of somebody, at once, wherever they are. Raises :class:`CannotDo`."""
    require(actor, Role.ADMINISTRATOR)
    _change(service, actor, name, "user.signed_out", "failures = failures")


def _may_be(service: Service, role: Role, office: str) -> None:
    if role not in ROLES:
        raise CannotDo(f"役割「{role}」は人には付けられません / no person has the role {role}")
    if wrong := unknown(office, role, service.settings):
        raise CannotDo(wrong)


def end_sessions(connection: Connection, user_id: int) -> None:
    """End all sessions of an account, and know none of its browsers: whoever was in signs in
    anew, from anywhere."""
    browsers.forget(connection, user_id)
    connection.execute(
        text("""
        UPDATE user_session SET ended_at = clock_timestamp()
        WHERE user_id = :user AND ended_at IS NULL
        """),
        {"user": user_id},
    )


def _change_local(
    service: Service, actor: Actor, name: str, action: str, setting: str, **values: str
) -> None:
    """Change what the identity provider decides for those whom it knows."""
    with service.engine.connect() as connection:
        federated = connection.scalar(
            select(user_account.c.oidc_subject).where(user_account.c.name == name)
        )
    if federated is not None:
        raise CannotDo(
            f"「{name}」は庁内の認証で入る人です。パスワードと役割は認証基盤の側で決まります / "
            f"{name} signs in at the identity provider, which decides password and role"
        )
    _change(service, actor, name, action, setting, **values)


def _change(
    service: Service, actor: Actor, name: str, action: str, setting: str, **values: str
) -> None:
    """Change one account, end its sessions, and write it down, all at once."""
    said: dict[str, Any] = {key: value for key, value in values.items() if key != "hash"}
    statement = text(f"UPDATE user_account SET {setting} WHERE id = :id")
    with service.engine.begin() as connection:
        row = connection.execute(
            select(user_account).where(user_account.c.name == name).with_for_update()
        ).one_or_none()
        if row is None:
            raise CannotDo(f"利用者「{name[:40]}」はいません / there is no user {name[:40]}")
        connection.execute(statement, {**values, "id": row.id})
        if said:
            said = {"before": {key: getattr(row, key) for key in said}, "after": said}
        end_sessions(connection, row.id)
        audit.record(connection, service.clock.now(), actor, action, name, **said)
