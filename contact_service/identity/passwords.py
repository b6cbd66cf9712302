"""Passwords: which are good enough, and how they are kept.

Kept as Argon2id with a salt each (RFC 9106's low-memory parameters, 64 MiB). Judged by length
and by how soon they would be guessed, never by a rule on kinds of characters (OWASP ASVS 5.0,
V6.2). The lists of passwords known from breaches come with the installation.
"""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST = 12
LONGEST = 128
#: zxcvbn's scale runs to 4: 3 withstands 10^8 guesses.
WEAKEST_SCORE = 3
#: The estimator's time grows with length; what is longer than this is judged by its beginning.
JUDGED = 64

_hasher = PasswordHasher()
_BREACHED = frozenset(FREQUENCY_LISTS["passwords"])
_NOBODYS = _hasher.hash(secrets.token_urlsafe(24))


def faults(password: str, *about: str) -> list[str]:
    """What is wrong with a new password, in words; empty when it may be used.

    ``about`` are words that a guesser would try first: the account's name, the office.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return [f"{SHORTEST}文字以上にしてください / use {SHORTEST} characters or more"]
    if len(plain) > LONGEST:
        return [f"{LONGEST}文字までにしてください / use {LONGEST} characters at most"]
    found = []
    if plain.lower() in _BREACHED:
        found.append("流出したパスワードの一覧にあります / it is in lists of leaked passwords")
    if any(word and word.lower() in plain.lower() for word in about if len(word) > 2):
        found.append("利用者名を含めないでください / it must not contain the account's name")
    if not found and zxcvbn(plain[:JUDGED], user_inputs=list(about))["score"] < WEAKEST_SCORE:
        found.append(
            "推測されやすいパスワードです。関係のない語をいくつか並べてください / "
            "it is easily guessed: put some unrelated words in a row"
        )
    return found


def hashed(password: str) -> str:
    """What is stored of a password."""
    return _hasher.hash(_plain(password))


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one. Takes as long when nothing is stored."""
    try:
        _hasher.verify(stored or _NOBODYS, _plain(password[: LONGEST * 4]))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether a stored password should be hashed anew, with today's parameters."""
    return _hasher.check_needs_rehash(stored)


def made_up() -> str:
    """A password for somebody's first sign-in: easy to read aloud, 80 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _plain(password: str) -> str:
    """One spelling of what looks the same: keyboards differ in width and composition."""
    return unicodedata.normalize("NFKC", password)
