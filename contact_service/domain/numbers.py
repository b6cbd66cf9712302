"""Telephone numbers as people write them → E.164 and what the number can take.

Validity and kind come from the numbering plan in ``phonenumbers`` (総務省's allocation; 060
is mobile since July 2026). Before that the text is made plain: NFKC, the many dashes, notes
in brackets, extensions, several numbers in one cell.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from campaigns.vocabulary import NumberKind


class NumberFault(StrEnum):
    """Why a text that should be a number is none."""

    MASKED = "masked"  # digits replaced by X, * or ○
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_ASSIGNED = "not_assigned"  # the length of a number, but the plan has no such number
    NOT_A_NUMBER = "not_a_number"


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number, or what stands in its place.

    A good one has ``e164`` and ``kind``, a bad one has ``fault``. The number itself is kept
    out of the representation, so that it does not reach a log or a traceback.
    """

    e164: str | None = field(default=None, repr=False)
    kind: NumberKind | None = None
    fault: NumberFault | None = None


#: What stands in a cell when there is no number, or the caller did not show it.
NO_NUMBER = frozenset(
    {
        "", "-", "--", "なし", "無し", "無", "不明", "未登録", "非通知", "通知不可", "表示圏外",
        "公衆電話",
    }
)  # fmt: skip

_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.VOIP: NumberKind.IP,
}
_FAULTS = {
    ValidationResult.TOO_SHORT: NumberFault.TOO_SHORT,
    ValidationResult.TOO_LONG: NumberFault.TOO_LONG,
}
_DASHES = str.maketrans(dict.fromkeys("ー‐‑‒–—―−─━", "-"))
_EXTENSION = re.compile(r"\(?(?:内線|内|ext\.?|#)\s*[:.]?\s*\d{1,6}\)?", re.IGNORECASE)
_NOTE = re.compile(r"\([^()\d]*\)")  # brackets around words; around digits they are the area code
_SEPARATOR = re.compile(r"[^\d+\-\s().Xx*○●◯〇]+")  # marks and words: ／, 、, 携帯, TEL, または
_MASK = re.compile(r"\d[\d\-\s()]*[Xx*○●◯〇]|[Xx*○●◯〇][\d\-\s()]*\d")
_DIALLABLE = re.compile(r"\+?[\d\-\s().]+")
_LONGEST_CELL = 200  # characters; longer ones are remarks, not numbers


def classify(raw: str) -> list[PhoneNumber]:
    """All numbers in one cell, in their order; none when it says that there is none.

    A number of another country is good and of kind ``OTHER``, as are toll-free, premium and
    pager numbers: they are never contacted.
    """
    text = unicodedata.normalize("NFKC", raw).translate(_DASHES).strip()
    if text in NO_NUMBER:
        return []
    if len(text) > _LONGEST_CELL:
        return [PhoneNumber(fault=NumberFault.TOO_LONG)]
    text = _NOTE.sub(" ", _EXTENSION.sub(" ", text))
    found: list[PhoneNumber] = []
    for part in _SEPARATOR.split(text):
        if any(character.isdigit() for character in part):
            found.extend(_numbers_in(part.strip(" .")))
    return found or [PhoneNumber(fault=NumberFault.NOT_A_NUMBER)]


def _numbers_in(part: str) -> list[PhoneNumber]:
    whole = _number(part)
    pieces = part.split()
    if whole.fault and len(pieces) > 1:
        # "090-1234-5678 03-1234-5678": only when every piece is a number by itself.
        several = [_number(piece) for piece in pieces]
        if not any(number.fault for number in several):
            return several
    return [whole]


def _number(text: str) -> PhoneNumber:
    if _MASK.search(text):
        return PhoneNumber(fault=NumberFault.MASKED)
    if not _DIALLABLE.fullmatch(text):
        return PhoneNumber(fault=NumberFault.NOT_A_NUMBER)
    try:
        parsed = phonenumbers.parse(text, "JP")
    except phonenumbers.NumberParseException as error:
        too_long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
        return PhoneNumber(fault=NumberFault.TOO_LONG if too_long else NumberFault.TOO_SHORT)
    kind = phonenumbers.number_type(parsed)
    if kind == PhoneNumberType.UNKNOWN:  # the same as not valid, found out once
        reason = phonenumbers.is_possible_number_with_reason(parsed)
        return PhoneNumber(fault=_FAULTS.get(reason, NumberFault.NOT_ASSIGNED))
    return PhoneNumber(
        phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        _KINDS.get(kind, NumberKind.OTHER) if parsed.country_code == 81 else NumberKind.OTHER,
    )
