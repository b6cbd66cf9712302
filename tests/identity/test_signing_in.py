"""Accounts, signing in, second factor, sessions: what lets somebody in and what does not."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.identity import accounts, second_factor, sessions, signing_in
from contact_service.identity.accounts import CannotDo
from contact_service.identity.sessions import Session
from contact_service.identity.signing_in import Refusal
from tests.identity.conftest import ADMINISTRATOR

GOOD = "otter-lamp-violet-stairs"


def enter(
    service: Service, name: str, password: str, code: str = "", *,
    address: str = "127.0.0.1", browser: str = "",
) -> str | Refusal:  # fmt: skip
    """The session's cookie; ``browser`` is what :func:`known` gave."""
    found = signing_in.sign_in(service, name, password, code, address, "a browser", browser)
    return found if isinstance(found, Refusal) else found.session


def known(service: Service, name: str, browser: str = "") -> str:
    """By what the browser is known from which somebody has signed in."""
    found = signing_in.sign_in(service, name, GOOD, "", "127.0.0.1", "a browser", browser)
    assert not isinstance(found, Refusal)
    return found.browser


def inside(service: Service, cookie: str | Refusal) -> Session:
    assert not isinstance(cookie, Refusal), cookie
    found = sessions.resume(service, cookie)
    assert found is not None
    return found


@pytest.fixture
def tanaka(service: Service) -> Session:
    """Somebody with a password of her own."""
    first = accounts.add(service, ADMINISTRATOR, "tanaka", "田中", Role.STAFF, "納税担当課")
    session = inside(service, enter(service, "tanaka", first))
    signing_in.change_password(service, session, first, GOOD)
    return inside(service, enter(service, "tanaka", GOOD))


def shift(service: Service, table: str, column: str, by: str, where: str = "true") -> None:
    """Let time pass for the database."""
    with service.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {table} SET {column} = {column} - interval '{by}' WHERE {where}")
        )


def test_a_first_password_must_be_changed(service: Service) -> None:
    first = accounts.add(service, ADMINISTRATOR, "sato", "佐藤", Role.APPROVER)
    session = inside(service, enter(service, " SATO ", first))
    assert session.account.must_change
    with pytest.raises(CannotDo, match="present password is not right"):
        signing_in.change_password(service, session, "wrong", GOOD)
    with pytest.raises(CannotDo, match="that is the present"):
        signing_in.change_password(service, session, first, first)
    with pytest.raises(CannotDo, match="account's name"):
        signing_in.change_password(service, session, first, "sato-lamp-violet-stairs")
    signing_in.change_password(service, session, first, GOOD)
    assert enter(service, "sato", first) is Refusal.WRONG
    account = inside(service, enter(service, "sato", GOOD)).account
    assert (account.must_change, account.actor) == (False, Actor("sato", Role.APPROVER, "*"))


def test_only_an_administrator_makes_accounts(service: Service) -> None:
    with pytest.raises(NotAllowed):
        accounts.add(service, Actor("x", Role.STAFF), "friend", "", Role.ADMINISTRATOR)
    for name in ("", "X", "1abc", "a b", "a" * 41, "system;--", "日本"):
        with pytest.raises(CannotDo):
            accounts.add(service, ADMINISTRATOR, name, "", Role.STAFF)
    with pytest.raises(CannotDo):
        accounts.add(service, ADMINISTRATOR, "worker", "", Role.SYSTEM)
    accounts.add(service, ADMINISTRATOR, "suzuki", "", Role.STAFF)
    with pytest.raises(CannotDo, match="taken"):
        accounts.add(service, ADMINISTRATOR, "suzuki", "", Role.STAFF)


def test_an_unknown_name_and_a_wrong_password_look_alike(service: Service, tanaka: Session) -> None:
    assert enter(service, "nobody", GOOD) is enter(service, "tanaka", "wrong") is Refusal.WRONG


