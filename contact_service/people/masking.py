"""What is shown of a person before somebody has opened them, with a reason."""

from __future__ import annotations


def masked_name(name: str | None) -> str | None:
    """The first character of a name: enough to tell that it is not the person who was meant."""
    return f"{name[0]}＊＊" if name else None


def masked_number(e164: str) -> str:
    """The last two digits of a number."""
    return f"＊＊＊-{e164[-2:]}"
