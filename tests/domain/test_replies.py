"""What people write back is understood only when it is plain."""

from __future__ import annotations

import pytest

from contact_service.domain.replies import kind_of
from contact_service.domain.states import ReplyKind


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (ReplyKind.STOP, ["停止", "もう送らないで", "STOP"]),
        (ReplyKind.PAID, ["支払いました", "昨日払いました。", "納付済です", "すみません、もう振り込みました", "PAID"]),
        (ReplyKind.CALL_ME, ["電話ください", "お電話をお願いします。", "折り返し電話ほしい", "Call me!", "連絡して下さい"]),
        (ReplyKind.OTHER, ["はい", "いつまでに払えばいいですか", "半分は支払いました。残りは待って", "まだ払っていません",
                           "明日払います", "電話番号を教えてください", "電話より先に書面がほしい", ""]),
    ],
)  # fmt: skip
def test_a_reply_says(kind: ReplyKind, texts: list[str]) -> None:
    assert {text: kind_of(text) for text in texts} == dict.fromkeys(texts, kind)
