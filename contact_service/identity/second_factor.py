"""The second factor: a code that changes every 30 seconds (TOTP, RFC 6238)."""

from __future__ import annotations

import hmac
import unicodedata

import pyotp

STEP_SECONDS = 30
#: How many steps a telephone's clock may differ, in either direction.
DRIFT_STEPS = 1
PLACE = "user_account.totp_secret"


def new_secret() -> str:
    """A fresh secret (base32, 160 bits), as authenticator applications take it."""
    return pyotp.random_base32()


def address(secret: str, name: str, office: str) -> str:
    """The ``otpauth:`` address that a QR code carries."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=office)


def step_of(secret: str, code: str, now: float, last_step: int | None) -> int | None:
    """The time step that ``code`` belongs to, or ``None`` when it is not right now.

    ``now`` is Unix time. A code of ``last_step`` or before has been used and counts for nothing:
    whoever read it over a shoulder comes too late (RFC 6238, 5.2).
    """
    # a Japanese keyboard gives wide digits and a wide space, too
    digits = "".join(unicodedata.normalize("NFKC", code).split()).encode("utf-8", "replace")
    here = int(now) // STEP_SECONDS
    found = None
    for step in range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1):
        right = hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), digits)
        if right and (last_step is None or step > last_step):
            found = step
    return found
