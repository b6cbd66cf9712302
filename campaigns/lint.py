"""Words that must not be written or spoken to whoever may be reading or listening."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from campaigns.faults import FieldPath, Problem


class Place(Enum):
    """Where a text is met."""

    SMS = "SMS"
    UNCONFIRMED = "本人確認前の音声"
    CONFIRMED = "本人確認後の音声"
    LETTER = "催告書"


_PLACES_EN = {
    Place.SMS: "in an SMS",
    Place.UNCONFIRMED: "spoken before the person is confirmed",
    Place.CONFIRMED: "spoken",
    Place.LETTER: "in a letter",
}

SMS_ONLY = frozenset({Place.SMS})
TO_STRANGERS = frozenset({Place.SMS, Place.UNCONFIRMED})
SPOKEN_TO_STRANGERS = frozenset({Place.UNCONFIRMED})
EVERYWHERE = frozenset(Place) - {Place.LETTER}
"""A letter comes in a closed envelope, and is the office's own writing."""


@dataclass(frozen=True, slots=True)
class Lint:
    """One row: a pattern (matched after NFKC, ignoring case) that should not be there."""

    name: str
    pattern: re.Pattern[str]
    places: frozenset[Place]
    ja: str
    en: str
    warning: bool = False


def _lint(
    name: str, pattern: str, places: frozenset[Place], ja: str, en: str, warning: bool = False
) -> Lint:
    return Lint(name, re.compile(pattern, re.IGNORECASE), places, ja, en, warning)


_MONEY = (
    r"納付|納期|納税|支払|払[っいうえわ]|お金|催告|料金|\bpay(?:ment|ments|ing|able)?\b|\bmoney\b"
    r"|缴纳|缴费|付款|支付|交费|납부|지불|결제|납입|thanh toán|nộp tiền|đóng tiền|trả tiền"
)