def test_five_wrong_tries_lock_for_longer_each_time(service: Service, tanaka: Session) -> None:
    for _ in range(4):
        enter(service, "tanaka", "wrong")
    inside(service, enter(service, "tanaka", GOOD))  # four are forgiven
    for _ in range(5):
        enter(service, "tanaka", "wrong")
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG
    shift(service, "user_account", "locked_until", "16 minutes")
    enter(service, "tanaka", "wrong")
    shift(service, "user_account", "locked_until", "16 minutes")
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG  # now half an hour
    shift(service, "user_account", "locked_until", "16 minutes")
    inside(service, enter(service, "tanaka", GOOD))


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(
    service: Service, tanaka: Session
) -> None:
    """Device cookies: strangers lock an account for strangers, a known browser for itself."""
    desk, home = known(service, "tanaka"), known(service, "tanaka")
    assert desk != home
    for _ in range(signing_in.TRIES):
        enter(service, "tanaka", "wrong")
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG
    assert enter(service, "tanaka", GOOD, browser="made up") is Refusal.WRONG
    inside(service, enter(service, "tanaka", GOOD, browser=desk))
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG, "whose lock goes on"
    for _ in range(signing_in.TRIES):  # whoever sits at the desk guesses no more often
        enter(service, "tanaka", "wrong", browser=desk)
    assert enter(service, "tanaka", GOOD, browser=desk) is Refusal.WRONG
    inside(service, enter(service, "tanaka", GOOD, browser=home))
    shift(service, "known_browser", "locked_until", "16 minutes")
    inside(service, enter(service, "tanaka", GOOD, browser=desk))
    # of another account it is a stranger's, until that was used there, too
    first = accounts.add(service, ADMINISTRATOR, "sato", "佐藤", Role.STAFF)
    for _ in range(signing_in.TRIES):
        enter(service, "sato", "wrong", browser=desk)
    assert enter(service, "sato", first, browser=desk) is Refusal.WRONG
    shift(service, "user_account", "locked_until", "16 minutes")
    found = signing_in.sign_in(service, "sato", first, "", "127.0.0.1", "", desk)
    assert not isinstance(found, Refusal) and found.browser == desk
    assert known(service, "tanaka", desk) == desk
    # it opens nothing by itself, and an administrator's reset forgets it
    assert sessions.resume(service, desk) is None
    accounts.reset(service, ADMINISTRATOR, "tanaka")
    with service.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM known_browser")) == 1


def test_whoever_goes_on_guessing_is_locked_out_for_four_hours_and_no_longer(
    service: Service, tanaka: Session
) -> None:
    for _ in range(signing_in.TRIES + 6):  # a quarter of an hour doubled six times is sixteen
        shift(service, "user_account", "locked_until", "5 hours")
        enter(service, "tanaka", "wrong")
    shift(service, "user_account", "locked_until", "239 minutes")
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG
    shift(service, "user_account", "locked_until", "2 minutes")
    inside(service, enter(service, "tanaka", GOOD))


def test_wrong_codes_lock_like_wrong_passwords(service: Service, tanaka: Session) -> None:
    secret = signing_in.begin_second_factor(service, tanaka)
    signing_in.confirm_second_factor(service, tanaka, pyotp.TOTP(secret).now(), GOOD)
    for _ in range(signing_in.TRIES):  # whoever has the password must not try all codes
        assert enter(service, "tanaka", GOOD) is Refusal.CODE_NEEDED  # which forgives nothing
        assert enter(service, "tanaka", GOOD, "no code") is Refusal.WRONG
    later = pyotp.TOTP(secret).at(time.time() + second_factor.STEP_SECONDS)
    assert enter(service, "tanaka", GOOD, later) is Refusal.WRONG
    shift(service, "user_account", "locked_until", "16 minutes")
    later = pyotp.TOTP(secret).at(time.time() + second_factor.STEP_SECONDS)
    inside(service, enter(service, "tanaka", GOOD, later))


def test_many_tries_at_once_count_as_many(service: Service, tanaka: Session) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: enter(service, "tanaka", f"wrong {n}"), range(5)))
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG


