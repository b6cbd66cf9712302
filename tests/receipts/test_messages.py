"""What people write back, and reports that come over a connection: stored, then acknowledged."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.vocabulary import Channel
from contact_service.callcentre.replies import open_replies, take_reply
from contact_service.dispatch.providers import ProviderConfig
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.domain.opt_out import is_opt_out
from contact_service.receipts import collect as collecting
from contact_service.receipts.collect import collect
from contact_service.receipts.messages import store_messages
from providers.base import InboundMessage
from providers.registry import create
from tests.dispatch.conftest import Floor
from tests.ledger import mobile
from tests.providers import smsc as centre
from tests.providers.smpp_bench import options
from tests.providers.smsc import Smsc, smsc

CONFIG = ProviderConfig(name="smpp", adapter="smpp", per_second={Channel.SMS: 10}, webhook=False)


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop.", " ＳＴＯＰ！", "停止", "配信停止", "送信を停止してください", "ストップ", "やめてください。",
     "もう送らないで", "二度と連絡しないで下さい", "SMS不要", "Please do not text me", "迷惑です", "連絡は不要です"],
)  # fmt: skip
def test_a_wish_to_be_left_alone_is_heard(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    ["はい", "支払いました", "電話番号を教えてください", "バスの停止位置", "いつまでに払えばいいですか",
     "明日連絡します", "The weekend is fine", "分割にしたい", ""],
)  # fmt: skip
def test_other_words_are_no_such_wish(text: str) -> None:
    assert not is_opt_out(text)


def said(ref: str, sender: str, body: str, **more: bool) -> InboundMessage:
    return InboundMessage(ref, sender, "0354321111", body, **more)


def test_opting_out_holds_at_once_and_replies_are_kept_sealed(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    now = floor.clock.now()
    messages = [
        said("m1", mobile(1), "停止"),
        said("m2", mobile(2), "すみません、明日払います"),
        said("m3", mobile(3), "x", opted_out=True),  # the carrier took it for one
    ]
    assert list(store_messages(floor.service, "main", messages, now)) == [True, False, True]
    store_messages(floor.service, "main", messages, now)  # the carrier brings them twice
    assert floor.ledger.one("SELECT count(*) FROM inbound_message") == 3
    rows = floor.ledger.rows(
        "SELECT r.kind, r.origin FROM restriction r WHERE r.phone_id IS NOT NULL"
    )
    assert rows == [("opted_out", "resident")] * 2, "a number nobody has is left alone too"
    sealed = bytes(floor.ledger.one("SELECT body FROM inbound_message WHERE provider_ref = 'm2'"))  # type: ignore[arg-type]
    assert "払".encode() not in sealed
    operator = Actor("201", Role.OPERATOR)
    (reply,) = open_replies(floor.service, operator)  # nobody has to read the others
    assert reply.body is None
    assert take_reply(floor.service, operator, reply.id, now)
    assert open_replies(floor.service, operator)[0].body == "すみません、明日払います"
    with pytest.raises(NotAllowed):
        open_replies(floor.service, Actor("e", Role.EVALUATOR))


def test_a_number_left_alone_is_not_written_to(floor: Floor) -> None:
    floor.ledger.person([mobile(1)])
    floor.start()
    store_messages(floor.service, "main", [said("m1", mobile(1), "配信停止")], floor.clock.now())
    floor.drain()
    assert floor.carrier.taken == []
    assert floor.reasons() == {"restricted": 1}


def through(floor: Floor, *bodies: bytes) -> tuple[int, Smsc]:
    async def conversation() -> tuple[int, Smsc]:
        async with smsc() as there:
            there.then(centre.bound_then(*bodies))
            provider = create("smpp", "smpp", options(there.origin))
            try:
                count = 0
                for _ in range(200):
                    count += await collect(floor.service, CONFIG, provider)
                    if count:
                        break
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                return count, there
            finally:
                await provider.close()

    return asyncio.run(conversation())


def test_what_came_over_a_connection_is_stored_then_acknowledged(floor: Floor) -> None:
    count, there = through(
        floor,
        centre.delivery(centre.receipt_text("r1", "DELIVRD")),
        centre.delivery("停止".encode("utf-16-be"), esm_class=0, coding=8, source=mobile(9)[1:]),
    )
    assert count == 1
    assert there.acknowledged == [0, 0]
    assert floor.ledger.rows("SELECT provider_ref, outcome, via FROM event") == [
        ("r1", "delivered", "connection")
    ]
    assert floor.ledger.rows("SELECT kind FROM restriction") == [("opted_out",)]


def test_what_could_not_be_stored_is_not_acknowledged(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> int:
        raise DBAPIError("away", None, Exception())

    monkeypatch.setattr(collecting, "store_receipts", away)
    with pytest.raises(DBAPIError):
        through(floor, centre.delivery(centre.receipt_text("r1", "DELIVRD")))
    assert floor.ledger.one("SELECT count(*) FROM event") == 0
