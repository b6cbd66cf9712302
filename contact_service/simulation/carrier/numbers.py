"""What a dialled number is, judged by its digits (Japan's numbering plan)."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_JAPANESE = re.compile(r"\+81[1-9]\d{8,9}")
_MOBILE = re.compile(r"\+81[6-9]0[1-9]\d{7}")
_IP = re.compile(r"\+8150\d{8}")


def is_dialable(number: str) -> bool:
    """Whether it is E.164 and, in Japan, has nine or ten digits after the country code."""
    if number.startswith("+81"):
        return _JAPANESE.fullmatch(number) is not None
    return _E164.fullmatch(number) is not None


def is_mobile(number: str) -> bool:
    """Whether it lies in a mobile range: 060, 070, 080, 090."""
    return _MOBILE.fullmatch(number) is not None


def is_ip(number: str) -> bool:
    """Whether it lies in the 050 range."""
    return _IP.fullmatch(number) is not None
