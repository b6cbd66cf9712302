"""Words that definitions, files and the ledger share, with what officials call them."""

from __future__ import annotations

from datetime import time
from enum import StrEnum

from providers.base import Channel as Channel
from providers.base import Outcome as Outcome


class ClaimKind(StrEnum):
    """科目: what a sum is owed for."""

    RESIDENT_TAX = "resident_tax"
    HEALTH_INSURANCE = "health_insurance"
    CARE_INSURANCE = "care_insurance"
    LATE_ELDERLY_INSURANCE = "late_elderly_insurance"
    NURSERY_FEE = "nursery_fee"
    SCHOOL_LUNCH = "school_lunch"
    STUDENT_LOAN = "student_loan"
    SINGLE_PARENT_LOAN = "single_parent_loan"
    WELFARE_REPAYMENT = "welfare_repayment"
    OTHER = "other"


class LegalClass(StrEnum):
    """債権区分: what the law lets the office do. Stored per claim, never per kind."""

    COMPULSORY_PUBLIC = "compulsory_public"  # 強制徴収公債権
    OTHER_PUBLIC = "other_public"  # 非強制徴収公債権
    PRIVATE = "private"  # 私債権


class Period(StrEnum):
    """現年分 or 滞納繰越分: never pooled in a rate."""

    CURRENT = "current"
    CARRIED_OVER = "carried_over"


class NumberKind(StrEnum):
    """What a telephone number can take."""

    MOBILE = "mobile"  # SMS and calls
    FIXED = "fixed"
    IP = "ip"  # 050
    OTHER = "other"  # toll-free, pager, premium: never contacted


class Language(StrEnum):
    """The language in which somebody is written and spoken to (BCP 47, but for ``ja-easy``)."""

    JA = "ja"
    JA_EASY = "ja-easy"  # やさしい日本語
    EN = "en"
    ZH = "zh"
    KO = "ko"
    VI = "vi"


class InstalmentPlan(StrEnum):
    """What became of an agreement to pay by instalments (分納誓約)."""

    KEPT = "kept"  # in force; who keeps one is left alone in any case
    BROKEN = "broken"  # over or lifted, and something is still owed


class DayPart(StrEnum):
    """A part of the day in which contacts may be made."""

    MORNING = "morning"  # before noon
    AFTERNOON = "afternoon"  # from noon to 17:00
    EVENING = "evening"  # from 17:00
    ANOTHER = "another"  # another than that of the try before


CLAIM_KIND_JA: dict[ClaimKind, str] = {
    ClaimKind.RESIDENT_TAX: "特別区民税・都民税（普通徴収）",
    ClaimKind.HEALTH_INSURANCE: "国民健康保険料",
    ClaimKind.CARE_INSURANCE: "介護保険料",
    ClaimKind.LATE_ELDERLY_INSURANCE: "後期高齢者医療保険料",
    ClaimKind.NURSERY_FEE: "保育料",
    ClaimKind.SCHOOL_LUNCH: "学校給食費",
    ClaimKind.STUDENT_LOAN: "奨学資金貸付金",
    ClaimKind.SINGLE_PARENT_LOAN: "母子福祉資金貸付金",
    ClaimKind.WELFARE_REPAYMENT: "生活保護返還金",
    ClaimKind.OTHER: "その他",
}

LEGAL_CLASS_JA: dict[LegalClass, str] = {
    LegalClass.COMPULSORY_PUBLIC: "強制徴収公債権",
    LegalClass.OTHER_PUBLIC: "非強制徴収公債権",
    LegalClass.PRIVATE: "私債権",
}

PERIOD_JA: dict[Period, str] = {Period.CURRENT: "現年分", Period.CARRIED_OVER: "滞納繰越分"}

CHANNEL_JA: dict[Channel, str] = {
    Channel.SMS: "SMS",
    Channel.AUTO_CALL: "オートコール",
    Channel.OPERATOR: "オペレーター架電",
    Channel.LETTER: "催告書（郵送）",
}

OUTCOME_JA: dict[Outcome, str] = {
    Outcome.DELIVERED: "到達",
    Outcome.UNDELIVERED: "不達",
    Outcome.CONFIRMED: "本人確認・案内済",
    Outcome.TRANSFERRED: "センターへ接続",
    Outcome.ANSWERED: "応答（本人未確認）",
    Outcome.MACHINE: "留守番電話",
    Outcome.WRONG_PERSON: "本人でない",
    Outcome.OPTED_OUT: "連絡停止の申出",
    Outcome.BUSY: "話中",
    Outcome.NO_ANSWER: "不在",
    Outcome.UNREACHABLE: "圏外・電源断",
    Outcome.INVALID_NUMBER: "番号無効",
    Outcome.REJECTED: "着信拒否",
    Outcome.BLOCKED: "事業者による拒否",
    Outcome.CANCELED: "取消",
    Outcome.NETWORK: "網の障害",
    Outcome.UNKNOWN: "不明",
    Outcome.HANDED_OVER: "発送へ引渡し済",
    Outcome.OTHER: "その他",
}

