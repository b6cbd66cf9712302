"""Small numbers of people are not told, and nothing gives them away.

A count of 1 to 4 could be recognised, and so could 1 to 4 who are missing from a known total.
Where hidden counts add up with told ones to a known total, more are hidden until at least two
are, and these together are large: neither can then be worked out. The value of the threshold
is the office's (``CONTACT_DISCLOSURE_THRESHOLD``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

THRESHOLD = 5
HIDDEN = "x"
"""As official statistics in Japan mark a figure that is withheld (秘匿)."""

Row = dict[str, Any]


def is_small(count: Any, threshold: int = THRESHOLD) -> bool:
    """Whether a count must not be told."""
    return isinstance(count, int | float) and 0 < count < threshold


def is_telling(count: Any, total: Any, threshold: int = THRESHOLD) -> bool:
    """Whether a count must not be told beside its total: it, or the rest, is small."""
    if not isinstance(count, int) or not isinstance(total, int):
        return False  # hidden already
    return is_small(count, threshold) or is_small(total - count, threshold)


def hide(row: Row, keys: Iterable[str], dependent: Iterable[str] = ()) -> Row:
    """``row`` with the counts ``keys`` hidden, and what follows from them left out."""
    return {**row, **dict.fromkeys(keys, HIDDEN), **dict.fromkeys(dependent)}


def hidden_with(
    hidden: set[int],
    margins: Sequence[Iterable[set[int]]],
    enough: Callable[[set[int]], bool],
    sizes: Sequence[int],
) -> set[int]:
    """``hidden`` rows, and the smallest others with them, until of no sum that is told what is
    hidden can be worked out. ``margins`` are the ways in which rows add up to told sums: each its
    groups of rows. ``enough`` says of a group's hidden rows that their sum tells nothing of one."""
    found = set(hidden)
    grown = True
    while grown:
        grown = False
        for group in (each for margin in margins for each in margin):
            others = sorted(group - found, key=lambda n: sizes[n])
            if others and group & found and not enough(group & found):
                found.add(others[0])
                grown = True
    return found


def hide_small(
    rows: Sequence[Row], count: str, dependent: Sequence[str] = (), threshold: int = THRESHOLD
) -> list[Row]:
    """``rows`` that add up to a known total, with small values of ``count`` hidden.

    What is ``dependent`` on a hidden count becomes ``None``. Rows whose count an earlier pass
    has hidden stay as they are, and count as hidden.
    """
    known = {n: row[count] for n, row in enumerate(rows) if row[count] != HIDDEN}
    before = len(rows) - len(known)
    hidden = {n for n, value in known.items() if is_small(value, threshold)}
    if hidden:
        candidates = sorted(
            (n for n, value in known.items() if value >= threshold), key=lambda n: known[n]
        )
        while candidates and (
            len(hidden) + before < 2 or sum(known[n] for n in hidden) < 2 * threshold
        ):
            hidden.add(candidates.pop(0))
    return [
        hide(row, (count,), dependent) if n in hidden else dict(row) for n, row in enumerate(rows)
    ]
