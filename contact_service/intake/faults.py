"""What can be wrong with a file and with a row, in a closed vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FileRefused(Exception):
    """The whole file is refused and nothing has changed. The message is for its sender:
    Japanese, then English, without anything from the file's rows."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")


class Reason(StrEnum):
    """Why a row was rejected."""

    BLANK = "blank"
    TRUNCATED = "truncated"
    EXTRA_CELLS = "extra_cells"
    BAD_CODE = "bad_code"
    BAD_DATE = "bad_date"
    IMPOSSIBLE_DATE = "impossible_date"
    BAD_YEAR = "bad_year"
    BAD_AMOUNT = "bad_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    BAD_ORDINAL = "bad_ordinal"
    BAD_SECONDS = "bad_seconds"
    UNKNOWN_WORD = "unknown_word"
    ENDS_BEFORE_START = "ends_before_start"
    CONFLICTING_ROW = "conflicting_row"
    OTHER_OFFICE = "other_office"
    ENDED_BY_FILE = "ended_by_file"


#: Japanese and English, each with the remedy. All of it can be written in CP932.
REASON_TEXT: Mapping[Reason, tuple[str, str]] = {
    Reason.BLANK: (
        "必須の欄が空です。記入してください",
        "a required cell is empty; fill it in",
    ),
    Reason.TRUNCATED: (
        "列が足りません。行が途中で切れています。元の行を補ってください",
        "the row ends too early; restore the missing cells",
    ),
    Reason.EXTRA_CELLS: (
        "見出しより列が多くあります。区切り文字を含む欄は引用符で囲んでください",
        "more cells than headings; quote cells that contain the delimiter",
    ),
    Reason.BAD_CODE: (
        "番号に使えない文字があるか、長すぎます。英数字とハイフンで記入してください",
        "not a code; use letters, digits and hyphens only",
    ),
    Reason.BAD_DATE: (
        "日付として読めません。2026/10/3 や R8.10.3 の形で記入してください",
        "not a date; write 2026/10/3 or R8.10.3",
    ),
    Reason.IMPOSSIBLE_DATE: (
        "存在しない日付です。暦を確かめてください",
        "there is no such day; check the calendar",
    ),
    Reason.BAD_YEAR: (
        "年度として読めません。2026 や 令和8 の形で記入してください",
        "not a fiscal year; write 2026 or 令和8",
    ),
    Reason.BAD_AMOUNT: (
        "金額として読めません。数字で記入してください",
        "not an amount; write digits",
    ),
    Reason.NEGATIVE_AMOUNT: (
        "金額が負です。0以上で記入してください",
        "a negative amount; write 0 or more",
    ),
    Reason.BAD_ORDINAL: (
        "期別として読めません。3 や 第3期 の形で記入してください",
        "not an instalment; write 3 or 第3期",
    ),
    Reason.BAD_SECONDS: (
        "秒数として読めません。95 や 1:35 の形で記入してください",
        "not a length of time; write 95 or 1:35",
    ),
    Reason.UNKNOWN_WORD: (
        "決められた語ではありません。語を直すか、レイアウトに追加してください",
        "not a known word; correct it or add it to the layout",
    ),
    Reason.ENDS_BEFORE_START: (
        "終了日が開始日より前です。日付を確かめてください",
        "it ends before it starts; check the dates",
    ),
    Reason.CONFLICTING_ROW: (
        "同じ項目が前の行にあり、内容が異なります。正しければこの行をもう一度取り込んでください",
        "an earlier row says otherwise about the same thing; if this one is right, import it again",
    ),
    Reason.OTHER_OFFICE: (
        "ほかの課が所管する債権です。この行を除くか、すべての課を見る人に取り込んでもらってください",
        "a claim that another office keeps; leave the row out, or ask somebody of all offices",
    ),
    Reason.ENDED_BY_FILE: (
        "画面やほかの課でも登録された制限は、ファイルでは短くなりません。"
        "解除は画面「連絡しない方・番号」から二人で行ってください",
        "a file does not shorten what others have registered, too; have it lifted by two persons, "
        "on the page Do not contact",
    ),
}


class BadValue(ValueError):
    """A cell cannot be read. Carries the reason, never the value."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one row. The value may be personal and stays out of ``repr``."""

    line: int  # physical line in the file, from 1
    column: str  # the heading as the file has it
    value: str = field(repr=False)
    reason: Reason
    detail: str = ""

    @property
    def ja(self) -> str:
        """The reason in Japanese, with its remedy."""
        return REASON_TEXT[self.reason][0] + (f"（{self.detail}）" if self.detail else "")

    @property
    def en(self) -> str:
        """The reason in English, with its remedy."""
        return REASON_TEXT[self.reason][1] + (f" ({self.detail})" if self.detail else "")
