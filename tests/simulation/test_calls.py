"""Calls: life, reports, TwiML, transfers, ending them from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from contact_service.simulation.carrier.subscribers import Connection, Pickup, Reaction
from tests.simulation.support import ACCOUNT, LANDLINE, MOBILE, OURS, START, World, world

MENU = """<Response>
  <Gather numDigits="1" timeout="6" action="/voice/answer?attempt=7">
    <Say language="ja-JP">区役所です。ご本人の方は一を押してください。</Say>
  </Gather>
  <Redirect>/voice/answer?attempt=7</Redirect>
</Response>"""
CONFIRMED = """<Response>
  <Say>お知らせがあります。</Say><Pause length="2"/>
  <Gather numDigits="1" timeout="4" action="/voice/after">
    <Say>センターにおつなぎするには一を押してください。</Say>
  </Gather>
  <Hangup/>
</Response>"""
TRANSFER = '<Response><Dial action="/voice/dialled" timeout="20">+81354321111</Dial></Response>'
GOODBYE = "<Response><Say>失礼します。</Say><Hangup/></Response>"
ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def test_a_call_goes_through_its_menu_and_reports_every_step(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            _serve(w, {"/voice/start": MENU, "/voice/answer?1": CONFIRMED})
            call = await _call(w, status_callback_event=ALL_EVENTS)
            assert (call.status, call.duration, call.start_time) == ("queued", None, None)
            await w.pass_time(minutes=30)
            reports = w.customer.forms("/receipts")
            assert [r["CallStatus"] for r in reports] == [
                *("initiated", "ringing", "in-progress", "completed")
            ]
            assert [r["SequenceNumber"] for r in reports] == ["0", "1", "2", "3"]
            stamps = [_instant(r["Timestamp"]) for r in reports]
            assert stamps == sorted(stamps) and stamps[-1] < START + timedelta(minutes=2)
            assert stamps[2] - stamps[1] == timedelta(seconds=6)
            # 22 characters, 1.5 s to react, 1 s to fetch; then the second document in silence.
            first = 1 + 22 / 7 + 1.5
            second = 1 + 10 / 7 + 2 + 23 / 7 + 4
            assert reports[-1]["CallDuration"] == str(round(first + second))
            assert reports[-1]["SipResponseCode"] == "200"
            ((answer,),) = [w.customer.forms("/voice/answer")]
            assert (answer["Digits"], answer["CallStatus"]) == ("1", "in-progress")
            for url, form, signature in w.customer.requests:
                assert RequestValidator(ACCOUNT.token).validate(url, form, signature), url
            (heard,) = w.people.calls
            assert heard.keys == ("1",) and not heard.transferred
            done = await w.sdk(lambda c: c.calls(call.sid).fetch())
            assert (done.status, done.duration) == ("completed", reports[-1]["CallDuration"])
            assert done.end_time - done.start_time < timedelta(minutes=1)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pickup", "status", "sip"),
    [
        (Pickup.BUSY, "busy", "486"),
        (Pickup.NO_ANSWER, "no-answer", "487"),
        (Pickup.UNREACHABLE, "failed", "480"),
        (Pickup.NOT_IN_USE, "failed", "404"),
    ],
)
def test_calls_that_nobody_picks_up(tmp_path: Path, pickup: Pickup, status: str, sip: str) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.reaction = Reaction(pickup)
            await _call(w, timeout=25)
            await w.pass_time(minutes=2)
            (report,) = w.customer.forms("/receipts")  # without events asked for: the end only
            assert (report["CallStatus"], report["SipResponseCode"]) == (status, sip)
            assert report["CallDuration"] == "0"
            assert w.people.calls == [] and w.customer.forms("/voice") == []
            ended = _instant(report["Timestamp"]) - START
            assert ended < timedelta(seconds=4) or status == "no-answer"
            assert (ended > timedelta(seconds=25)) == (status == "no-answer")

    asyncio.run(story())


def test_ringing_ends_at_the_timeout(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.reaction = Reaction(Pickup.PERSON, ring_seconds=22)
            await _call(w, timeout=20)
            await w.pass_time(minutes=2)
            assert [r["CallStatus"] for r in w.customer.forms("/receipts")] == ["no-answer"]

    asyncio.run(story())


def test_a_machine_is_detected_only_when_asked_and_presses_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.reaction = Reaction(Pickup.MACHINE, 15)
            _serve(w, {"/voice/start": MENU, "/voice/answer": GOODBYE})
            await _call(
                w, machine_detection="Enable", status_callback_event=["answered", "completed"]
            )
            await w.pass_time(minutes=5)
            await _call(w)
            await w.pass_time(minutes=5)
            answered, first, second = w.customer.forms("/receipts")
            assert "AnsweredBy" not in answered  # the carrier is still listening
            assert first["AnsweredBy"] == "machine_start" and "AnsweredBy" not in second
            starts = w.customer.forms("/voice/start")
            assert [form.get("AnsweredBy") for form in starts] == ["machine_start", None]
            assert all("Digits" not in form for form in w.customer.forms("/voice/answer"))
            assert len(w.customer.forms("/voice/answer")) == 2  # the redirect after the silence

    asyncio.run(story())


def test_who_presses_nothing_hears_the_question_twice_at_most(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.reaction = Reaction(Pickup.PERSON, 5)
            _serve(w, {"/voice/start": MENU, "/voice/answer": MENU})
            await _call(w)
            await w.pass_time(minutes=30)
            assert len(w.customer.forms("/voice/answer")) == 1
            (report,) = w.customer.forms("/receipts")
            assert report["CallStatus"] == "completed"

    asyncio.run(story())


@pytest.mark.parametrize("hung_up", [False, True])
def test_a_transfer_tells_how_the_second_leg_ended(tmp_path: Path, hung_up: bool) -> None:
    async def story() -> None:
        lines: list[tuple[str, str, datetime]] = []

        class Lines:
            def connect(
                self, number: str, caller: str, at: datetime, ended: Callable[[Connection], None]
            ) -> bool:
                lines.append((number, caller, at))
                over = Connection(at + timedelta(seconds=95), "completed", 95, hung_up)
                w.carrier.timeline.at(over.ended_at, lambda _: ended(over))
                return True

        async with world(tmp_path, Lines()) as w:
            w.people.reaction = Reaction(Pickup.PERSON, 5, ("1", "1"))
            pages = {"/voice/start": MENU, "/voice/answer?1": CONFIRMED, "/voice/after?1": TRANSFER}
            _serve(w, {**pages, "/voice/dialled": GOODBYE})
            await _call(w)
            await w.pass_time(minutes=30)
            ((number, caller, _),) = lines
            assert (number, caller) == ("+81354321111", MOBILE)
            (dialled,) = w.customer.forms("/voice/dialled")
            assert (dialled["DialCallStatus"], dialled["DialCallDuration"]) == ("completed", "95")
            (report,) = w.customer.forms("/receipts")
            assert int(report["CallDuration"]) > 95
            assert w.people.calls[0].transferred == (not hung_up)

    asyncio.run(story())


def test_instructions_are_fetched_by_get_when_asked(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            _serve(w, {"/voice/start": GOODBYE})
            await _call(w, method="GET")
            await w.pass_time(minutes=2)
            ((url, form, signature),) = [r for r in w.customer.requests if "/voice" in r[0]]
            assert "CallStatus=in-progress" in url and form == {}
            assert RequestValidator(ACCOUNT.token).validate(url, {}, signature)

    asyncio.run(story())


def test_a_transfer_to_a_closed_centre_is_not_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            w.people.reaction = Reaction(Pickup.PERSON, 5, ("1", "1"))
            pages = {"/voice/start": MENU, "/voice/answer?1": CONFIRMED, "/voice/after?1": TRANSFER}
            _serve(w, {**pages, "/voice/dialled": GOODBYE})
            await _call(w)
            await w.pass_time(minutes=30)
            (dialled,) = w.customer.forms("/voice/dialled")
            assert dialled["DialCallStatus"] == "no-answer"
            assert not w.people.calls[0].transferred

    asyncio.run(story())


@pytest.mark.parametrize("page", ["<Response><Dance/></Response>", "no XML", "<html></html>"])
def test_bad_instructions_end_the_call(tmp_path: Path, page: str) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            _serve(w, {"/voice/start": page})
            await _call(w)
            await w.pass_time(minutes=1)
            (report,) = w.customer.forms("/receipts")
            assert (report["CallStatus"], report["CallDuration"]) == ("completed", "1")

    asyncio.run(story())


def test_calls_can_be_ended_from_outside_but_not_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as w:
            _serve(w, {"/voice/start": MENU})
            waiting = await _call(w)
            assert (
                await w.sdk(lambda c: c.calls(waiting.sid).update(status="canceled"))
            ).status == ("canceled")
            talking = await _call(w)
            await w.pass_time(seconds=11)
            assert (await w.sdk(lambda c: c.calls(talking.sid).fetch())).status == "in-progress"
            ended = await w.sdk(lambda c: c.calls(talking.sid).update(status="completed"))
            assert ended.status == "completed"
            with pytest.raises(TwilioRestException) as caught:
                await w.sdk(lambda c: c.calls(talking.sid).update(status="completed"))
            assert caught.value.code == 21220
            await w.pass_time(minutes=30)
            statuses = [r["CallStatus"] for r in w.customer.forms("/receipts")]
            assert statuses == ["canceled", "completed"]
            listed = await w.sdk(lambda c: c.calls.list(to=MOBILE, status="canceled"))
            assert [call.sid for call in listed] == [waiting.sid]

    asyncio.run(story())


def test_refusals_of_calls(tmp_path: Path) -> None:
    good = {"To": LANDLINE, "From": OURS, "Url": "http://127.0.0.1:1/x"}
    cases = [
        ({**good, "To": ""}, 21201),
        ({**good, "To": "0312345678"}, 21211),
        ({**good, "From": "office"}, 21213),
        ({**good, "Url": "voice/start"}, 21205),
    ]

    async def story() -> None:
        async with world(tmp_path) as w:
            for form, code in cases:
                status, body, _ = await w.api("POST", "/Calls.json", form)
                assert (status, body["code"]) == (400, code), form
            assert (await w.control("/accepted"))["calls"] == 0

    asyncio.run(story())


def _serve(w: World, pages: dict[str, str]) -> None:
    w.customer.twiml.update(pages)


async def _call(w: World, **options: object):  # type: ignore[no-untyped-def]
    return await w.sdk(
        lambda c: c.calls.create(
            to=MOBILE,
            from_=OURS,
            url=w.customer.url + "/voice/start",
            status_callback=w.customer.url + "/receipts",
            **options,
        )
    )


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S %z")
