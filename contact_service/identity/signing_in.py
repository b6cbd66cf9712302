"""Signing in, and what one may change about one's own account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.domain.actors import SYSTEM, Actor
from contact_service.identity import browsers, own_password, passwords, second_factor, sessions
from contact_service.identity.accounts import CannotDo, account_of
from contact_service.identity.browsers import Tries
from contact_service.identity.sessions import Session
from contact_service.store import audit

#: So many wrong tries in a row lock an account for where they came from: one browser that it was
#: used from before, or all others together. Every further one doubles the time.
TRIES = 5
LOCK_MINUTES = 15
LONGEST_LOCK_MINUTES = 240
#: A first password, given by somebody else, opens nothing after this long.
FIRST_PASSWORD_DAYS = 7
#: So many wrong tries from one address within so long, at whatever accounts, and it is not
#: listened to. A whole office may stand behind one address: a person's own limit is above.
TRIES_OF_AN_ADDRESS = 100
MINUTES_OF_AN_ADDRESS = 15


log = logs.log(__name__)


class Refusal(StrEnum):
    """Why nobody was let in. What is shown does not tell an unknown name from a wrong password."""

    WRONG = "wrong"
    CODE_NEEDED = "code_needed"


@dataclass(frozen=True, slots=True)
class Entered:
    """What the browser of somebody who was let in keeps."""

    session: str
    browser: str
    """By which it is known again (:mod:`~contact_service.identity.browsers`)."""


def sign_in(
    service: Service,
    name: str,
    password: str,
    code: str,
    address: str,
    agent: str,
    browser: str = "",
) -> Entered | Refusal:
    """Open a session from ``browser``, as it is known from before, or say why not.

    Tries at one account wait for one another, so that many at once count as many. A name that
    does not exist takes as long as one that does.
    """
    name = name.strip().lower()[:40]
    with service.engine.begin() as connection:
        known = browsers.known(connection, name, browser)
        if not known and _tried_too_often(connection, service, address):
            log.warning("sign_in.flood")
            return Refusal.WRONG
        row = connection.execute(
            text("""
            SELECT *, must_change AND password_set_at
                    < clock_timestamp() - make_interval(days => :first) AS expired,
                extract(epoch FROM clock_timestamp()) AS unix_time
            FROM user_account WHERE name = :name FOR UPDATE
            """),
            {"name": name, "first": FIRST_PASSWORD_DAYS},
        ).one_or_none()
        right = passwords.fits(row.password_hash if row else None, password)
        if row is None or row.password_hash is None or row.disabled_at or row.expired:
            return _refused(connection, service, address, row)
        tries = browsers.tries(connection, row.id, browser)
        if tries.locked:
            return _refused(connection, service, address, row)
        if not right:
            return _failed(connection, service, row, tries, address)
        if row.totp_confirmed_at is not None:
            if not code.strip():  # nothing was guessed, yet the password is known to somebody
                _note(connection, service, "session.code_needed", row.name, address)
                return Refusal.CODE_NEEDED
            secret = service.vault.open(second_factor.PLACE, row.totp_secret)
            step = second_factor.step_of(secret, code, float(row.unix_time), row.totp_last_step)
            if step is None:
                return _failed(connection, service, row, tries, address)
            _update(connection, row.id, "totp_last_step = :step", step=step)
        browsers.count(connection, row.id, tries, failures=0, minutes=0)
        if passwords.outdated(row.password_hash):
            _update(connection, row.id, "password_hash = :hash", hash=passwords.hashed(password))
        entered = Entered(
            sessions.open_session(connection, row.id, address, agent),
            browsers.remember(connection, row.id, browser),
        )
        actor = account_of(row).actor
        audit.record(connection, service.clock.now(), actor, "session.opened", actor.name)
        return entered


def change_password(service: Service, session: Session, old: str, new: str) -> None:
    """Set one's own password. Raises :class:`CannotDo` with what is wrong, in words."""
    account = session.account
    own_password.ask(service, session, old)
    with service.engine.begin() as connection:
        stored = connection.scalar(
            text("SELECT password_hash FROM user_account WHERE id = :id FOR UPDATE"),
            {"id": account.id},
        )
        if passwords.fits(stored, new):
            raise CannotDo("今と同じパスワードです / that is the present password")
        found = passwords.faults(new, account.name, account.shown_name)
        if found:
            raise CannotDo("\n".join(found))
        _update(
            connection,
            account.id,
            "password_hash = :hash, password_set_at = clock_timestamp(), must_change = false",
            hash=passwords.hashed(new),
        )
        sessions.end_others(connection, account.id, session.id)
        audit.record(
            connection, service.clock.now(), account.actor, "password.changed", account.name
        )


