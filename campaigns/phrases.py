"""Parts of a definition in words: hours, ranges, lengths of time, names of things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal, TypeAlias, TypeVar

from campaigns.conditions import FIELDS
from campaigns.definition import Hours, PrimaryOutcome, Range, Stratum, Window
from campaigns.duration import show_duration
from campaigns.rules.times import DAYS
from campaigns.steps import Origin
from campaigns.vocabulary import (
    CHANNEL_EN,
    CHANNEL_JA,
    CLAIM_KIND_EN,
    CLAIM_KIND_JA,
    DAY_PART_EN,
    DAY_PART_JA,
    INSTALMENT_PLAN_EN,
    INSTALMENT_PLAN_JA,
    LANGUAGE_EN,
    LANGUAGE_JA,
    LEGAL_CLASS_EN,
    LEGAL_CLASS_JA,
    OUTCOME_EN,
    OUTCOME_JA,
    PERIOD_EN,
    PERIOD_JA,
    PROMISE_EN,
    PROMISE_JA,
)

Lang: TypeAlias = Literal["ja", "en"]
_Word = TypeVar("_Word")

KINDS = {"ja": CLAIM_KIND_JA, "en": CLAIM_KIND_EN}
CLASSES = {"ja": LEGAL_CLASS_JA, "en": LEGAL_CLASS_EN}
PERIODS = {"ja": PERIOD_JA, "en": PERIOD_EN}
CHANNELS = {"ja": CHANNEL_JA, "en": CHANNEL_EN}
OUTCOMES = {"ja": OUTCOME_JA, "en": OUTCOME_EN}
PROMISES = {"ja": PROMISE_JA, "en": PROMISE_EN}
PLANS = {"ja": INSTALMENT_PLAN_JA, "en": INSTALMENT_PLAN_EN}
LANGUAGES = {"ja": LANGUAGE_JA, "en": LANGUAGE_EN}
DAY_PARTS = {"ja": DAY_PART_JA, "en": DAY_PART_EN}
ORIGINS: Mapping[str, Mapping[Origin, str]] = {
    "ja": {
        Origin.RUN: "開始日",
        Origin.DUE: "納期限",
        Origin.DEMAND: "督促の発送日",
        Origin.DATE: "指定の日",
    },
    "en": {
        Origin.RUN: "the start",
        Origin.DUE: "the due date",
        Origin.DEMAND: "the statutory reminder",
        Origin.DATE: "the date given",
    },
}
STRATA: Mapping[str, Mapping[Stratum, str]] = {
    "ja": {
        Stratum.KIND: "科目",
        Stratum.PERIOD: "現年分・滞納繰越分",
        Stratum.AMOUNT: "金額の大きさ",
        Stratum.NUMBER: "電話番号の種類",
        Stratum.EARLIER_CONTACT: "これまでの催告の有無",
    },
    "en": {
        Stratum.KIND: "kind of claim",
        Stratum.PERIOD: "current year or carried over",
        Stratum.AMOUNT: "size of the sum",
        Stratum.NUMBER: "kind of telephone number",
        Stratum.EARLIER_CONTACT: "contacted before or not",
    },
}
PRIMARY: Mapping[str, Mapping[PrimaryOutcome, str]] = {
    "ja": {
        PrimaryOutcome.PAID_IN_FULL: "全額を納付した割合",
        PrimaryOutcome.PAID_SOMETHING: "一部でも納付した割合",
    },
    "en": {
        PrimaryOutcome.PAID_IN_FULL: "the share that paid in full",
        PrimaryOutcome.PAID_SOMETHING: "the share that paid anything",
    },
}
#: What may be said of the claims to the person alone: placeholder, Japanese, English.
SPOKEN = tuple((field.name, field.ja, field.en) for field in FIELDS.values() if field.in_texts)
_DAY_NAMES: Mapping[str, tuple[str, ...]] = {
    "ja": ("月曜", "火曜", "水曜", "木曜", "金曜", "土曜", "日曜", "祝日"),
    "en": (
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "public holidays",
    ),
}
_UNITS_JA = {"min": "分", "h": "時間", "days": "日"}
_UNITS_EN = {"min": "minute", "h": "hour", "days": "day"}


def listed(words: Iterable[str], lang: Lang) -> str:
    """Several words as one phrase."""
    return ("、" if lang == "ja" else ", ").join(words)


def named(
    words: Iterable[_Word], names: Mapping[str, Mapping[_Word, str]], lang: Lang, none: str = ""
) -> str:
    """Words of a closed vocabulary as staff call them; ``none`` if there are none."""
    return listed((names[lang][word] for word in words), lang) or none


def hours_lines(hours: Hours, lang: Lang) -> list[str]:
    """One line for each group of days with the same windows."""
    groups: dict[tuple[Window, ...], list[str]] = {}
    for day, name in zip(DAYS, _DAY_NAMES[lang], strict=True):
        groups.setdefault(getattr(hours, day), []).append(name)
    closed = "連絡しません" if lang == "ja" else "no contact"
    return [
        ("・" if lang == "ja" else ", ").join(days)
        + ": "
        + (listed((f"{w.opens:%H:%M}–{w.closes:%H:%M}" for w in windows), lang) or closed)
        for windows, days in groups.items()
    ]


def session_lines(hours: Hours, lang: Lang) -> list[str]:
    """One line for each evening or Sunday session."""
    days, lines = _DAY_NAMES[lang], []
    for each in sorted(hours.sessions, key=lambda each: (each.on, each.opens)):
        day = days[each.on.weekday()]
        when = f"{each.opens:%H:%M}–{each.closes:%H:%M}"
        if lang == "ja":
            title = f"（{each.title}）" if each.title else ""
            lines.append(f"{each.on}（{day[0]}）: {when}{title}")
        else:
            title = f" ({each.title})" if each.title else ""
            lines.append(f"{day}, {each.on}: {when}{title}")
    return lines


def range_words(found: Range, unit_ja: str, unit_en: str, lang: Lang) -> str:
    """A range with its unit; empty if it is open at both ends."""
    if lang == "ja":
        least = f"{found.min:,}{unit_ja}以上" if found.min is not None else ""
        most = f"{found.max:,}{unit_ja}以下" if found.max is not None else ""
        return least + most
    least = f"at least {counted(found.min, unit_en)}" if found.min is not None else ""
    most = f"at most {counted(found.max, unit_en)}" if found.max is not None else ""
    return ", ".join(filter(None, (least, most)))


def span_words(found: Range, unit_ja: str, lang: Lang) -> str:
    """A range of places in an order, such as years; empty if it is open at both ends."""
    if found.min is None and found.max is None:
        return ""
    unit = unit_ja if lang == "ja" else ""
    return "–".join("" if end is None else f"{end}{unit}" for end in (found.min, found.max))


def duration_words(value: timedelta, lang: Lang) -> str:
    """A length of time."""
    number, unit = show_duration(value).split()
    return f"{number}{_UNITS_JA[unit]}" if lang == "ja" else counted(int(number), _UNITS_EN[unit])


def counted(number: int, unit: str) -> str:
    """A number with its English unit in the right form: ``1 day``, ``3 days``, ``5 yen``."""
    return f"{number:,} {unit}{'' if number == 1 or unit == 'yen' else 's'}"


def flowing(text: str) -> str:
    """Text that was folded over several lines of YAML, without the blanks of the folding."""
    return re.sub(r"(?<=[、。])\s+", "", text)
