"""Rules about when people may be contacted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from campaigns.definition import Definition, Hours, Window
from campaigns.faults import FieldPath, Problem
from campaigns.hours import is_year_end
from campaigns.vocabulary import DAY_PART_JA, DAY_PARTS, DayPart

#: Nobody is contacted earlier or later. Only money-lenders are bound to this by law
#: (貸金業法21条); an office should not do worse.
EARLIEST, LATEST = time(8, 0), time(21, 0)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = (*WEEKDAYS, "holidays")


def week_of(hours: Hours) -> tuple[tuple[Window, ...], ...]:
    """The windows of Monday to Sunday."""
    return tuple(getattr(hours, day) for day in WEEKDAYS)


def lawful(definition: Definition) -> Iterator[Problem]:
    """Windows run forwards, lie between 08:00 and 21:00, and do not overlap."""
    for day in DAYS:
        windows: tuple[Window, ...] = getattr(definition.hours, day)
        for index, window in enumerate(windows):
            path = ("hours", day, index)
            shown = f"{window.opens:%H:%M}–{window.closes:%H:%M}"
            yield from _within_limits(window, path, shown)
            before = windows[:index] if window.opens < window.closes else ()
            if any(w.opens < window.closes and window.opens < w.closes for w in before):
                yield Problem(
                    path,
                    f"時間帯 {shown} が、同じ日のほかの時間帯と重なっています",
                    f"the window {shown} overlaps another one of the same day",
                )


def _within_limits(window: Window, path: FieldPath, shown: str) -> Iterator[Problem]:
    if window.opens >= window.closes:
        yield Problem(
            path,
            f"時間帯 {shown} は空です（opens を closes より前に）",
            f"the window {shown} is empty: it must open before it closes",
        )
        return
    if window.opens < EARLIEST:
        yield Problem(
            (*path, "opens"),
            f"{EARLIEST:%H:%M} より前には連絡できません（{shown}）",
            f"nobody is contacted before {EARLIEST:%H:%M} ({shown})",
        )
    if window.closes > LATEST:
        yield Problem(
            (*path, "closes"),
            f"{LATEST:%H:%M} より後には連絡できません（{shown}）",
            f"nobody is contacted after {LATEST:%H:%M} ({shown})",
        )


def sessions_are_open(definition: Definition) -> Iterator[Problem]:
    """Sessions lie on days that are not closed, within the same limits, and do not overlap."""
    hours = definition.hours
    for index, session in enumerate(hours.sessions):
        path = ("hours", "sessions", index)
        shown = f"{session.on} {session.opens:%H:%M}–{session.closes:%H:%M}"
        yield from _within_limits(session, path, shown)
        if session.on in hours.closed_on or is_year_end(session.on):
            yield Problem(
                (*path, "on"),
                f"{session.on} は休みの日です（年末年始か `closed_on`）",
                f"{session.on} is a day of closure (year-end, or `closed_on`)",
            )
        same_day = [each for each in hours.sessions[:index] if each.on == session.on]
        if any(w.opens < session.closes and session.opens < w.closes for w in same_day):
            yield Problem(
                path,
                f"{shown} は、同じ日のほかの窓口と重なっています",
                f"the session {shown} overlaps another one of the same day",
            )


def parts_of_day_exist(definition: Definition) -> Iterator[Problem]:
    """A retry in one part of the day can find a window there."""
    hours = definition.hours
    windows: list[Window] = [window for day in DAYS for window in getattr(hours, day)]
    windows += hours.sessions
    if not windows:
        return
    for index, step in enumerate(definition.steps):
        for position, retry in enumerate(step.retries):
            part = retry.part_of_day
            if part is None:
                continue
            found = [
                each
                for each, (begins, ends) in DAY_PARTS.items()
                if any(w.opens < ends and begins < w.closes for w in windows)
            ]
            ok = len(found) > 1 if part is DayPart.ANOTHER else part in found
            if not ok:
                yield Problem(
                    ("steps", index, "retries", position, "part_of_day"),
                    f"連絡する時間に「{DAY_PART_JA[part]}」がありません",
                    f"no window is open in this part of the day (`{part}`)",
                )


def open_at_all(definition: Definition) -> Iterator[Problem]:
    """Some weekday is open, or some date."""
    if not any(week_of(definition.hours)) and not definition.hours.sessions:
        yield Problem(
            ("hours",),
            "連絡できる曜日がありません",
            "no day of the week has a window: nobody could ever be contacted",
        )


def starts_when_open(definition: Definition) -> Iterator[Problem]:
    """A step begins at a time of day that is open on some weekday."""
    hours = definition.hours
    windows = [*(window for day in week_of(hours) for window in day), *hours.sessions]
    for index, step in enumerate(definition.steps):
        if not any(w.opens <= step.start.at < w.closes for w in windows):
            yield Problem(
                ("steps", index, "start"),
                f"段階 `{step.name}` の開始 {step.start.at:%H:%M} は、"
                "どの曜日の時間帯にも入りません。次に開く時刻まで待ちます",
                f"step `{step.name}` begins at {step.start.at:%H:%M}, which is outside every "
                "window; it will wait for the next one",
                warning=True,
            )


def expires_after_opening(definition: Definition) -> Iterator[Problem]:
    """Between a step's start and its expiry there is an open window, whatever the weekday.

    Only a warning: it depends on the day the run starts.
    """
    week = week_of(definition.hours)
    if not any(week):
        return
    for index, step in enumerate(definition.steps):
        lasting = timedelta(days=step.expires_after_days)
        closed = [
            WEEKDAYS[weekday]
            for weekday in range(7)
            if _wait(week, weekday, step.start.at) >= lasting
        ]
        if closed:
            yield Problem(
                ("steps", index, "expires_after_days"),
                f"段階 `{step.name}` は{step.expires_after_days}日で期限切れになり、"
                f"始まる曜日によっては一度も時間帯が開きません（{', '.join(closed)}）",
                f"step `{step.name}` expires after {step.expires_after_days} days without a "
                f"window if it begins on {', '.join(closed)}",
                warning=True,
            )


def _wait(week: tuple[tuple[Window, ...], ...], weekday: int, at: time) -> timedelta:
    """From a time of day on a weekday to the next moment that is open."""
    now = timedelta(hours=at.hour, minutes=at.minute)
    for offset in range(8):
        for window in sorted(week[(weekday + offset) % 7], key=lambda each: each.opens):
            opens = timedelta(days=offset, hours=window.opens.hour, minutes=window.opens.minute)
            closes = timedelta(days=offset, hours=window.closes.hour, minutes=window.closes.minute)
            if closes > max(now, opens):
                return max(opens - now, timedelta())
    return timedelta.max