CLAIM_KIND_EN: dict[ClaimKind, str] = {
    ClaimKind.RESIDENT_TAX: "residents' tax",
    ClaimKind.HEALTH_INSURANCE: "national health insurance premiums",
    ClaimKind.CARE_INSURANCE: "care insurance premiums",
    ClaimKind.LATE_ELDERLY_INSURANCE: "late-stage elderly medical insurance premiums",
    ClaimKind.NURSERY_FEE: "nursery fees",
    ClaimKind.SCHOOL_LUNCH: "school lunch fees",
    ClaimKind.STUDENT_LOAN: "student loans",
    ClaimKind.SINGLE_PARENT_LOAN: "single-parent loans",
    ClaimKind.WELFARE_REPAYMENT: "public assistance to be returned",
    ClaimKind.OTHER: "other claims",
}

LEGAL_CLASS_EN: dict[LegalClass, str] = {
    LegalClass.COMPULSORY_PUBLIC: "public claims the office can seize for",
    LegalClass.OTHER_PUBLIC: "other public claims",
    LegalClass.PRIVATE: "private claims",
}

PERIOD_EN: dict[Period, str] = {
    Period.CURRENT: "current year",
    Period.CARRIED_OVER: "carried over",
}

CHANNEL_EN: dict[Channel, str] = {
    Channel.SMS: "SMS",
    Channel.AUTO_CALL: "auto-call",
    Channel.OPERATOR: "call by an operator",
    Channel.LETTER: "letter",
}

OUTCOME_EN: dict[Outcome, str] = {
    Outcome.DELIVERED: "delivered",
    Outcome.UNDELIVERED: "not delivered",
    Outcome.CONFIRMED: "person confirmed and informed",
    Outcome.TRANSFERRED: "connected to the centre",
    Outcome.ANSWERED: "answered, not confirmed",
    Outcome.MACHINE: "answering machine",
    Outcome.WRONG_PERSON: "wrong person",
    Outcome.OPTED_OUT: "wants no contact",
    Outcome.BUSY: "busy",
    Outcome.NO_ANSWER: "no answer",
    Outcome.UNREACHABLE: "switched off or out of range",
    Outcome.INVALID_NUMBER: "invalid number",
    Outcome.REJECTED: "call refused",
    Outcome.BLOCKED: "blocked by a carrier",
    Outcome.CANCELED: "canceled",
    Outcome.NETWORK: "network fault",
    Outcome.UNKNOWN: "unknown",
    Outcome.HANDED_OVER: "handed to the mailing",
    Outcome.OTHER: "other",
}


class PromiseState(StrEnum):
    """What became of a promise to pay (納付約束)."""

    KEPT = "kept"  # the promised sum was paid by the promised day
    BROKEN = "broken"  # it was not, and payments by that day would be known by now
    OPEN = "open"  # payments by that day may still be reported


PROMISE_JA: dict[PromiseState, str] = {
    PromiseState.KEPT: "履行",
    PromiseState.BROKEN: "不履行",
    PromiseState.OPEN: "期日前・収納確認中",
}

PROMISE_EN: dict[PromiseState, str] = {
    PromiseState.KEPT: "kept",
    PromiseState.BROKEN: "broken",
    PromiseState.OPEN: "not yet known",
}

PAYMENT_LAG_DAYS = 14
"""Days by which payments at shops and banks may be reported late."""

LANGUAGE_JA: dict[Language, str] = {
    Language.JA: "日本語",
    Language.JA_EASY: "やさしい日本語",
    Language.EN: "英語",
    Language.ZH: "中国語",
    Language.KO: "韓国・朝鮮語",
    Language.VI: "ベトナム語",
}

LANGUAGE_EN: dict[Language, str] = {
    Language.JA: "Japanese",
    Language.JA_EASY: "plain Japanese",
    Language.EN: "English",
    Language.ZH: "Chinese",
    Language.KO: "Korean",
    Language.VI: "Vietnamese",
}

#: BCP 47 tags, for whoever reads texts aloud.
LANGUAGE_TAG: dict[Language, str] = {
    Language.JA: "ja-JP",
    Language.JA_EASY: "ja-JP",
    Language.EN: "en-US",
    Language.ZH: "zh-CN",
    Language.KO: "ko-KR",
    Language.VI: "vi-VN",
}

INSTALMENT_PLAN_JA: dict[InstalmentPlan, str] = {
    InstalmentPlan.KEPT: "履行中",
    InstalmentPlan.BROKEN: "不履行",
}

INSTALMENT_PLAN_EN: dict[InstalmentPlan, str] = {
    InstalmentPlan.KEPT: "being kept",
    InstalmentPlan.BROKEN: "broken",
}

DAY_PART_JA: dict[DayPart, str] = {
    DayPart.MORNING: "午前",
    DayPart.AFTERNOON: "午後",
    DayPart.EVENING: "夕方以降",
    DayPart.ANOTHER: "前と違う時間帯（午前・午後・夕方以降）",
}

DAY_PART_EN: dict[DayPart, str] = {
    DayPart.MORNING: "morning",
    DayPart.AFTERNOON: "afternoon",
    DayPart.EVENING: "evening",
    DayPart.ANOTHER: "another part of the day than before",
}

DAY_PARTS: dict[DayPart, tuple[time, time]] = {
    DayPart.MORNING: (time(0, 0), time(12, 0)),
    DayPart.AFTERNOON: (time(12, 0), time(17, 0)),
    DayPart.EVENING: (time(17, 0), time(23, 59, 59)),
}
"""When each part of the day begins (included) and ends (not included)."""
