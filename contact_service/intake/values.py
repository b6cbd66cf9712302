"""Cells → values, by the type of their field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache

from contact_service.clock import TOKYO
from contact_service.domain.dates import (
    ImpossibleDate,
    NotADate,
    parse_date,
    parse_fiscal_year,
    parse_instant,
)
from contact_service.domain.numbers import PhoneNumber, classify
from contact_service.intake.faults import BadValue, Reason
from contact_service.intake.fields import Field, FieldType, plain
from contact_service.intake.layout import Column

Value = str | int | date | datetime | tuple[PhoneNumber, ...] | None
Read = Callable[[str], Value]

#: A file repeats its words, dates and numbers, mostly on neighbouring rows: so many of each
#: are remembered while it is read.
REMEMBERED = 4096
_UNREPEATED = (FieldType.CODE, FieldType.TEXT, FieldType.KANA, FieldType.INSTANT)

_CODE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?")
_YEN = re.compile(r"[¥\\]?(\d{1,3}(?:,\d{3})+|\d+)(?:\.0+)?円?")
_MINUS = re.compile(r"^[¥\\]?[-−△▲]")
_ORDINAL = re.compile(r"第?(\d{1,4})(?:期分?|回)?")
_CLOCKED = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)")
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_SPACES = re.compile(r"\s+")
_MOST_YEN = 10**13
_MOST_SECONDS = 10**6
_NO_DATE = frozenset({"-", "0", "00000000", "0000000", "不詳", "不明"})


def reader(field: Field, column: Column) -> Read:
    """The function that reads this column's cells: ``None`` for a blank one.

    It raises :class:`BadValue` for what cannot be read.
    """
    read = _READERS[field.type](field, column)
    if column.values and field.type is not FieldType.WORD:
        read = _mapped(read, {plain(word): value for word, value in column.values.items()})
    return read if field.type in _UNREPEATED else lru_cache(REMEMBERED)(read)


def _mapped(read: Read, values: Mapping[str, str]) -> Read:
    return lambda cell: read(values.get(plain(cell), cell))


def _code(field: Field, _: Column) -> Read:
    def read(cell: str) -> Value:
        text = cell if cell.isascii() and cell.isalnum() else plain(cell)
        if not text or text == "-":
            return None
        if len(text) > field.max_length or not _CODE.fullmatch(text):
            raise BadValue(Reason.BAD_CODE)
        return text

    return read


def _text(_: Field, __: Column) -> Read:
    # Names keep the characters they are registered with (髙, 﨑): no NFKC here.
    return lambda cell: _SPACES.sub("　", cell.strip()) or None


def _kana(_: Field, __: Column) -> Read:
    return lambda cell: kana(cell) or None


def kana(text: str) -> str:
    """Full-width katakana with one space between the parts of a name: ｶﾄｳ ﾏｺﾄ → カトウ　マコト."""
    wide = _SPACES.sub("　", unicodedata.normalize("NFKC", text).strip())
    return wide.translate(_KATAKANA)


def name_key(name_kana: str) -> str:
    """What the blind index of a name is made of: its kana without spaces."""
    return "".join(kana(name_kana).split())


def _date(_: Field, column: Column) -> Read:
    def read(cell: str) -> Value:
        text = plain(cell)
        if not text or text in _NO_DATE:
            return None
        for form in column.formats:
            try:
                return datetime.strptime(text, form).replace(tzinfo=TOKYO).date()
            except ValueError:
                continue
        try:
            return parse_date(cell)
        except NotADate:
            raise BadValue(Reason.BAD_DATE) from None
        except ImpossibleDate:
            raise BadValue(Reason.IMPOSSIBLE_DATE) from None

    return read


def _instant(_: Field, column: Column) -> Read:
    def read(cell: str) -> Value:
        text = unicodedata.normalize("NFKC", cell).strip()
        if not text:
            return None
        for form in column.formats:
            try:
                return datetime.strptime(text, form).replace(tzinfo=TOKYO)
            except ValueError:
                continue
        try:
            return parse_instant(text)
        except NotADate:
            raise BadValue(Reason.BAD_DATE) from None
        except ImpossibleDate:
            raise BadValue(Reason.IMPOSSIBLE_DATE) from None

    return read


def _year(_: Field, __: Column) -> Read:
    def read(cell: str) -> Value:
        if not plain(cell):
            return None
        try:
            year = parse_fiscal_year(cell)
        except ValueError:
            raise BadValue(Reason.BAD_YEAR) from None
        if not 1900 <= year <= 2200:
            raise BadValue(Reason.BAD_YEAR)
        return year

    return read


def _yen(_: Field, column: Column) -> Read:
    def read(cell: str) -> Value:
        text = plain(cell)
        if not text:
            return None
        match = _YEN.fullmatch(text)
        if match is None:
            negative = _MINUS.match(text) and _YEN.fullmatch(_MINUS.sub("", text))
            raise BadValue(Reason.NEGATIVE_AMOUNT if negative else Reason.BAD_AMOUNT)
        digits = match[1].replace(",", "")
        if len(digits) > len(str(_MOST_YEN)):
            raise BadValue(Reason.BAD_AMOUNT)
        return int(digits) * column.unit_yen

    return read


def _ordinal(_: Field, __: Column) -> Read:
    def read(cell: str) -> Value:
        text = plain(cell)
        if not text:
            return None
        match = _ORDINAL.fullmatch(text)
        if match is None:
            raise BadValue(Reason.BAD_ORDINAL)
        return int(match[1])

    return read


def _seconds(_: Field, __: Column) -> Read:
    def read(cell: str) -> Value:
        text = plain(cell).removesuffix("秒")
        if not text:
            return None
        match = _CLOCKED.fullmatch(text)
        if match:
            return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
        if not text.isdecimal() or len(text) > len(str(_MOST_SECONDS)):
            raise BadValue(Reason.BAD_SECONDS)
        return int(text)

    return read


def _word(field: Field, column: Column) -> Read:
    words: Mapping[str, str] = {
        **(field.words or {}),
        **{plain(word): value for word, value in column.values.items()},
    }

    def read(cell: str) -> Value:
        text = plain(cell)
        if not text:
            return None
        if text not in words:
            raise BadValue(Reason.UNKNOWN_WORD)
        return words[text]

    return read


def _phones(_: Field, __: Column) -> Read:
    return lambda cell: tuple(classify(cell))


_READERS: Mapping[FieldType, Callable[[Field, Column], Read]] = {
    FieldType.CODE: _code,
    FieldType.TEXT: _text,
    FieldType.KANA: _kana,
    FieldType.DATE: _date,
    FieldType.INSTANT: _instant,
    FieldType.YEAR: _year,
    FieldType.YEN: _yen,
    FieldType.ORDINAL: _ordinal,
    FieldType.SECONDS: _seconds,
    FieldType.WORD: _word,
    FieldType.PHONES: _phones,
}
