"""Small numbers in breakdowns by attributes of people are not shown.

A count of 1 to 4 could be recognised. Where one cell alone is hidden, the smallest of the
others is hidden too, or the total would give it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

THRESHOLD = 5
HIDDEN = f"<{THRESHOLD}"
WITHHELD = "…"
"""Not small itself, but it would give a small one away."""


def hide_small(
    rows: Sequence[dict[str, Any]], count: str, dependent: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """``rows`` that add up to a known total, with small values of ``count`` hidden.

    What is ``dependent`` on a hidden count becomes ``None``. Rows whose count an earlier pass
    has hidden stay as they are.
    """
    known = {n: row[count] for n, row in enumerate(rows) if isinstance(row[count], int)}
    hidden = {n for n, value in known.items() if 0 < value < THRESHOLD}
    if len(hidden) == 1:
        others = [n for n, value in known.items() if value >= THRESHOLD]
        hidden |= {min(others, key=lambda n: known[n])} if others else set()
    return [
        {**row, count: HIDDEN if known[n] < THRESHOLD else WITHHELD, **dict.fromkeys(dependent)}
        if n in hidden
        else dict(row)
        for n, row in enumerate(rows)
    ]