def test_a_second_factor_is_in_force_once_confirmed_and_counts_once(
    service: Service, tanaka: Session
) -> None:
    secret = signing_in.begin_second_factor(service, tanaka)
    assert signing_in.begin_second_factor(service, tanaka) == secret
    inside(service, enter(service, "tanaka", GOOD))  # not in force yet
    now = pyotp.TOTP(secret)
    with pytest.raises(CannotDo, match="not right"):
        signing_in.confirm_second_factor(service, tanaka, "000000", GOOD)
    with pytest.raises(CannotDo, match="present password"):  # a desk left unlocked
        signing_in.confirm_second_factor(service, tanaka, now.now(), "wrong")
    inside(service, enter(service, "tanaka", GOOD))
    signing_in.confirm_second_factor(service, tanaka, now.now(), GOOD)
    assert enter(service, "tanaka", GOOD) is Refusal.CODE_NEEDED
    with service.engine.connect() as connection:
        last = connection.scalar(text("SELECT totp_last_step FROM user_account"))
    used = pyotp.HOTP(secret).at(last)
    assert enter(service, "tanaka", GOOD, used) is Refusal.WRONG  # read over a shoulder
    with service.engine.begin() as connection:
        connection.execute(text("UPDATE user_account SET totp_last_step = totp_last_step - 9"))
    code = now.now()
    inside(service, enter(service, "tanaka", GOOD, f" {code[:3]} {code[3:]} "))
    assert enter(service, "tanaka", GOOD, code) is Refusal.WRONG
    with pytest.raises(CannotDo, match="already"):
        signing_in.begin_second_factor(service, tanaka)
    with pytest.raises(CannotDo):  # nor is it confirmed again, and what was used usable again
        signing_in.confirm_second_factor(service, tanaka, now.now(), GOOD)
    with service.engine.connect() as connection:
        stored = connection.scalar(text("SELECT totp_secret FROM user_account"))
    assert secret.encode() not in bytes(stored)


def test_a_code_may_be_typed_wide_and_what_is_no_code_is_a_wrong_one() -> None:
    secret = second_factor.new_secret()
    code = pyotp.HOTP(secret).at(1000)
    wide = code.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    found = [
        second_factor.step_of(secret, typed, 30_000.0, None)
        for typed in (code, wide, f"{wide[:3]}\u3000{wide[3:]}", "あいうえおか", "\ud800", "")
    ]
    assert found == [1000, 1000, 1000, None, None, None]


