"""SMS texts: placeholders, parts, and what a text must and must not say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

import phonenumbers

from campaigns.faults import FieldPath, Problem
from campaigns.lint import Place, lint
from campaigns.wording import nearest, with_suggestion

#: What may stand in a text, and what it becomes.
PLACEHOLDERS: Mapping[str, str] = {
    "office": "役所の名前 / the office's name",
    "centre_phone": "電話催告センターの番号 / the telephone centre's number",
}
#: Values of a usual length, for judging a text before an office is known.
TYPICAL: Mapping[str, str] = {"office": "世田谷区役所", "centre_phone": "03-5432-1111"}
SINGLE_UNITS = 70
"""UTF-16 units of an SMS in one part (3GPP TS 23.038: 140 octets in UCS-2)."""
PART_UNITS = 67
"""UTF-16 units of each part of a longer one (3GPP TS 23.040: 6 octets of header)."""
MAX_PARTS = 10
"""Domestic carriers take up to 660–670 characters."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAMES = re.compile(r"name|shimei|simei|氏名|名前|姓|宛名", re.IGNORECASE)
_UNSENDABLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})

#: What an SMS must contain: pattern, Japanese, English, whether its absence is only a warning.
_NEEDED: tuple[tuple[re.Pattern[str], str, str, bool], ...] = (
    (
        re.compile(r"\{office\}"),
        "役所の名前 `{office}` がありません",
        "the office's name, `{office}`, is missing",
        False,
    ),
    (
        re.compile(r"\{centre_phone\}"),
        "電話番号 `{centre_phone}` がありません",
        "the telephone number, `{centre_phone}`, is missing",
        False,
    ),
    (
        re.compile(r"行き?違い|行きちがい|ゆきちがい|already|disregard", re.IGNORECASE),
        "行き違いの断り（「すでにお手続きがお済みの場合は、行き違いですのでご容赦ください」）がありません",
        "wording for those who have already paid (行き違い) is missing",
        False,
    ),
    (
        re.compile(
            r"送信専用|返信(?:は|いただいても|でき)|do not reply|cannot reply", re.IGNORECASE
        ),
        "「送信専用」の断りがありません",
        "it does not say that nobody reads replies (送信専用)",
        True,
    ),
)


class UnknownPlaceholder(ValueError):
    """A text has a placeholder that nothing is known to fill."""


def render(text: str, values: Mapping[str, str]) -> str:
    """The text as its receiver gets it: each ``{name}`` replaced, nothing else interpreted.

    Raises :class:`UnknownPlaceholder` for a name without a value.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise UnknownPlaceholder(match[1])
        return values[match[1]]

    return _PLACEHOLDER.sub(value, text).strip()


def office_values(office: str, phone: str) -> dict[str, str]:
    """Values for all placeholders; ``phone`` (E.164) as people in Japan dial it.

    Raises ``ValueError`` if ``phone`` is not a telephone number.
    """
    try:
        number = phonenumbers.parse(phone, "JP")
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"not a telephone number: {error}") from None
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return {"office": office, "centre_phone": shown}


def units(text: str) -> int:
    """Length in UTF-16 units: characters outside the basic plane (𠮷, emoji) count as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str) -> tuple[str, ...]:
    """The parts of a Japanese SMS: one of 70 units, or several of 67, no character broken.

    An estimate: carriers differ, and each carrier's adapter says what will be billed.
    """
    if units(text) <= SINGLE_UNITS:
        return (text,)
    parts = [""]
    used = 0
    for character in text:
        size = units(character)
        if used + size > PART_UNITS:
            parts.append("")
            used = 0
        parts[-1] += character
        used += size
    return tuple(parts)


def check_message(text: str, path: FieldPath) -> Iterator[Problem]:
    """What is wrong with an SMS text; its length is judged with :data:`TYPICAL` filled in."""
    yield from check_placeholders(text, path)
    yield from lint(text, Place.SMS, path)
    for pattern, ja, en, warning in _NEEDED:
        if not pattern.search(text):
            yield Problem(path, ja, en, warning=warning)
    yield from _check_characters(text, path)
    parts = len(split(_PLACEHOLDER.sub(lambda m: TYPICAL.get(m[1], m[0]), text).strip()))
    if parts > MAX_PARTS:
        yield Problem(
            path,
            f"長すぎます（{parts}通分。{MAX_PARTS}通分、{MAX_PARTS * PART_UNITS}文字まで）",
            f"too long: {parts} parts, at most {MAX_PARTS} ({MAX_PARTS * PART_UNITS} characters)",
        )


def check_placeholders(text: str, path: FieldPath) -> Iterator[Problem]:
    """Placeholders that nothing fills, and braces that are none."""
    for name in dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(text)):
        if name in PLACEHOLDERS:
            continue
        if _NAMES.search(name):
            ja = f"`{{{name}}}`: 氏名は差し込めません。他の人に見られても聞かれてもよい文にします"
            yield Problem(path, ja, f"`{{{name}}}`: a person's name is never filled in")
            continue
        known = "、".join(f"`{{{each}}}`" for each in PLACEHOLDERS)
        yield with_suggestion(
            Problem(
                path,
                f"未知の差し込み `{{{name[:40]}}}`（使えるのは {known}）",
                f"unknown placeholder `{{{name[:40]}}}`; there are {known}",
            ),
            nearest(name, PLACEHOLDERS),
        )
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        yield Problem(path, "「{」か「}」が余っています", "a brace `{` or `}` stands alone")


def _check_characters(text: str, path: FieldPath) -> Iterator[Problem]:
    categories = {c: unicodedata.category(c) for c in text if c != "\n"}
    unsendable = [c for c, category in categories.items() if category in _UNSENDABLE_CATEGORIES]
    if unsendable:
        codes = ", ".join(f"U+{ord(c):04X}" for c in unsendable[:5])
        yield Problem(
            path,
            f"SMS で送れない文字があります: {codes}",
            f"characters that an SMS cannot carry: {codes}",
        )
    doubtful = [
        c for c in categories if c not in unsendable and (ord(c) > 0xFFFF or "｡" <= c <= "ﾟ")
    ]
    if doubtful:
        yield Problem(
            path,
            f"届かない機種がある文字です: {''.join(doubtful[:5])}（半角カナ、絵文字、一部の漢字）",
            f"some handsets cannot show {''.join(doubtful[:5])!r}",
            warning=True,
        )
