"""Dates in every shape that offices write, and none that are not there."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_service.domain.dates import (
    ERAS,
    TOKYO,
    Era,
    ImpossibleDate,
    NotADate,
    era_text,
    fiscal_year,
    parse_date,
    parse_fiscal_year,
    parse_instant,
)

FULL_WIDTH = str.maketrans("0123456789/.-", "０１２３４５６７８９／．－")


def era_of(day: date) -> tuple[Era, int]:
    era = next(era for era in ERAS if day >= era.first)
    return era, day.year - era.first.year + 1


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("R5.9.6", date(2023, 9, 6)),
        ("R08/10/03", date(2026, 10, 3)),
        ("令和5年9月6日", date(2023, 9, 6)),
        ("令和８年２月２５日", date(2026, 2, 25)),
        ("令和 8年 2月 5日", date(2026, 2, 5)),
        ("5080913", date(2026, 9, 13)),
        ("3210304", date(1946, 3, 4)),
        ("昭和21年3月4日", date(1946, 3, 4)),
        ("昭64.1.7", date(1989, 1, 7)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("大正15年12月24日", date(1926, 12, 24)),
        ("2026/10/3", date(2026, 10, 3)),
        ("2026-10-03", date(2026, 10, 3)),
        ("20261003", date(2026, 10, 3)),
        ("２０２６年１０月３日", date(2026, 10, 3)),
        ("2026年（令和8年）10月3日", date(2026, 10, 3)),
        ("2026/10/3（土）", date(2026, 10, 3)),
        ("2026/10/03 0:00:00", date(2026, 10, 3)),
        ("平成31年5月31日", date(2019, 5, 31)),  # printed before the change of era
        ("令和6年2月29日", date(2024, 2, 29)),
    ],
)
def test_known_dates(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    ["令和8年2月30日", "2025/2/29", "5081301", "20260431", "R0.4.1", "令和元年4月30日", "S1.12.24"],
)
def test_days_that_do_not_exist(text: str) -> None:
    with pytest.raises(ImpossibleDate):
        parse_date(text)


@pytest.mark.parametrize(
    "text", ["", "未定", "080913", "6080913", "2026/10", "10/3/2026", "4655件"]
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(NotADate):
        parse_date(text)


@given(st.dates(min_value=date(1868, 1, 25), max_value=date(2117, 12, 31)), st.booleans())
def test_every_form_says_the_same_day(day: date, wide: bool) -> None:
    era, year = era_of(day)
    forms = [
        era_text(day),
        f"{era.letter}{year}.{day.month}.{day.day}",
        f"{era.letter.lower()}{year:02}/{day.month:02}/{day.day:02}",
        f"{era.name[0]}{year}-{day.month}-{day.day}",
        f"{era.digit}{year:02}{day.month:02}{day.day:02}",
        f"{day:%Y%m%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        day.isoformat(),
    ]
    for form in forms:
        assert parse_date(form.translate(FULL_WIDTH) if wide else form) == day


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_refused_as_one(text: str) -> None:
    with suppress(NotADate, ImpossibleDate):
        assert isinstance(parse_date(text), date)


@given(st.dates(min_value=date(1900, 1, 1)))
def test_a_fiscal_year_begins_in_april(day: date) -> None:
    year = fiscal_year(day)
    assert date(year, 4, 1) <= day
    assert year + 1 > 9999 or day < date(year + 1, 4, 1)


@pytest.mark.parametrize(
    ("text", "year"),
    [("2026", 2026), ("令和8年度", 2026), ("R8", 2026), ("508", 2026), ("令和元年度", 2019),
     ("平成３０", 2018), ("２０２６年度", 2026)],
)  # fmt: skip
def test_fiscal_years(text: str, year: int) -> None:
    assert parse_fiscal_year(text) == year


@pytest.mark.parametrize("text", ["", "08", "26年", "608", "R0"])
def test_what_is_no_fiscal_year(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_fiscal_year(text)


def test_instants_are_in_tokyo() -> None:
    at = datetime(2026, 9, 1, 8, 44, 1, tzinfo=TOKYO)
    assert parse_instant("2026/09/01 08:44:01") == at
    assert parse_instant("令和8年9月1日　8:44:01") == at
    assert parse_instant("R8.9.1 8:44") == at - timedelta(seconds=1)
    assert parse_instant("2026/9/1").utcoffset() == timedelta(hours=9)
    with pytest.raises(ImpossibleDate):
        parse_instant("2026/09/01 24:00:00")
    with pytest.raises(NotADate):
        parse_instant("08:44:01")


def test_era_text_writes_the_first_year_as_officials_do() -> None:
    assert era_text(date(2019, 5, 1)) == "令和元年5月1日"
    assert era_text(date(2019, 4, 30)) == "平成31年4月30日"
    with pytest.raises(ValueError, match="before the first era"):
        era_text(date(1868, 1, 24))
