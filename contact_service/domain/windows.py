"""When people may be contacted: windows, holidays, year-end closure, in Asia/Tokyo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import jpholiday

from campaigns.definition import Hours, Window
from contact_service.domain.dates import TOKYO

HALF_HOUR = timedelta(minutes=30)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@lru_cache(maxsize=4096)
def is_holiday(day: date) -> bool:
    """Whether ``day`` is a Japanese public holiday (国民の祝日, substitutes included)."""
    return bool(jpholiday.is_holiday(day))


def is_year_end(day: date) -> bool:
    """Offices are closed from 29 December to 3 January (地方自治法4条の2)."""
    return (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)


def windows_on(hours: Hours, day: date) -> tuple[Window, ...]:
    """The windows of one day, none when it is closed."""
    if is_year_end(day) or day in hours.closed_on:
        return ()
    if is_holiday(day):
        return hours.holidays
    windows: tuple[Window, ...] = getattr(hours, _WEEKDAYS[day.weekday()])
    return windows


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


def next_open(hours: Hours, at: datetime, within_days: int = 14) -> datetime | None:
    """The first instant from ``at`` on that lies in a window; ``None`` if there is none."""
    return next(open_slots(hours, at, within_days), None)


def _next_half_hour(at: datetime) -> datetime:
    floor = at.replace(minute=30 if at.minute >= 30 else 0, second=0, microsecond=0)
    return floor + HALF_HOUR


def at_tokyo(day: date, clock_time: time) -> datetime:
    """An instant from a day and a time of day in Tokyo."""
    return datetime.combine(day, clock_time, TOKYO)
