"""A carrier's words in a form that can be kept: whatever it writes, a database takes it."""

from __future__ import annotations

LONGEST_REF = 80
LONGEST_STATUS = 60


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
        text.encode()  # ten times as fast as a look at every character
    except UnicodeEncodeError:
        return False
    return True


def identifier(value: object) -> str | None:
    """A carrier's identifier under which a contact can be kept and asked for; ``None`` for
    anything else. It may become a step of a path, so it is none that leads up."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_REF:
        return None
    return value if value.isprintable() and value not in (".", "..") else None
