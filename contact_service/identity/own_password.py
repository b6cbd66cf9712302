"""The present password, asked again of whoever is signed in and changes how they sign in.

A desk left unlocked, or a cookie that was taken, must not be a place to try passwords at: wrong
ones are written down, and a few in a row end the session.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.identity import passwords
from contact_service.identity.accounts import CannotDo
from contact_service.identity.sessions import Session
from contact_service.store import audit

#: So many wrong ones in a row, in whichever session of an account, end the one that asked last.
TRIES = 5
WRONG = "今のパスワードが違います / the present password is not right"
OVER = (
    f"今のパスワードを続けて{TRIES}回まちがえたため、サインアウトしました / {TRIES} wrong "
    "passwords in a row: you have been signed out"
)


def ask(service: Service, session: Session, given: str) -> None:
    """See that ``given`` is the password of whoever is signed in. Tries at one account wait for
    one another, so that many at once count as many.

    Raises :class:`CannotDo` when it is not, or was not too often.
    """
    account = session.account
    with service.engine.begin() as connection:
        stored = connection.scalar(
            text("SELECT password_hash FROM user_account WHERE id = :id FOR UPDATE"),
            {"id": account.id},
        )
        said = OVER if _ended(connection, session) else ""
        if not said and not passwords.fits(stored, given):
            said = _refused(connection, service, session)
    if said:
        raise CannotDo(said)


def _ended(connection: Connection, session: Session) -> bool:
    ended = text("SELECT ended_at IS NOT NULL FROM user_session WHERE id = :id")
    return bool(connection.scalar(ended, {"id": session.id}))


def _refused(connection: Connection, service: Service, session: Session) -> str:
    """Write a wrong one down, and end the session when it was one too many; what to say."""
    account = session.account
    before = connection.scalar(
        text("""
        SELECT count(*) FROM audit_log WHERE subject = :name AND action = 'password.refused'
        AND id > (SELECT coalesce(max(id), 0) FROM audit_log WHERE subject = :name
            AND action IN ('session.opened', 'password.changed', 'second_factor.set'))
        """),
        {"name": account.name},
    )
    over = int(before or 0) + 1 >= TRIES
    if over:
        connection.execute(
            text("UPDATE user_session SET ended_at = clock_timestamp() WHERE id = :id"),
            {"id": session.id},
        )
    audit.record(
        connection, service.clock.now(), account.actor, "password.refused", account.name,
        session=session.id, ended=over,
    )  # fmt: skip
    return OVER if over else WRONG
