"""Dates as Japanese offices write them, and the fiscal year.

Understood, after NFKC (full-width digits and letters) and without spaces:

* Gregorian: ``2026/10/3``, ``2026-10-03``, ``2026.10.3``, ``2026年10月3日``, ``20261003``;
* by era: ``令和8年9月13日``, ``令8.9.13``, ``R8.9.13``, ``R08/09/13``, ``令和元年5月1日``;
* packed by era: ``5080913``, where the first digit is the era (1 明治 … 5 令和).

Six bare digits are not understood: ``080913`` may be 2008 or 令和8年.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


class NotADate(ValueError):
    """The text has no form of a date that is understood."""


class ImpossibleDate(ValueError):
    """The text has the form of a date, but there is no such day."""


@dataclass(frozen=True, slots=True)
class Era:
    """One era name (元号). ``first`` is its first day; its year 1 is ``first.year``."""

    name: str
    letter: str
    digit: str  # in packed forms
    first: date


#: Newest first, each from its first day in the Gregorian calendar.
ERAS: tuple[Era, ...] = (
    Era("令和", "R", "5", date(2019, 5, 1)),
    Era("平成", "H", "4", date(1989, 1, 8)),
    Era("昭和", "S", "3", date(1926, 12, 25)),
    Era("大正", "T", "2", date(1912, 7, 30)),
    Era("明治", "M", "1", date(1868, 1, 25)),
)
_BY_NAME = {key: era for era in ERAS for key in (era.name, era.name[0], era.letter)}
_BY_DIGIT = {era.digit: era for era in ERAS}

_ERA = r"(?P<era>令和|平成|昭和|大正|明治|[令平昭大明RHSTM])"
_SEPARATED = re.compile(
    rf"(?:{_ERA}(?P<short>\d{{1,2}}|元)|(?P<year>\d{{4}}))"
    r"(?:年|[./-])(?P<month>\d{1,2})(?:月|[./-])(?P<day>\d{1,2})日?"
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)")
_PACKED = re.compile(r"(?P<digit>[1-5])(?P<short>\d\d)(?P<month>\d\d)(?P<day>\d\d)")
_YEAR = re.compile(
    rf"(?:{_ERA}(?P<short>\d{{1,2}}|元)|(?P<digit>[1-5])(?P<packed>\d\d)|(?P<year>\d{{4}}))(?:年度?)?"
)
_BRACKETED = re.compile(r"\([^()]*\)")  # the weekday, or the year said twice
_MIDNIGHT = re.compile(r"[ T]+0?0:00(?::00)?$")
_TIME = re.compile(r"^(?P<day>.*?)[ T]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?$")


def parse_date(text: str) -> date:
    """Read a date in any of the forms of this module.

    A day after an era's end (平成31年5月1日) is read as what it means: papers printed before
    the change of era stay valid. A day before an era's beginning does not exist. Raises
    :class:`NotADate` or :class:`ImpossibleDate`. A midnight behind the date is ignored.
    """
    plain = _MIDNIGHT.sub("", _plain(text)).replace(" ", "").upper()
    match = _SEPARATED.fullmatch(plain) or _COMPACT.fullmatch(plain) or _PACKED.fullmatch(plain)
    if match is None:
        raise NotADate("not a date")
    parts = match.groupdict()
    era = _BY_NAME.get(parts.get("era") or "") or _BY_DIGIT.get(parts.get("digit") or "")
    year = int(parts["year"]) if era is None else _gregorian(era, parts["short"])
    try:
        day = date(year, int(parts["month"]), int(parts["day"]))
    except ValueError:
        raise ImpossibleDate("no such day") from None
    if era is not None and day < era.first:
        raise ImpossibleDate("before the era's first day")
    return day


def parse_instant(text: str) -> datetime:
    """Read a date and a time of day, in Asia/Tokyo: ``2026/09/01 08:44:01``, ``R8.9.1 8:44``.

    A date alone is its midnight. Raises :class:`NotADate` or :class:`ImpossibleDate`.
    """
    plain = _plain(text)
    match = _TIME.match(plain)
    if match is None:
        return datetime.combine(parse_date(plain), time.min, TOKYO)
    day = parse_date(match["day"])
    try:
        at = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        raise ImpossibleDate("no such time of day") from None
    return datetime.combine(day, at, TOKYO)


def parse_fiscal_year(text: str) -> int:
    """Read a fiscal year (年度): ``2026``, ``令和8年度``, ``R8``, packed ``508``.

    The result is the Gregorian year in which it begins; 令和元年度 is 2019. Raises
    :class:`NotADate`, or :class:`ImpossibleDate` for an era's year 0.
    """
    match = _YEAR.fullmatch(_plain(text).replace(" ", "").upper())
    if match is None:
        raise NotADate("not a year")
    if match["year"]:
        return int(match["year"])
    era = _BY_NAME[match["era"]] if match["era"] else _BY_DIGIT[match["digit"]]
    return _gregorian(era, match["short"] or match["packed"])


def fiscal_year(day: date) -> int:
    """The fiscal year (会計年度, April to March) that ``day`` lies in (地方自治法208条)."""
    return day.year if day.month >= 4 else day.year - 1


def era_text(day: date) -> str:
    """``day`` as officials write it: 令和8年9月13日, 令和元年5月1日.

    Raises ``ValueError`` for a day before 明治.
    """
    for era in ERAS:
        if day >= era.first:
            year = day.year - era.first.year + 1
            return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    raise ValueError("before the first era")


def _plain(text: str) -> str:
    return _BRACKETED.sub("", unicodedata.normalize("NFKC", text)).strip()


def _gregorian(era: Era, year: str) -> int:
    number = 1 if year == "元" else int(year)
    if number == 0:
        raise ImpossibleDate("eras begin with year 1")
    return era.first.year + number - 1
