"""How amounts, dates, times and telephone numbers are said in Japanese: text in, text out.

A speech engine reads digits as it finds them: ``R8.11.30`` becomes a fraction, a telephone number
a calculation with minus signs. This table writes them out first, in words that leave no choice.
Rules apply from top to bottom; what fits none is left to the engine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

#: Each digit with its long vowel, as numbers are dictated.
DIGITS: Mapping[str, str] = dict(
    zip(
        "0123456789",
        ["ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー"],
        strict=True,
    )
)
ERAS: Mapping[str, str] = {
    "R": "令和", "令": "令和", "H": "平成", "平": "平成", "S": "昭和", "昭": "昭和",
}  # fmt: skip
WORDS: Mapping[str, str] = {
    "SMS": "エスエムエス", "FAX": "ファックス", "QR": "キューアール", "ATM": "エーティーエム",
    "TEL": "電話", "#": "シャープ", "＃": "シャープ", "*": "米印", "＊": "米印", "※": "",
    "お問合せ": "お問い合わせ", "お問合わせ": "お問い合わせ",
}  # fmt: skip


def dictated(digits: str) -> str:
    """Digits one by one: ``03`` → ``ゼロサン``."""
    return "".join(DIGITS[digit] for digit in digits)


def _telephone(found: re.Match[str]) -> str:
    groups = re.findall(r"[0-9]+", found[0])
    return "ノ、".join(dictated(group) for group in groups)


def _plain_telephone(found: re.Match[str]) -> str:
    digits = found[0]
    free = digits.startswith(("0120", "0570", "0800"))
    first = 4 if free else 3 if len(digits) == 11 else 2
    middle = (len(digits) - first + 1) // 2 if len(digits) == 10 else 4
    cut = (digits[:first], digits[first : first + middle], digits[first + middle :])
    return "ノ、".join(dictated(group) for group in cut)


def _international(found: re.Match[str]) -> str:
    return _plain_telephone_text("0" + re.sub(r"[^0-9]", "", found[0])[2:])


def _plain_telephone_text(digits: str) -> str:
    return _PLAIN.sub(_plain_telephone, digits)


def _western(found: re.Match[str]) -> str:
    year, month, day = (int(part) for part in found.groups())
    return f"{year}年{month}月{day}日" if _is_day(month, day) else found[0]


def _era(found: re.Match[str]) -> str:
    era, year, month, day = found[1], int(found[2]), int(found[3]), int(found[4])
    if not _is_day(month, day):
        return found[0]
    return f"{ERAS[era]}{_era_year(year)}年{month}月{day}日"


def _era_years(found: re.Match[str]) -> str:
    return f"{ERAS[found[1]]}{_era_year(int(found[2]))}年"


def _first_year(found: re.Match[str]) -> str:
    return f"{found[1]}元年"


def _era_year(year: int) -> str:
    return "元" if year == 1 else str(year)


def _month_and_day(found: re.Match[str]) -> str:
    month, day = int(found[1]), int(found[2])
    return f"{month}月{day}日" if _is_day(month, day) else found[0]


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if hour > 24 or minute > 59:
        return found[0]
    return f"{hour}時" + (f"{minute}分" if minute else "")


def _yen(found: re.Match[str]) -> str:
    return found[1].replace(",", "") + "円"


def _no_commas(found: re.Match[str]) -> str:
    return found[0].replace(",", "")


def _postcode(found: re.Match[str]) -> str:
    return f"郵便番号、{dictated(found[1])}ノ、{dictated(found[2])}"


_PLAIN = re.compile(r"(?<![0-9,.\-])0[0-9]{9,10}(?![0-9,.\-円])")
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | str], ...] = (
    (re.compile(r"〒\s*([0-9]{3})-?([0-9]{4})"), _postcode),
    (re.compile(r"\+81[-\s]?[0-9]{1,4}[-\s]?[0-9]{2,4}[-\s]?[0-9]{3,4}(?![0-9])"), _international),
    (re.compile(r"(?<![0-9.,\-])0[0-9]{1,4}[-(][0-9]{1,4}[-)][0-9]{3,4}(?![0-9-])"), _telephone),
    (_PLAIN, _plain_telephone),
    (re.compile(r"(?<![0-9])([0-9]{4})[/.\-]([0-9]{1,2})[/.\-]([0-9]{1,2})(?![0-9])"), _western),
    (re.compile(r"([RHS令平昭])\s*([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{1,2})(?!\d)"), _era),
    (re.compile(r"(?<![A-Za-z])([RHS])\s*([0-9]{1,2})年"), _era_years),
    (re.compile(r"(令和|平成|昭和)1年"), _first_year),
    (re.compile(r"(?<![0-9])([0-9]{1,2}):([0-9]{2})(?![0-9])"), _time),
    (re.compile(r"(?<![0-9/])([0-9]{1,2})/([0-9]{1,2})(?![0-9/])"), _month_and_day),
    (re.compile(r"[¥￥]\s*([0-9][0-9,]*)(?:円)?-?"), _yen),
    (re.compile(r"(?<![0-9,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])"), _no_commas),
    (re.compile(r"[(（]([月火水木金土日])[)）]"), r"\1曜日"),
    (re.compile(r"(?<=[時分日円年])\s*[~〜～]\s*"), "から"),
)  # fmt: skip


def spoken(text: str) -> str:
    """``text`` with everything written out that an engine would misread."""
    result = unicodedata.normalize("NFKC", text).replace("‐", "-").replace("−", "-")
    result = re.sub(r"(?<=[0-9])[ーｰ–—](?=[0-9])", "-", result)
    for pattern, how in _RULES:
        result = pattern.sub(how, result)
    for word, said in WORDS.items():
        result = result.replace(word, said)
    return result
