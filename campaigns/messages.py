"""SMS texts: placeholders, parts, and what a text must and must not say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence

import phonenumbers

from campaigns.carriers import Carrier
from campaigns.conditions import FIELDS
from campaigns.faults import FieldPath, Problem
from campaigns.lint import SMS_ONLY, Place, lint
from campaigns.texts import PLACEHOLDER, fill
from campaigns.vocabulary import Language
from campaigns.wording import nearest, with_suggestion
from providers.parts import TYPICAL as TYPICAL_RULE
from providers.parts import divide, fits, parts, utf16_units

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

_NAMES = re.compile(r"name|shimei|simei|氏名|名前|姓|宛名", re.IGNORECASE)
_UNSENDABLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})

#: Words for those who have already paid (行き違い), by language.
_CROSSED: Mapping[Language, str] = {
    Language.JA: r"行き?違い|行きちがい|ゆきちがい|already|disregard",
    Language.JA_EASY: r"行き?違い|行きちがい|もう.{0,20}(?:人|方|とき|場合)|already",
    Language.EN: r"already|disregard",
    Language.ZH: r"如?已|請?忽略|请忽略",
    Language.KO: r"이미|양해",
    Language.VI: r"(?:đã|rồi).{0,60}(?:bỏ qua|rồi)|bỏ qua",
}
#: Words that say that nobody reads replies (送信専用), by language.
_SEND_ONLY: Mapping[Language, str] = {
    Language.JA: r"送信専用|返信(?:は|いただいても|でき)|do not reply|cannot reply",
    Language.JA_EASY: r"送信専用|返信(?:は|でき)|返事(?:は|でき)",
    Language.EN: r"not reply|cannot reply|no.?reply|send.only",
    Language.ZH: r"勿回复|无法回复|不能回复|仅供发送",
    Language.KO: r"발신\s*전용|회신.{0,12}(?:없|불가|않)",
    Language.VI: r"không (?:thể )?(?:trả lời|phản hồi)|đừng trả lời|chỉ dùng để gửi",
}

#: What a message must contain: pattern by language, Japanese, English, where, whether its absence
#: is only a warning.
_NEEDED: tuple[tuple[Mapping[Language, str], str, str, frozenset[Place], bool], ...] = (
    (
        dict.fromkeys(Language, r"\{office\}"),
        "役所の名前 `{office}` がありません",
        "the office's name, `{office}`, is missing",
        frozenset({Place.SMS, Place.LETTER}),
        False,
    ),
    (
        dict.fromkeys(Language, r"\{centre_phone\}"),
        "電話番号 `{centre_phone}` がありません",
        "the telephone number, `{centre_phone}`, is missing",
        frozenset({Place.SMS, Place.LETTER}),
        False,
    ),
    (
        _CROSSED,
        "行き違いの断り（「すでにお手続きがお済みの場合は、行き違いですのでご容赦ください」）がありません",
        "wording for those who have already paid (行き違い) is missing",
        frozenset({Place.SMS, Place.LETTER}),
        False,
    ),
    (
        _SEND_ONLY,
        "「送信専用」の断りがありません",
        "it does not say that nobody reads replies (送信専用)",
        SMS_ONLY,
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

    return PLACEHOLDER.sub(value, text).strip()


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
    return utf16_units(text)


def split(text: str) -> tuple[str, ...]:
    """The parts of a Japanese SMS: one of 70 units, or several of 67, no character broken.

    That is the usual way; :mod:`campaigns.carriers` tells of the deployment's own.
    """
    return divide(TYPICAL_RULE, text).texts


def check_message(
    text: str,
    path: FieldPath,
    place: Place = Place.SMS,
    language: Language = Language.JA,
    known: Collection[str] = tuple(PLACEHOLDERS),
    snippets: Mapping[str, str] = {},
) -> Iterator[Problem]:
    """What is wrong with a message; its length is judged with :data:`TYPICAL` filled in.

    ``known`` are the placeholders that may stand there, ``snippets`` the texts of those that are
    snippets.
    """
    yield from check_placeholders(text, path, known)
    text = fill(text, snippets)
    yield from lint(text, place, path)
    for patterns, ja, en, places, warning in _NEEDED:
        if place in places and not re.search(patterns[language], text, re.IGNORECASE):
            yield Problem(path, ja, en, warning=warning)
    if place is Place.SMS:
        yield from _check_characters(text, path)


def check_length(text: str, path: FieldPath, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """Carriers that would not take an SMS because it is too long."""
    shown = fill(text, TYPICAL).strip()
    for carrier in carriers:
        rule = carrier.rule
        if fits(rule, shown):
            continue
        count, length = parts(rule, shown), units(shown)
        most = rule.longest or rule.most_parts * PART_UNITS
        ja, en = (f"{carrier.name}: ", f"{carrier.name}: ") if carrier.name else ("", "")
        yield Problem(
            path,
            f"{ja}長すぎます（{length}文字、{count}通分。{rule.most_parts}通分、{most}文字まで）",
            f"{en}too long: {length} characters in {count} parts, at most {rule.most_parts} "
            f"({most} characters)",
        )


def check_placeholders(
    text: str, path: FieldPath, allowed: Collection[str] = tuple(PLACEHOLDERS)
) -> Iterator[Problem]:
    """Placeholders that nothing fills, empty ones, and braces that are none."""
    for name in dict.fromkeys(match[1] for match in PLACEHOLDER.finditer(text)):
        if name in allowed:
            continue
        if not name.strip():
            yield Problem(
                path,
                "差し込み `{}` に名前がありません",
                "the placeholder `{}` has no name",
            )
            continue
        if name in FIELDS:
            yield _field_out_of_place(name, path)
            continue
        if _NAMES.search(name):
            ja = f"`{{{name}}}`: 氏名は差し込めません。他の人に見られても聞かれてもよい文にします"
            yield Problem(path, ja, f"`{{{name}}}`: a person's name is never filled in")
            continue
        known = "、".join(f"`{{{each}}}`" for each in allowed)
        yield with_suggestion(
            Problem(
                path,
                f"未知の差し込み `{{{name[:40]}}}`（使えるのは {known}）",
                f"unknown placeholder `{{{name[:40]}}}`; there are {known}",
            ),
            nearest(name, allowed),
        )
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        yield Problem(path, "「{」か「}」が余っています", "a brace `{` or `}` stands alone")


def _field_out_of_place(name: str, path: FieldPath) -> Problem:
    if FIELDS[name].in_texts:
        return Problem(
            path,
            f"`{{{name}}}` は、催告書と本人確認後の音声にだけ差し込めます",
            f"`{{{name}}}` may stand in letters and in what is spoken after the confirmation only",
        )
    return Problem(
        path,
        f"項目 `{name}`（{FIELDS[name].ja}）は差し込めません",
        f"the field `{name}` is never filled in",
    )


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
