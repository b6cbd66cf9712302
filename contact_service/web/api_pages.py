"""Lists in pages: by a cursor that says after which row to go on, so that no row is shown twice
or missed when others are added meanwhile.

``GET …?limit=50&cursor=…``; the answer is ``{"items": […], "next": "…" or null}``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, HTTPException, Query
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

T = TypeVar("T")
MOST = 200


class ApiPage(BaseModel, Generic[T]):
    """One page of a list; ``next`` is the cursor of the next one."""

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class PageAsked:
    """Which page somebody wants."""

    limit: int
    cursor: str | None

    @property
    def take(self) -> int:
        """How many rows to read: one more than is shown, to know whether there are more."""
        return self.limit + 1

    def after(self, *types: Any) -> tuple[Any, ...] | None:
        """The key of the last row already seen, of these types; ``None`` for the first page."""
        if self.cursor is None:
            return None
        try:
            key = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
            return TypeAdapter(tuple[types]).validate_python(key)  # type: ignore[valid-type]
        except (ValidationError, ValueError, binascii.Error):
            raise HTTPException(
                422,
                "cursorが正しくありません。前のページのnextをそのまま使ってください / the cursor "
                "is not one of ours: use the `next` of the page before",
            ) from None

    def ended(self, items: list[T], last: tuple[Any, ...] | None) -> ApiPage[T]:
        """The page of ``items`` after which the list goes on behind the key ``last``, if at
        all."""
        return ApiPage(items=items, next=_cursor(last) if last else None)

    def listed(
        self, rows: Sequence[T], key: Callable[[T], tuple[Any, ...]], *types: Any
    ) -> ApiPage[T]:
        """The page of a list that is at hand as a whole; put in the order of ``key``, whose parts
        are of ``types`` and which no two rows share."""
        after = self.after(*types)
        ordered = sorted(rows, key=key)
        return self.page(
            [row for row in ordered if after is None or key(row) > after], lambda row: row, key
        )

    def page(
        self, rows: Sequence[Any], shown: Callable[[Any], T], key: Callable[[Any], tuple[Any, ...]]
    ) -> ApiPage[T]:
        """The page of ``rows``, of which there were :attr:`take` asked for (or more), in the order
        of ``key``."""
        here = rows[: self.limit]
        more = len(rows) > self.limit
        return ApiPage(
            items=[shown(row) for row in here], next=_cursor(key(here[-1])) if more else None
        )


def _cursor(key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(to_jsonable_python(key)).encode()).decode()


def _asked(
    limit: Annotated[int, Query(ge=1, le=MOST, description="1ページの件数 / rows on a page")] = 50,
    cursor: Annotated[
        str | None,
        Query(max_length=400, description="前のページの `next` / the `next` of the page before"),
    ] = None,
) -> PageAsked:
    return PageAsked(limit, cursor)


#: The parameter of a route that answers in pages.
Asked = Annotated[PageAsked, Depends(_asked)]
