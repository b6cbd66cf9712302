"""Messages through the official SDK: life, reports, listing, refusals."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from contact_service.simulation.carrier.subscribers import MessageFate
from tests.simulation.support import ACCOUNT, LANDLINE, MOBILE, OURS, START, World, world


def test_a_message_lives_in_order_and_every_report_is_signed(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            report_to = f"{w.customer.url}/receipts?attempt=7&x=%E3%81%82"
            sent = await w.sdk(
                lambda c: c.messages.create(
                    to=MOBILE, from_=OURS, body="お知らせ" * 20, status_callback=report_to
                )
            )
            assert (sent.status, sent.num_segments, sent.price) == ("queued", "2", None)
            assert sent.date_created == START.astimezone(UTC)
            await w.pass_time(minutes=30)
            states = [form["MessageStatus"] for form in w.customer.forms("/receipts")]
            assert states == ["sending", "sent", "delivered"]
            for url, form, signature in w.customer.requests:
                assert url == report_to
                assert form["MessageSid"] == sent.sid and form["To"] == MOBILE
                assert RequestValidator(ACCOUNT.token).validate(url, form, signature)
                assert not RequestValidator("another").validate(url, form, signature)
            # The report bears its own instant, not the one to which the clock has jumped.
            assert w.customer.forms("/receipts")[-1]["RawDlrDoneDate"] == "2610260100"
            ((number, at),) = w.people.delivered
            assert number == MOBILE
            assert timedelta(seconds=5) < at - START < timedelta(seconds=10)
            after = await w.sdk(lambda c: c.messages(sent.sid).fetch())
            assert (after.status, after.price, after.error_code) == ("delivered", "-24.00000", None)
            assert after.date_sent < START + timedelta(seconds=5)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("code", "states"),
    [(30003, ["sending", "sent", "undelivered"]), (30007, ["failed"])],
)
def test_a_message_that_does_not_arrive_says_why(
    tmp_path: Path, code: int, states: list[str]
) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.fate = MessageFate(60.0, code)
            form = {"To": MOBILE, "From": OURS, "Body": "x"}
            await w.api(
                "POST", "/Messages.json", form | {"StatusCallback": w.customer.url + "/receipts"}
            )
            await w.pass_time(minutes=5)
            reports = w.customer.forms("/receipts")
            assert [report["MessageStatus"] for report in reports] == states
            assert reports[-1]["ErrorCode"] == str(code)
            assert w.people.delivered == []

    asyncio.run(story())


def test_refusals_have_twilios_codes_and_take_nothing(tmp_path: Path) -> None:
    good = {"To": MOBILE, "From": OURS, "Body": "x"}
    cases = [
        ({**good, "To": "+8112"}, 21211),
        ({**good, "To": LANDLINE}, 21614),
        ({**good, "To": "+819099999999"}, 21610),
        ({**good, "Body": ""}, 21602),
        ({**good, "Body": "あ" * 1601}, 21617),
        ({"To": MOBILE, "Body": "x"}, 21603),
        ({**good, "From": "office"}, 21606),
    ]

    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.unsubscribed.add("+819099999999")
            for form, code in cases:
                status, body, _ = await w.api("POST", "/Messages.json", form)
                assert (status, body["code"], body["status"]) == (400, code, 400), form
                assert str(code) in str(body["more_info"])
            with pytest.raises(TwilioRestException) as caught:
                await w.sdk(lambda c: c.messages("SM" + "0" * 32).fetch())
            assert (caught.value.status, caught.value.code) == (404, 20404)
            status, body, _ = await w.api("GET", "/Messages.json", token="wrong")
            assert (status, body["code"]) == (401, 20003)
            assert (await w.control("/accepted"))["messages"] == 0
            assert (tmp_path / "accepted.jsonl").read_text() == ""

    asyncio.run(story())


def test_listing_is_complete_over_pages_while_messages_arrive(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            sids = [await _send(w, MOBILE) for _ in range(7)]
            other = await _send(w, "+818011112222")
            pages = await w.sdk(lambda c: c.messages.page(to=MOBILE, page_size=3))
            first = [m.sid for m in pages]
            assert first == sids[:3:-1]
            await _send(w, MOBILE)
            second = await w.sdk(lambda c: pages.next_page())
            third = await w.sdk(lambda c: second.next_page())
            assert [m.sid for m in second] == [sids[3], sids[2], sids[1]]
            assert [m.sid for m in third] == [sids[0]]
            assert await w.sdk(lambda c: third.next_page()) is None
            everything = await w.sdk(lambda c: c.messages.list())
            assert len(everything) == 9 and everything[1].sid == other

    asyncio.run(story())


def test_listing_filters_by_day_and_instant(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            early = await _send(w, MOBILE)
            await w.pass_time(days=1)
            late = await _send(w, MOBILE)  # queued: not sent yet, and listed all the same
            now = w.clock.now().astimezone(UTC)  # the SDK does not convert
            day = START.astimezone(UTC).date()
            found = [
                await w.sdk(lambda c: [m.sid for m in c.messages.list(date_sent=day)]),
                await w.sdk(lambda c: [m.sid for m in c.messages.list(date_sent_after=now)]),
                await w.sdk(lambda c: [m.sid for m in c.messages.list(date_sent_before=day)]),
                await w.sdk(lambda c: [m.sid for m in c.messages.list(from_="+81300000000")]),
            ]
            assert found == [[early], [late], [early], []]

    asyncio.run(story())


def test_the_ledger_counts_and_outlives_the_process(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with world(tmp_path) as w:
            url = w.customer.url + "/receipts?attempt=1"
            sids = [await _send(w, MOBILE, url), await _send(w, MOBILE, url)]
            await _send(w, "+818011112222")
            counted = await w.control("/accepted")
            assert counted["maximum_per_number"] == counted["maximum_per_status_callback"] == 2
            assert counted["per_status_callback"] == {url: 2}
            return sids

    first = asyncio.run(story())
    second = asyncio.run(story())
    lines = [json.loads(line) for line in (tmp_path / "accepted.jsonl").read_text().splitlines()]
    assert [line["sid"] for line in lines if line["status_callback"]] == first + second
    assert len({line["sid"] for line in lines}) == 6  # a restarted carrier repeats no identifier


def test_health(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            account = await w.sdk(lambda c: c.api.accounts(ACCOUNT.sid).fetch())
            assert (account.sid, account.status) == (ACCOUNT.sid, "active")

    asyncio.run(story())


async def _send(w: World, to: str, status_callback: str = "") -> str:
    form = {"To": to, "From": OURS, "Body": "x"}
    if status_callback:
        form["StatusCallback"] = status_callback
    status, body, _ = await w.api("POST", "/Messages.json", form)
    assert status == 201, body
    return str(body["sid"])
