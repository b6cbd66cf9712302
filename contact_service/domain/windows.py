"""When people may be contacted: windows, holidays, year-end closure, in Asia/Tokyo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import jpholiday

from campaigns.hours import Hours, Window
from campaigns.hours import is_year_end as is_year_end
from contact_service.domain.dates import TOKYO

HALF_HOUR = timedelta(minutes=30)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@lru_cache(maxsize=4096)
def is_holiday(day: date) -> bool:
    """Whether ``day`` is a Japanese public holiday (国民の祝日, substitutes included)."""
    return bool(jpholiday.is_holiday(day))


def windows_on(hours: Hours, day: date) -> tuple[Window, ...]:
    """The windows of one day, sessions on its date included; none when it is closed."""
    if is_year_end(day) or day in hours.closed_on:
        return ()
    name = "holidays" if is_holiday(day) else _WEEKDAYS[day.weekday()]
    windows: tuple[Window, ...] = getattr(hours, name)
    sessions = [each for each in hours.sessions if each.on == day]
    return _merged([*windows, *sessions]) if sessions else windows


def _merged(windows: list[Window]) -> tuple[Window, ...]:
    """The same hours as windows that neither overlap nor touch, in order."""
    merged: list[Window] = []
    for each in sorted(windows, key=lambda w: w.opens):
        if merged and each.opens <= merged[-1].closes:
            last = merged.pop()
            each = Window(opens=last.opens, closes=max(last.closes, each.closes))
        merged.append(Window(opens=each.opens, closes=each.closes))
    return tuple(merged)


def is_working_day(hours: Hours, day: date) -> bool:
    """Monday to Friday, but for public holidays, the year-end closure and black-out dates."""
    closed = is_holiday(day) or is_year_end(day) or day in hours.closed_on
    return day.weekday() < 5 and not closed


def add_working_days(hours: Hours, day: date, count: int) -> date:
    """The ``count``-th working day after ``day``; ``day`` itself for 0."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(hours, day)
    return day


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether ``at`` (aware) lies in a window."""
    local = at.astimezone(TOKYO)
    now = local.timetz().replace(tzinfo=None)
    return any(w.opens <= now < w.closes for w in windows_on(hours, local.date()))


def open_slots(hours: Hours, start: datetime, days: int) -> Iterator[datetime]:
    """The half-hours that are open from ``start`` on, over ``days`` days, in order.

    A slot begins on the hour or half-hour, at a window's opening, or at ``start`` itself.
    """
    local = start.astimezone(TOKYO)
    for offset in range(days + 1):
        day = local.date() + timedelta(days=offset)
        for window in sorted(windows_on(hours, day), key=lambda w: w.opens):
            slot = max(local, datetime.combine(day, window.opens, TOKYO))
            closes = datetime.combine(day, window.closes, TOKYO)
            while slot < closes:
                yield slot
                slot = _next_half_hour(slot)


def open_hours(hours: Hours) -> list[int]:
    """The hours of the day (0 to 23) in which some window of any day or session is open."""
    days = [getattr(hours, name) for name in (*_WEEKDAYS, "holidays", "sessions")]
    found: set[int] = set()
    for window in (window for windows in days for window in windows):
        found |= set(range(window.opens.hour, window.closes.hour + (window.closes.minute > 0)))
    return sorted(found)


def next_open(hours: Hours, at: datetime, within_days: int = 14) -> datetime | None:
    """The first instant from ``at`` on that lies in a window; ``None`` if there is none."""
    return next(open_slots(hours, at, within_days), None)


def _next_half_hour(at: datetime) -> datetime:
    floor = at.replace(minute=30 if at.minute >= 30 else 0, second=0, microsecond=0)
    return floor + HALF_HOUR


def at_tokyo(day: date, clock_time: time) -> datetime:
    """An instant from a day and a time of day in Tokyo."""
    return datetime.combine(day, clock_time, TOKYO)