def begin_second_factor(service: Service, session: Session) -> str:
    """A secret for one's authenticator, in force once a code of it is confirmed.

    Asked again before that, the same one. Raises :class:`CannotDo` when one is in force.
    """
    with service.engine.begin() as connection:
        row = connection.execute(
            text("SELECT * FROM user_account WHERE id = :id FOR UPDATE"),
            {"id": session.account.id},
        ).one()
        if row.totp_confirmed_at is not None:
            raise CannotDo("すでに設定されています / a second factor is in force already")
        if row.oidc_subject is not None:
            raise CannotDo("庁内の認証で入る人のものは認証基盤の側にあります / yours is there")
        if row.totp_secret is not None:
            return service.vault.open(second_factor.PLACE, row.totp_secret)
        secret = second_factor.new_secret()
        sealed = service.vault.seal(second_factor.PLACE, secret)
        _update(connection, row.id, "totp_secret = :sealed", sealed=sealed)
        return secret


def confirm_second_factor(service: Service, session: Session, code: str, password: str) -> None:
    """Put the second factor in force. Raises :class:`CannotDo` for a wrong code, and without the
    password: whoever finds a desk unlocked must not lock its owner out."""
    own_password.ask(service, session, password)
    with service.engine.begin() as connection:
        row = connection.execute(
            text("""
            SELECT *, extract(epoch FROM clock_timestamp()) AS unix_time
            FROM user_account WHERE id = :id FOR UPDATE
            """),
            {"id": session.account.id},
        ).one()
        step = None
        if row.totp_secret is not None and row.totp_confirmed_at is None:
            secret = service.vault.open(second_factor.PLACE, row.totp_secret)
            step = second_factor.step_of(secret, code, float(row.unix_time), None)
        if step is None:
            raise CannotDo(
                "確認コードが違います。時計の合った端末の、今表示されている6桁を入れてください / "
                "the code is not right: type the six digits shown now"
            )
        _update(
            connection,
            row.id,
            "totp_confirmed_at = clock_timestamp(), totp_last_step = :step",
            step=step,
        )
        actor = session.account.actor
        audit.record(connection, service.clock.now(), actor, "second_factor.set", actor.name)


def _tried_too_often(connection: Connection, service: Service, address: str) -> bool:
    tries = connection.scalar(
        text("""
        SELECT count(*) FROM audit_log WHERE at > :since AND action = 'session.refused'
        AND details ->> 'address' = :address
        """),
        {
            "since": service.clock.now() - timedelta(minutes=MINUTES_OF_AN_ADDRESS),
            "address": address,
        },
    )
    return int(tries or 0) >= TRIES_OF_AN_ADDRESS


def _failed(
    connection: Connection, service: Service, row: Any, tries: Tries, address: str
) -> Refusal:
    """Count a wrong try; from the fifth in a row on the account is locked, longer each time."""
    failures = tries.failures + 1
    minutes = 0
    if failures >= TRIES:
        minutes = min(LOCK_MINUTES * 2 ** (failures - TRIES), LONGEST_LOCK_MINUTES)
    browsers.count(connection, row.id, tries, failures, minutes)
    return _refused(connection, service, address, row, locked_minutes=minutes)


def _refused(
    connection: Connection, service: Service, address: str, row: Any, **more: int
) -> Refusal:
    # an unknown name is not written down: people type their password there
    subject = row.name if row else "unknown"
    _note(connection, service, "session.refused", subject, address, **more)
    return Refusal.WRONG


def _note(
    connection: Connection, service: Service, action: str, subject: str, address: str, **more: int
) -> None:
    """Write down what came of a try by somebody who was not let in."""
    actor = Actor(subject, SYSTEM.role)
    audit.record(connection, service.clock.now(), actor, action, subject, address=address, **more)


def _update(connection: Connection, user_id: int, setting: str, **values: Any) -> None:
    connection.execute(
        text(f"UPDATE user_account SET {setting} WHERE id = :id"), {"id": user_id} | values
    )
