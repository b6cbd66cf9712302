"""Long lists a page at a time, without counting what is not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")
#: Rows of a page.
SIZE = 50
#: The last page that can be asked for: whoever looks for something further back searches.
LAST = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and whether there are more."""

    rows: Sequence[T]
    number: int
    """From 1."""
    more: bool
    query: Mapping[str, str]
    """What else the address says (filters): kept by the links to other pages."""

    def link(self, number: int) -> str:
        """The address's query for another page of the same list."""
        return "?" + urlencode({**self.query, "page": number})


def limits(number: int) -> Mapping[str, int]:
    """``limit`` and ``offset`` for SQL: one row more than is shown tells whether more follow."""
    return {"limit": SIZE + 1, "offset": (number - 1) * SIZE}


def paged(found: Sequence[T], number: int, query: Mapping[str, str] | None = None) -> Page[T]:
    """The page made of what was found with :func:`limits`."""
    return Page(found[:SIZE], number, len(found) > SIZE, query or {})
