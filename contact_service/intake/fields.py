"""What a file of each kind can tell: the fields that layouts fill, and the words they know."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from campaigns.vocabulary import CLAIM_KIND_JA, LANGUAGE_JA, LEGAL_CLASS_JA, Language
from contact_service.domain.restrictions import RULES
from contact_service.domain.states import CALL_RESULT_JA


class FileKind(StrEnum):
    """What a file is about."""

    CLAIMS = "claims"
    PAYMENTS = "payments"
    RESTRICTIONS = "restrictions"
    CALLS = "calls"


FILE_KIND_JA: Mapping[FileKind, str] = {
    FileKind.CLAIMS: "滞納一覧",
    FileKind.PAYMENTS: "収納データ",
    FileKind.RESTRICTIONS: "交渉制限",
    FileKind.CALLS: "通話記録",
}


class FieldType(StrEnum):
    """How a cell is read."""

    CODE = "code"  # letters, digits and hyphens
    TEXT = "text"
    KANA = "kana"  # half-width becomes full-width
    DATE = "date"
    INSTANT = "instant"  # date and time of day, Asia/Tokyo
    YEAR = "year"  # fiscal year
    YEN = "yen"  # never negative
    ORDINAL = "ordinal"  # 期別: 3, 第3期
    SECONDS = "seconds"  # 95, 1:35, 0:01:35
    WORD = "word"  # one of a closed vocabulary
    PHONES = "phones"  # none, one or several telephone numbers


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a row tells. ``required``: the column must be there and the cell filled."""

    name: str
    type: FieldType
    required: bool = False
    words: Mapping[str, str] | None = None  # as written → as stored
    max_length: int = 32  # characters of a code


def plain(text: str) -> str:
    """``text`` for comparison: NFKC, without any space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


CLAIM_KINDS = {plain(ja): kind.value for kind, ja in CLAIM_KIND_JA.items()}
LEGAL_CLASSES = {plain(ja): legal_class.value for legal_class, ja in LEGAL_CLASS_JA.items()}
RESTRICTION_KINDS = {plain(rule.ja): rule.kind.value for rule in RULES}
CALL_RESULTS = {plain(ja): result.value for result, ja in CALL_RESULT_JA.items()}
DIRECTIONS = {"架電": "outbound", "発信": "outbound", "受電": "inbound", "着信": "inbound"}
PAYMENT_METHODS = {
    "口座振替": "direct_debit",
    "コンビニ": "convenience_store",
    "ペイジー": "pay_easy",
    "キャッシュレス": "cashless",
    "窓口": "counter",
    "その他": "other",
}
#: How core systems write what somebody reads; a layout may add its own codes.
LANGUAGES: Mapping[str, str] = {word: language.value for language, word in LANGUAGE_JA.items()} | {
    "中国語（簡体字）": Language.ZH.value,
    "韓国語": Language.KO.value,
    "朝鮮語": Language.KO.value,
    "越南語": Language.VI.value,
}
PHONE_COLUMNS = 4

FIELDS: Mapping[FileKind, tuple[Field, ...]] = {
    FileKind.CLAIMS: (
        Field("debtor_code", FieldType.CODE, required=True),
        Field("household_code", FieldType.CODE),
        Field("name", FieldType.TEXT),
        Field("name_kana", FieldType.KANA),
        Field("birth_date", FieldType.DATE),
        Field("language", FieldType.WORD, words=LANGUAGES),
        *(Field(f"phone_{n}", FieldType.PHONES) for n in range(1, PHONE_COLUMNS + 1)),
        Field("kind", FieldType.WORD, required=True, words=CLAIM_KINDS),
        Field("legal_class", FieldType.WORD, required=True, words=LEGAL_CLASSES),
        Field("assessed_year", FieldType.YEAR, required=True),
        Field("attributed_year", FieldType.YEAR),
        Field("instalment", FieldType.ORDINAL, required=True),
        Field("notice_number", FieldType.CODE, required=True),
        Field("due_on", FieldType.DATE, required=True),
        Field("assessed_yen", FieldType.YEN, required=True),
        Field("collected_yen", FieldType.YEN),
        Field("outstanding_yen", FieldType.YEN, required=True),
        Field("demand_sent_on", FieldType.DATE),
        Field("note", FieldType.TEXT),
    ),
    FileKind.PAYMENTS: (
        Field("debtor_code", FieldType.CODE, required=True),
        Field("kind", FieldType.WORD, required=True, words=CLAIM_KINDS),
        Field("notice_number", FieldType.CODE, required=True),
        Field("instalment", FieldType.ORDINAL, required=True),
        Field("paid_on", FieldType.DATE, required=True),
        Field("amount_yen", FieldType.YEN, required=True),
        Field("method", FieldType.WORD, required=True, words=PAYMENT_METHODS),
    ),
    FileKind.RESTRICTIONS: (
        Field("debtor_code", FieldType.CODE, required=True),
        Field("notice_number", FieldType.CODE),
        Field("kind", FieldType.WORD, required=True, words=RESTRICTION_KINDS),
        Field("starts_on", FieldType.DATE, required=True),
        Field("ends_on", FieldType.DATE),
        Field("note", FieldType.TEXT),
    ),
    FileKind.CALLS: (
        Field("call_id", FieldType.TEXT),  # the telephone system's own identifier
        Field("started_at", FieldType.INSTANT, required=True),
        Field("direction", FieldType.WORD, required=True, words=DIRECTIONS),
        Field("number", FieldType.PHONES),
        Field("extension", FieldType.CODE, max_length=12),
        Field("result", FieldType.WORD, required=True, words=CALL_RESULTS),
        Field("talk_seconds", FieldType.SECONDS, required=True),
        Field("wrap_seconds", FieldType.SECONDS),
        Field("wait_seconds", FieldType.SECONDS),
    ),
}
