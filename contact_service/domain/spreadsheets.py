"""Cells of files that people open in a spreadsheet: what would be taken for a formula is not."""

from __future__ import annotations

import re

#: A cell that begins so is taken for a formula.
FORMULA = tuple("=+-@\t\r＝＋－＠")
#: Amounts and telephone numbers may begin so, too: ``-5``, ``+81 90-1234-5678``.
_NUMBER = re.compile(r"[-+－＋]?[\d\s.,，．()（）‐－ー−-]+")


def guarded(text: str) -> str:
    """``text`` with an apostrophe before it where it would be a formula; numbers stay."""
    if not text.startswith(FORMULA) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def unguarded(text: str) -> str:
    """What was written by :func:`guarded`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
