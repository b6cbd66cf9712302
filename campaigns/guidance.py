"""Ready texts that tell how to pay, by kind of claim, for messages and scripts.

They name no address on the internet and no sum: people cannot tell a link from fraud. Which
kinds of claim can be paid in which way is the office's to confirm; a definition may write a
snippet of its own under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.texts import Text
from campaigns.vocabulary import ClaimKind

_ASSESSED = frozenset(
    {
        ClaimKind.RESIDENT_TAX,
        ClaimKind.HEALTH_INSURANCE,
        ClaimKind.CARE_INSURANCE,
        ClaimKind.LATE_ELDERLY_INSURANCE,
        ClaimKind.NURSERY_FEE,
    }
)
_ALL = frozenset(ClaimKind)


@dataclass(frozen=True, slots=True)
class Guidance:
    """One way to pay."""

    ja: str
    """What staff call it."""
    en: str
    kinds: frozenset[ClaimKind]
    """The kinds of claim that can be paid so."""
    text: Text


def _text(ja: str, ja_easy: str, en: str, zh: str, ko: str, vi: str) -> Text:
    return Text.model_validate(
        {"ja": ja, "ja-easy": ja_easy, "en": en, "zh": zh, "ko": ko, "vi": vi}
    )


#: Each way to pay, by the name of the placeholder that puts its text in.
GUIDANCE: Mapping[str, Guidance] = {
    "pay_direct_debit": Guidance(
        "口座振替（Web 口座振替受付）",
        "direct debit, registered on the web",
        _ALL - {ClaimKind.WELFARE_REPAYMENT, ClaimKind.OTHER},
        _text(
            "口座振替は、区のホームページの「Web口座振替受付サービス」から、印鑑なしで申し込めます。",
            "銀行の口座から自動で払うことができます。区のホームページの「Web口座振替受付サービス」"
            "で申し込みます。はんこはいりません。",
            "You can register for direct debit on the ward's website (Web口座振替受付サービス); "
            "no seal is needed.",
            "您可以通过区政府网站上的“Web口座振替受付サービス”申请账户自动转账，无需印章。",
            "구청 홈페이지의 ‘Web口座振替受付サービス’에서 도장 없이 자동이체를 신청하실 수 "
            "있습니다.",
            "Quý vị có thể đăng ký trích tiền tự động từ tài khoản trên trang web của quận "
            "(Web口座振替受付サービス), không cần con dấu.",
        ),
    ),
    "pay_convenience_store": Guidance(
        "コンビニエンスストア",
        "convenience stores",
        _ASSESSED | {ClaimKind.SCHOOL_LUNCH},
        _text(
            "お手元の納付書で、全国のコンビニエンスストアでお支払いいただけます。",
            "紙（納付書）を持って、コンビニで払うことができます。",
            "You can pay at any convenience store with the payment slip you received.",
            "您可以持缴款单在全国的便利店缴纳。",
            "받으신 납부서로 전국 편의점에서 납부하실 수 있습니다.",
            "Quý vị có thể thanh toán tại cửa hàng tiện lợi bằng phiếu nộp tiền đã nhận.",
        ),
    ),
    "pay_cashless": Guidance(
        "キャッシュレス（スマートフォン決済）",
        "cashless, by a smartphone's payment app",
        _ASSESSED,
        _text(
            "納付書のバーコードを、スマートフォンの決済アプリで読み取ってお支払いいただけます。",
            "紙（納付書）のバーコードを、スマートフォンの支払いアプリで読んで払うことができます。",
            "You can pay by scanning the bar code on the slip with a smartphone payment app.",
            "您可以用手机支付应用扫描缴款单上的条形码进行支付。",
            "스마트폰 결제 앱으로 납부서의 바코드를 읽어 납부하실 수 있습니다.",
            "Quý vị có thể thanh toán bằng cách quét mã vạch trên phiếu bằng ứng dụng thanh toán "
            "của điện thoại.",
        ),
    ),
    "pay_easy": Guidance(
        "ペイジー（Pay-easy）",
        "Pay-easy, by the numbers on the slip",
        _ASSESSED - {ClaimKind.NURSERY_FEE},
        _text(
            "納付書のペイジーの収納機関番号・納付番号・確認番号で、ATMやインターネットバンキングから"
            "お支払いいただけます。",
            "紙（納付書）にあるペイジーの番号を使って、ATMやインターネットバンキングで払うことができます。",
            "You can pay at an ATM or by internet banking with the Pay-easy numbers on the slip "
            "(収納機関番号, 納付番号, 確認番号).",
            "您可以凭缴款单上的Pay-easy号码（収納機関番号、納付番号、確認番号），通过ATM或网上银行缴纳。",
            "납부서의 Pay-easy 번호(収納機関番号, 納付番号, 確認番号)로 ATM이나 인터넷뱅킹에서 "
            "납부하실 수 있습니다.",
            "Quý vị có thể thanh toán tại ATM hoặc qua ngân hàng trực tuyến bằng số Pay-easy trên "
            "phiếu (収納機関番号, 納付番号, 確認番号).",
        ),
    ),
}


def ways_to_pay(kind: ClaimKind) -> tuple[str, ...]:
    """The names of the ready texts that fit a kind of claim."""
    return tuple(name for name, guidance in GUIDANCE.items() if kind in guidance.kinds)
