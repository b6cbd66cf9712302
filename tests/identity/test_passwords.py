"""Which passwords may be used, and that nothing can be read back from what is stored."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from contact_service.identity import passwords


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short-one", "12"),
        ("x" * 129, "128"),
        ("123456789012", "guessed"),
        ("passwordpassword", "guessed"),
        ("aaaaaaaaaaaaaaaa", "guessed"),
        ("tanaka-2026-summer", "account"),
        ("tanaka-blue-otter-lamp", "account"),
    ],
)
def test_a_password_that_falls_soon_is_refused_in_words(password: str, why: str) -> None:
    found = passwords.faults(password, "tanaka")
    assert found and why in " ".join(found)


def test_a_leaked_password_of_full_length_is_refused() -> None:
    leaked = next(word for word in sorted(passwords._BREACHED) if len(word) >= passwords.SHORTEST)
    assert "leaked" in passwords.faults(leaked)[0]
    assert "leaked" in passwords.faults(leaked.upper())[0]


@pytest.mark.parametrize(
    "password", ["otter-lamp-violet-stairs", "みどりの傘と三つの駅まで", "k" * 3 + "Qz9#vTe!w2Lp"]
)
def test_unrelated_words_are_good_in_any_script(password: str) -> None:
    assert passwords.faults(password, "tanaka") == []


def test_every_first_password_would_pass() -> None:
    for _ in range(20):
        assert passwords.faults(passwords.made_up()) == []


def test_what_is_stored_is_argon2id_and_fits_one_password_only() -> None:
    assert PasswordHasher().memory_cost >= 64 * 1024  # KiB: RFC 9106, second choice
    stored = passwords.hashed("otter-lamp-violet-stairs")
    assert stored.startswith("$argon2id$")
    assert "otter" not in stored
    assert passwords.fits(stored, "otter-lamp-violet-stairs")
    assert passwords.fits(stored, "ｏｔｔｅｒ-lamp-violet-stairs")  # another width of the same keys
    assert not passwords.fits(stored, "otter-lamp-violet-stair")
    assert not passwords.fits(None, "otter-lamp-violet-stairs")
    assert stored != passwords.hashed("otter-lamp-violet-stairs")
