"""The words of a trial in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.trial import SecondaryOutcome, Subgroup, TooSmall

SECONDARY: Mapping[str, Mapping[SecondaryOutcome, str]] = {
    "ja": {
        SecondaryOutcome.PAID_IN_FULL: "全額を納付した割合",
        SecondaryOutcome.PAID_SOMETHING: "一部でも納付した割合",
        SecondaryOutcome.PAID_YEN: "納付額",
        SecondaryOutcome.DAYS_TO_PAYMENT: "納付までの日数",
        SecondaryOutcome.PROMISE_KEPT: "納付約束が守られた割合",
        SecondaryOutcome.INBOUND_CALL: "センターに電話した割合",
        SecondaryOutcome.COMPLAINT: "苦情の割合",
        SecondaryOutcome.OPT_OUT: "連絡停止の申出の割合",
    },
    "en": {
        SecondaryOutcome.PAID_IN_FULL: "the share that paid in full",
        SecondaryOutcome.PAID_SOMETHING: "the share that paid anything",
        SecondaryOutcome.PAID_YEN: "the sum paid",
        SecondaryOutcome.DAYS_TO_PAYMENT: "days until a payment",
        SecondaryOutcome.PROMISE_KEPT: "the share that kept a promise to pay",
        SecondaryOutcome.INBOUND_CALL: "the share that called the centre",
        SecondaryOutcome.COMPLAINT: "the share that complained",
        SecondaryOutcome.OPT_OUT: "the share that asked not to be contacted",
    },
}
SUBGROUPS: Mapping[str, Mapping[Subgroup, str]] = {
    "ja": {
        Subgroup.KIND: "科目",
        Subgroup.LEGAL_CLASS: "債権の法的区分",
        Subgroup.PERIOD: "現年分・滞納繰越分",
        Subgroup.AMOUNT: "金額の大きさ",
        Subgroup.AGE: "年齢",
        Subgroup.HOUR: "連絡した時間帯",
    },
    "en": {
        Subgroup.KIND: "kind of claim",
        Subgroup.LEGAL_CLASS: "legal class",
        Subgroup.PERIOD: "current year or carried over",
        Subgroup.AMOUNT: "size of the sum",
        Subgroup.AGE: "age",
        Subgroup.HOUR: "hour of contact",
    },
}
TOO_SMALL: Mapping[str, Mapping[TooSmall, str]] = {
    "ja": {TooSmall.WARN: "知らせる", TooSmall.REFUSE: "計画させない"},
    "en": {TooSmall.WARN: "say so", TooSmall.REFUSE: "do not plan it"},
}
