"""The carrier's memory of one kind of item, and its listing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlencode

MAXIMUM_PAGE = 1000
DEFAULT_PAGE = 50


class Item(Protocol):
    """What a listing needs to know of an item."""

    sid: str
    to: str
    status: str

    @property
    def sender(self) -> str | None: ...

    @property
    def listed_at(self) -> datetime: ...

    def resource(self) -> dict[str, object]: ...


AnyItem = TypeVar("AnyItem", bound=Item)


class Records(Generic[AnyItem]):
    """Items by identifier, and by number in the order in which they came."""

    def __init__(self) -> None:
        self._by_sid: dict[str, tuple[int, AnyItem]] = {}
        self._all: list[AnyItem] = []
        self._by_number: dict[str, list[AnyItem]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, item: AnyItem) -> None:
        """Remember an item; the newest is listed first."""
        self._by_sid[item.sid] = (len(self._all), item)
        self._all.append(item)
        self._by_number.setdefault(item.to, []).append(item)

    def count_to(self, number: str) -> int:
        """How many items went to a number."""
        return len(self._by_number.get(number, ()))

    def get(self, sid: str) -> AnyItem | None:
        """An item by its identifier."""
        found = self._by_sid.get(sid)
        return found[1] if found else None

    def matching(
        self, query: Mapping[str, str], date_field: str, before: str = ""
    ) -> Iterator[AnyItem]:
        """Items that pass the filters, newest first; only those older than ``before``."""
        number = query.get("To")
        pool = self._all if number is None else self._by_number.get(number, [])
        limit = self._by_sid[before][0] if before in self._by_sid else len(self._all)
        tests = list(_tests(query, date_field))
        for item in reversed(pool):
            if self._by_sid[item.sid][0] < limit and all(test(item) for test in tests):
                yield item


@dataclass(frozen=True, slots=True)
class Page(Generic[AnyItem]):
    """One page of a listing, in Twilio's form."""

    items: Sequence[AnyItem]
    path: str
    query: Mapping[str, str]
    size: int
    number: int
    more: bool

    def body(self, key: str) -> dict[str, object]:
        """The JSON answer; ``key`` names the list."""
        start = self.number * self.size
        following = {
            **self.query,
            "PageSize": str(self.size),
            "Page": str(self.number + 1),
            "PageToken": f"PA{self.items[-1].sid}" if self.items else "",
        }
        first = {**self.query, "PageSize": str(self.size), "Page": "0"}
        return {
            key: [item.resource() for item in self.items],
            "page": self.number,
            "page_size": self.size,
            "start": start,
            "end": max(start, start + len(self.items) - 1),
            "uri": f"{self.path}?{urlencode({**self.query, 'PageSize': self.size})}",
            "first_page_uri": f"{self.path}?{urlencode(first)}",
            "previous_page_uri": None,
            "next_page_uri": f"{self.path}?{urlencode(following)}" if self.more else None,
        }


def page(
    records: Records[AnyItem], query: Mapping[str, str], path: str, date_field: str
) -> Page[AnyItem]:
    """The page that ``query`` asks for.

    ``PageToken`` names the last item already seen, so that items which arrive between two
    pages shift nothing. Raises ``ValueError`` for dates and sizes that cannot be read.
    """
    size = min(max(int(query.get("PageSize", DEFAULT_PAGE)), 1), MAXIMUM_PAGE)
    number = int(query.get("Page", 0))
    before = query.get("PageToken", "").removeprefix("PA")
    found: list[AnyItem] = []
    for item in records.matching(query, date_field, before):
        if len(found) > size:
            break
        found.append(item)
    filters = {k: v for k, v in query.items() if k not in ("Page", "PageSize", "PageToken")}
    return Page(found[:size], path, filters, size, number, len(found) > size)


def _tests(query: Mapping[str, str], date_field: str) -> Iterator[Callable[[Item], bool]]:
    if sender := query.get("From"):
        yield lambda item: item.sender == sender
    if status := query.get("Status"):
        yield lambda item: item.status == status
    if on := query.get(date_field):
        start, end = _span(on)
        yield lambda item: start <= item.listed_at < end
    # Twilio's ">" and "<" include the instant or the whole day that is named.
    if after := query.get(f"{date_field}>"):
        earliest, _ = _span(after)
        yield lambda item: item.listed_at >= earliest
    if until := query.get(f"{date_field}<"):
        _, latest = _span(until)
        yield lambda item: item.listed_at < latest


def _span(text: str) -> tuple[datetime, datetime]:
    """From when to when (excluded) a date or instant reaches.

    Dates are days in UTC. The SDK writes a day as its midnight, so midnight means the day.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    whole_day = instant.astimezone(UTC).time() == time.min
    return instant, instant + (timedelta(days=1) if whole_day else timedelta(seconds=1))
