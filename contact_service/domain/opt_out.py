"""Words by which somebody says: write to me no more."""

from __future__ import annotations

import re
import unicodedata

#: The whole message, but for case, width, blanks and marks around it.
WORDS = frozenset(
    {
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "remove",
        "停止", "中止", "解除", "拒否", "不要", "ストップ", "すとっぷ", "やめて", "やめてください",
        "止めて", "止めてください", "退会", "いりません", "要りません", "迷惑", "迷惑です",
    }
)  # fmt: skip
#: Anywhere in the message. Rather one too many left alone than one who said so contacted again.
_PHRASES = re.compile(
    r"(?:配信|送信|受信|連絡|メール|メッセージ|sms|催促|督促)(?:を|は|の)?"
    r"(?:停止|中止|解除|拒否|不要|やめ|止め|しないで|いらない|要らない)"
    r"|(?:送って|送ら|連絡し|電話し|かけて|かけ)(?:こ)?ないで|送るな|連絡するな|電話するな"
    r"|二度と(?:送|連絡|電話)|no more (?:messages|texts|sms)|do not (?:contact|text|call)"
    r"|don't (?:contact|text|call)|opt[ -]?out"
)
_MARKS = re.compile(r"[\s、。,.!?・…\"'「」()\[\]]+")


def is_opt_out(text: str) -> bool:
    """Whether ``text`` asks that no more be sent."""
    said = unicodedata.normalize("NFKC", text).casefold()
    return _MARKS.sub("", said) in WORDS or _PHRASES.search(said) is not None