#: No debt is told to a stranger, nothing looks like fraud, and nothing that is only 催告
#: pretends to be the statutory 督促.
LINTS: tuple[Lint, ...] = (
    _lint(
        "url",
        r"https?:|www\.|[\w-]\.[a-z]{2,}(?![a-z])|\.(?:みんな|コム|日本)",
        EVERYWHERE,
        "URL やドメインは書けません（どんな URL も詐欺と区別がつきません）",
        "no URL or domain: people cannot tell it from fraud",
    ),
    _lint(
        "foreign domain",
        r"\b(?!(?:[a-z0-9-]+\.)*lg\.jp\b)(?:[a-z0-9-]+\.)+[a-z]{2,}\b",
        frozenset({Place.LETTER}),
        "役所（lg.jp）でないドメインは書けません",
        "no domain but a local government's (lg.jp)",
    ),
    _lint(
        "amount",
        r"[0-9〇一二三四五六七八九十百千万億]\s*円|[¥\\]\s*[0-9]|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]\s*万"
        r"|[0-9]\s*(?:yen|jpy|日?元|엔|원|yên|đồng)|jpy\s*[0-9]",
        TO_STRANGERS,
        "金額は伝えられません",
        "no amounts",
    ),
    _lint(
        "claim kind",
        r"住民税|区民税|都民税|市民税|普通徴収|健康保険|国保|介護保険|後期高齢|保険料|保険税|保育料|給食費|奨学|福祉資金"
        r"|貸付|生活保護|返還金|税金"
        r"|\btax(?:es)?\b|\binsurance\b|\bpremiums?\b|\bnursery\b|\bschool lunch|\bloans?\b"
        r"|税款|居民税|保险费|健康保险|托儿费|保育费|伙食费|助学金|贷款"
        r"|주민세|세금|건강보험|개호보험|보험료|보육료|급식비|학자금|대출"
        r"|\bthuế\b|bảo hiểm|học phí|tiền ăn trưa|khoản vay",
        TO_STRANGERS,
        "債権の科目がわかる言葉は使えません",
        "no words that tell what is owed",
    ),
    _lint(
        "statutory reminder",
        r"督促|독촉|\bstatutory (?:reminder|demand)|\bformal demand",
        EVERYWHERE,
        "SMS と自動音声は「督促」ではありません（催告か納付のお願いです）",
        "an SMS or auto-call is never the statutory reminder (督促)",
    ),
    _lint(
        "seizure",
        r"差し?押|強制執行|強制徴収|取り?立て|財産調査|法的措置"
        r"|\bseiz(?:e|ed|ure|ing)|\bgarnish|\blegal action|\bcourt\b|\benforcement"
        r"|扣押|查封|强制执行|法律措施|起诉|압류|강제집행|법적조치|법적 조치"
        r"|tịch thu|cưỡng chế|kê biên|biện pháp pháp lý",
        EVERYWHERE,
        "差押えなど、処分をほのめかす言葉は使えません",
        "no words that threaten seizure",
    ),
    _lint(
        "arrears",
        r"滞納|未納|未払|延滞|債権|債務|借金|払っていない|arrears|overdue|\bdebts?\b|\bunpaid\b"
        r"|\boutstanding\b|delinquen|\bowe[sd]?\b|\bowing\b|past due"
        r"|欠款|欠费|欠缴|拖欠|滞纳|未缴|逾期|债务|체납|연체|미납|채무"
        r"|\bnợ\b|quá hạn|trễ hạn|chưa (?:nộp|đóng|trả|thanh toán)",
        TO_STRANGERS,
        "滞納がわかる言葉は使えません",
        "no words that tell of arrears",
    ),
    _lint(
        "payment",
        _MONEY,
        SPOKEN_TO_STRANGERS,
        "本人確認の前に、お金の話とわかる言葉は使えません",
        "before the person is confirmed, no words about payment",
    ),
    _lint(
        "payment",
        _MONEY,
        SMS_ONLY,
        "画面を見た家族などに、お金の話とわかります",
        "whoever sees the screen learns that it is about money",
        warning=True,
    ),
    _lint(
        "person's name",
        r"(?<=[一-龠々ァ-ヶー])(?<!客)(?<!皆)(?<!本人)(?<!世帯主)(?<!仕)(?<!同)(?<!模)(?<!多)(?<!一)"
        r"様(?![々子式相])"
        r"|(?-i:\b(?:Mr|Mrs|Ms|Miss|Dr)\.?\s+[A-Z])|[一-龠](?:先生|女士|小姐)"
        r"|(?<![가-힣])(?!고객|주민|구민|여러분|본인)[가-힣]{2,4}\s*(?:님|씨)(?![가-힣]*다)"
        r"|(?-i:\b(?:Ông|Bà|Anh|Chị)\s+[A-ZĐ])",
        TO_STRANGERS,
        "氏名のようです。氏名は書けません",
        "this looks like a person's name; names are not written",
    ),
    _lint(
        "written telephone number",
        r"(?<![0-9])0[0-9]{1,4}[-(][0-9]{1,4}[-)][0-9]{3,4}(?![0-9])|(?<![0-9])0[0-9]{9,10}(?![0-9])",
        EVERYWHERE,
        "電話番号は `{centre_phone}` と書いてください（書き間違いを防ぎます）",
        "write the telephone number as `{centre_phone}`, so that it cannot be mistyped",
        warning=True,
    ),
    _lint(
        "unit twice",
        r"_yen\}\s*(?:円|yen|jpy|日元|엔|yên)",
        frozenset({Place.LETTER, Place.CONFIRMED}),
        "金額には「円」が付いています。後の「円」を消してください",
        "the amount comes with its unit: leave out the one behind it",
    ),
)


#: A word may be broken over two lines of the definition.
_BLANKS = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


def lint(text: str, place: Place, path: FieldPath) -> Iterator[Problem]:
    """What should not be in a text that is met at ``place``."""
    plain = _BLANKS.sub("", unicodedata.normalize("NFKC", text))
    for row in LINTS:
        match = row.pattern.search(plain) if place in row.places else None
        if match:
            yield Problem(
                path,
                f"{place.value}「{match[0]}」: {row.ja}",
                f"“{match[0]}” {_PLACES_EN[place]}: {row.en}",
                warning=row.warning,
            )
