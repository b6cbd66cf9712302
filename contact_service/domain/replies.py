"""What somebody writes back, as far as it can be understood without guessing."""

from __future__ import annotations

import re
import unicodedata

from contact_service.domain.opt_out import is_opt_out
from contact_service.domain.states import ReplyKind

_MARKS = re.compile(r"[\s、。,.!?・…\"'「」()\[\]~〜ー-]+")
#: The whole message, but for politeness around it: longer texts say something more, and a person
#: must read them.
_PAID = re.compile(
    r"(?:昨日|今日|本日|先日|先週|もう|既に|すでに)?(?:に)?"
    r"(?:支払い?(?:ました|済み?(?:です)?)|払いました|払った|納めました|納付しました"
    r"|納付済み?(?:です)?|入金しました|入金済み?(?:です)?|振り?込みました"
    r"|paid|ihavepaid|alreadypaid)"
)
_CALL_ME = re.compile(
    r"(?:お?電話|連絡|でんわ|tel|折り?返し(?:の?お?電話)?)(?:を|が)?"
    r"(?:ください|下さい|欲しい(?:です)?|ほしい(?:です)?|お願いします|おねがいします"
    r"|希望(?:します)?|して(?:ください|下さい|欲しい(?:です)?|ほしい(?:です)?))"
    r"|かけ直してください|折り?返し|callme|pleasecallme|callback|pleasecallback"
)
_POLITE = re.compile(
    r"^(?:すみません|すいません|申し訳ありません|こんにちは|はい)"
    r"|(?:よろしくお願い(?:いた)?します|ありがとうございます)$"
)


def kind_of(body: str) -> ReplyKind:
    """What ``body`` says; :attr:`ReplyKind.OTHER` for all that is not surely one of the others."""
    if is_opt_out(body):
        return ReplyKind.STOP
    said = _MARKS.sub("", unicodedata.normalize("NFKC", body).casefold())
    said = _POLITE.sub("", said)
    if _PAID.fullmatch(said):
        return ReplyKind.PAID
    if _CALL_ME.fullmatch(said):
        return ReplyKind.CALL_ME
    return ReplyKind.OTHER