@pytest.mark.parametrize(
    ("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_telephones_clock_may_be_half_a_minute_off(steps: int, fits: bool) -> None:
    secret = second_factor.new_secret()
    now, here = 59.0 + 30 * 1_000, 1_001  # the last second of its step
    code = pyotp.HOTP(secret).at(here + steps)
    found = second_factor.step_of(secret, code, now, None)
    assert found == (here + steps if fits else None)
    # what was used, and what is older than it, is used up, and the next is not
    assert second_factor.step_of(secret, code, now, here + steps) is None
    assert second_factor.step_of(secret, code, now, here + steps - 1) == found


def test_a_session_ends_by_idling_by_age_by_hand_and_by_an_administrator(
    service: Service, tanaka: Session
) -> None:
    cookies = [enter(service, "tanaka", GOOD) for _ in range(4)]
    first, second, third, fourth = (inside(service, cookie) for cookie in cookies)
    shift(service, "user_session", "seen_at", "31 minutes", f"id = {first.id}")
    shift(service, "user_session", "ends_at", "13 hours", f"id = {second.id}")
    assert sessions.end(service, tanaka.account.actor, tanaka.account.id, third.id)
    assert not sessions.end(service, tanaka.account.actor, tanaka.account.id + 1, fourth.id)
    gone = [sessions.resume(service, str(cookie)) is None for cookie in cookies]
    assert gone == [True, True, True, False]
    # whoever is disabled is out, even if a session of theirs were left open
    for disabled, open_ in (("now()", False), ("NULL", True)):
        with service.engine.begin() as connection:
            connection.execute(text(f"UPDATE user_account SET disabled_at = {disabled}"))
        assert (sessions.resume(service, str(cookies[3])) is not None) == open_
    with service.engine.connect() as connection:
        shown = sessions.open_sessions(connection, tanaka.account.id)
        assert {item.id for item in shown} & {first.id, second.id, third.id} == set()
    accounts.disable(service, ADMINISTRATOR, "tanaka")
    assert sessions.resume(service, str(cookies[3])) is None
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG
    accounts.enable(service, ADMINISTRATOR, "tanaka")
    assert sessions.resume(service, str(cookies[3])) is None
    inside(service, enter(service, "tanaka", GOOD))


def test_a_new_password_or_role_puts_everybody_else_out(service: Service, tanaka: Session) -> None:
    other = enter(service, "tanaka", GOOD)
    signing_in.change_password(service, tanaka, GOOD, "violet-stairs-lamp-otter")
    assert sessions.resume(service, str(other)) is None
    again = enter(service, "tanaka", "violet-stairs-lamp-otter")
    accounts.assign(service, ADMINISTRATOR, "tanaka", Role.EVALUATOR, "*")
    assert sessions.resume(service, str(again)) is None


def test_a_reset_takes_lock_and_second_factor_away(service: Service, tanaka: Session) -> None:
    secret = signing_in.begin_second_factor(service, tanaka)
    signing_in.confirm_second_factor(service, tanaka, pyotp.TOTP(secret).now(), GOOD)
    for _ in range(5):
        enter(service, "tanaka", "wrong")
    first = accounts.reset(service, ADMINISTRATOR, "tanaka")
    assert inside(service, enter(service, "tanaka", first)).account.must_change


def test_nobody_locks_themselves_out_or_up(service: Service) -> None:
    accounts.add(service, ADMINISTRATOR, "root", "", Role.ADMINISTRATOR)
    with pytest.raises(CannotDo):
        accounts.disable(service, ADMINISTRATOR, "root")
    with pytest.raises(CannotDo):
        accounts.assign(service, ADMINISTRATOR, "root", Role.STAFF, "*")
    with pytest.raises(CannotDo, match="no user"):
        accounts.reset(service, ADMINISTRATOR, "nobody")


def test_all_of_it_is_written_down_and_no_secret_with_it(service: Service, tanaka: Session) -> None:
    enter(service, "tanaka", "my wrong password")
    enter(service, "my-password-typed-as-name", "x")
    with service.engine.connect() as connection:
        rows = connection.execute(text("SELECT action, subject, details::text FROM audit_log"))
        lines = [" ".join(row) for row in rows]
        sessions_held = connection.execute(text("SELECT token_hash FROM user_session")).all()
    actions = {line.split()[0] for line in lines}
    assert actions == {"user.added", "session.opened", "session.refused", "password.changed"}
    assert not any("password" in line.removeprefix("password.changed") for line in lines)
    assert all(len(row.token_hash) == 32 for row in sessions_held)


def test_another_role_is_written_down_with_how_it_was(service: Service, tanaka: Session) -> None:
    accounts.assign(service, ADMINISTRATOR, "tanaka", Role.SUPERVISOR, "国保・後期高齢担当課")
    with service.engine.connect() as connection:
        details = connection.scalar(
            text("SELECT details FROM audit_log WHERE action = 'user.assigned'")
        )
    assert details == {
        "before": {"role": "staff", "office": "納税担当課"},
        "after": {"role": "supervisor", "office": "国保・後期高齢担当課"},
    }


def test_a_first_password_opens_nothing_after_a_week(service: Service) -> None:
    first = accounts.add(service, ADMINISTRATOR, "sato", "佐藤", Role.APPROVER)
    shift(service, "user_account", "password_set_at", "6 days")
    inside(service, enter(service, "sato", first))
    shift(service, "user_account", "password_set_at", "1 day 1 hour")
    assert enter(service, "sato", first) is Refusal.WRONG


def test_an_address_that_tries_everybody_is_not_listened_to(
    service: Service, tanaka: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_OF_AN_ADDRESS", 6)
    browser = known(service, "tanaka")
    for n in range(6):
        assert enter(service, f"name{n}", "guess") is Refusal.WRONG
    assert enter(service, "tanaka", GOOD) is Refusal.WRONG
    inside(service, enter(service, "tanaka", GOOD, address="10.0.0.9"))
    inside(service, enter(service, "tanaka", GOOD, browser=browser))  # a colleague's desk is heard
    service.clock.at += timedelta(minutes=16)  # type: ignore[attr-defined]
    inside(service, enter(service, "tanaka", GOOD))
