"""A carrier's words in a form that can be kept: whatever it writes, a database takes it."""

from __future__ import annotations

import re

LONGEST_REF = 80
LONGEST_STATUS = 60


#: An exchange's own numbers. What begins with 0 leads outside, and 110, 119 and their kind lead to
#: the emergency and special services, whatever an exchange makes of them.
_EXTENSION = re.compile(r"(?!1[0-9]{2}$)[1-9][0-9]{1,5}")


def is_extension(text: str) -> bool:
    """Whether ``text`` is a telephone of an exchange's own, by its extension: 2 to 6 digits."""
    return _EXTENSION.fullmatch(text) is not None


def plain(text: str, most: int) -> str:
    """``text``, cut to ``most`` characters. What no column takes and no screen shows (NUL and
    other control characters, halves of surrogate pairs) is replaced by ``�``."""
    text = text[:most]
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def is_text(text: str) -> bool:
    """Whether ``text`` can be written at all: no half of a surrogate pair."""
    try:
        text.encode()  # twenty times as fast as a look at every character
    except UnicodeEncodeError:
        return False
    return True


def identifier(value: object) -> str | None:
    """A carrier's identifier under which a contact can be kept and asked for; ``None`` for
    anything else. It may become a step of a path, so it is none that leads up."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_REF:
        return None
    return value if value.isprintable() and value not in (".", "..") else None
