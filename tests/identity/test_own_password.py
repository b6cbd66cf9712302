"""The present password, asked again: no place to try passwords at, and what is tried is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.identity import sessions, signing_in
from contact_service.identity.accounts import CannotDo
from contact_service.identity.own_password import TRIES
from contact_service.identity.sessions import Session
from contact_service.identity.signing_in import Refusal
from tests.identity.test_signing_in import GOOD, enter, inside, tanaka

__all__ = ["tanaka"]
NEW = "violet-stairs-lamp-otter"


def wrong(service: Service, session: Session, by: str) -> str:
    """What is said to a wrong present password, where it is asked for."""
    with pytest.raises(CannotDo) as said:
        if by == "password":
            signing_in.change_password(service, session, "guessed", NEW)
        else:
            signing_in.confirm_second_factor(service, session, "000000", "guessed")
    return str(said.value)


def lines(service: Service, action: str) -> list[tuple[str, ...]]:
    with service.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT actor, subject, details FROM audit_log WHERE action = :a ORDER BY id"),
            {"a": action},
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("by", ["password", "code"])
def test_wrong_ones_in_a_row_end_the_session_and_are_written_down(
    service: Service, tanaka: Session, by: str
) -> None:
    cookie = enter(service, "tanaka", GOOD)
    here = inside(service, cookie)
    for _ in range(TRIES - 1):
        assert "signed out" not in wrong(service, here, by)
    assert sessions.resume(service, str(cookie)) is not None
    assert "signed out" in wrong(service, here, by)
    assert sessions.resume(service, str(cookie)) is None
    with pytest.raises(CannotDo, match="signed out"):  # a request that was under way
        signing_in.change_password(service, here, GOOD, NEW)
    assert lines(service, "password.refused") == [
        ("tanaka", "tanaka", {"session": here.id, "ended": n == TRIES}) for n in range(1, TRIES + 1)
    ]
    # who knows the password comes in again, and has all tries
    again = inside(service, enter(service, "tanaka", GOOD))
    assert "signed out" not in wrong(service, again, by)


def test_tries_count_for_the_account_whichever_session_they_come_from(
    service: Service, tanaka: Session
) -> None:
    """All at once, they count as many."""
    others = [inside(service, enter(service, "tanaka", GOOD)) for _ in range(2)]
    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda n: wrong(service, others[n % 2], "password"), range(12)))
    assert sum("signed out" not in said for said in told) == TRIES - 1
    assert len(lines(service, "password.refused")) <= TRIES + 1  # who is out asks no more
    signing_in.change_password(service, tanaka, GOOD, NEW)
    assert "signed out" not in wrong(service, tanaka, "password")


def test_a_right_password_without_its_code_is_written_down_and_counts_nothing(
    service: Service, tanaka: Session
) -> None:
    secret = signing_in.begin_second_factor(service, tanaka)
    signing_in.confirm_second_factor(service, tanaka, pyotp.TOTP(secret).now(), GOOD)
    for _ in range(2 * TRIES):
        found = enter(service, "tanaka", GOOD, address="203.0.113.9")
        assert found is Refusal.CODE_NEEDED
    told = ("tanaka", "tanaka", {"address": "203.0.113.9"})
    assert lines(service, "session.code_needed") == [told] * (2 * TRIES)
    assert lines(service, "session.refused") == []
    with service.engine.connect() as connection:
        counted = "SELECT failures, locked_until FROM user_account WHERE name = 'tanaka'"
        assert tuple(connection.execute(text(counted)).one()) == (0, None)


def test_an_account_is_known_by_the_twenty_browsers_that_it_was_used_from_last(
    service: Service, tanaka: Session
) -> None:
    def come(browser: str) -> str:
        found = signing_in.sign_in(service, "tanaka", GOOD, "", "127.0.0.1", "b", browser)
        assert not isinstance(found, Refusal)
        return found.browser

    desk = come("")
    for n in range(45):  # a browser that keeps no cookies
        come("")
        if n % 15 == 0:
            assert come(desk) == desk
    with service.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM known_browser")) == 20
    assert come(desk) == desk
    for _ in range(20):
        come("")
    assert come(desk) != desk  # not seen for so long, it is a new one
