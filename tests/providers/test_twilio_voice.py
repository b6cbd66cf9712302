"""TwiML."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from providers.base import (
    Dequeue,
    Enqueue,
    HangUp,
    Instruction,
    Menu,
    Play,
    Record,
    Say,
    Transfer,
)
from providers.registry import create
from providers.twilio import twiml
from tests.providers.twilio_bench import FROM, OPTIONS

ANSWER = "https://ward.example/v?node=1&sig=x"


def rendered(instructions: Sequence[Instruction]) -> ElementTree.Element:
    provider = create("twilio", "t", OPTIONS)
    content_type, body = provider.render(instructions)
    asyncio.run(provider.close())
    assert content_type == "text/xml"
    assert body.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    response = ElementTree.fromstring(body)
    assert response.tag == "Response"
    return response


def test_say() -> None:
    (say,) = rendered([Say("区役所です & <お知らせ>")])
    assert (say.tag, say.text) == ("Say", "区役所です & <お知らせ>")
    assert say.attrib == {"language": "ja-JP", "voice": "Polly.Mizuki"}


@given(st.text(max_size=40))
def test_whatever_is_said_is_said_and_nothing_else(text: str) -> None:
    """Neither markup nor what XML cannot write: a carrier refuses the whole of such an answer."""
    said = Say(text)
    menu = Menu(said, frozenset("1"), ANSWER)
    say, gather, redirect = ElementTree.fromstring(twiml.render([said, menu], "Polly.Mizuki", None))
    assert [say.tag, *(one.tag for one in gather), redirect.tag] == ["Say", "Say", "Redirect"]
    plain = "".join(one for one in text if one >= " " or one in "\t\n\r")
    plain = plain.replace("\ufffe", "").replace("\uffff", "")
    assert (say.text or "") == plain.replace("\r\n", "\n").replace("\r", "\n")
    (reply,) = list(ElementTree.fromstring(twiml.reply(text + "x")))
    assert (reply.tag, list(reply)) == ("Message", [])


def test_menu_asks_for_one_key_and_reports_when_nothing_is_pressed() -> None:
    menu = Menu(Say("1か2を"), frozenset("12"), ANSWER, timedelta(seconds=8))
    gather, redirect = rendered([menu])
    assert gather.attrib == {
        "action": ANSWER,
        "finishOnKey": "",
        "input": "dtmf",
        "method": "POST",
        "numDigits": "1",
        "timeout": "8",
    }
    (say,) = gather
    assert (say.tag, say.text, say.attrib["language"]) == ("Say", "1か2を", "ja-JP")
    assert (redirect.tag, redirect.text, redirect.attrib) == (
        "Redirect",
        ANSWER,
        {"method": "POST"},
    )


def test_transfer_and_hang_up() -> None:
    dial, hang_up = rendered([Transfer("+81354321111", ANSWER), HangUp()])
    (number,) = dial
    assert (dial.tag, number.tag, number.text) == ("Dial", "Number", "+81354321111")
    assert dial.attrib == {"action": ANSWER, "callerId": FROM, "method": "POST"}
    assert (hang_up.tag, hang_up.attrib) == ("Hangup", {})


def test_transfer_without_an_afterwards() -> None:
    (dial,) = rendered([Transfer("+81354321111")])
    assert dial.attrib == {"callerId": FROM}
    assert dial[0].attrib == {}


def test_transfer_with_a_whisper_to_the_operator() -> None:
    (dial,) = rendered([Transfer("+81354321111", None, "https://ward.example/w")])
    assert dial[0].attrib == {"url": "https://ward.example/w", "method": "POST"}


def test_waiting_in_a_queue_and_taking_from_it() -> None:
    (enqueue,) = rendered([Enqueue("centre", "https://ward.example/wait", ANSWER)])
    assert (enqueue.tag, enqueue.text) == ("Enqueue", "centre")
    assert enqueue.attrib == {
        "action": ANSWER,
        "method": "POST",
        "waitUrl": "https://ward.example/wait",
        "waitUrlMethod": "POST",
    }
    (dial,) = rendered([Dequeue("centre", "https://ward.example/w")])
    (queue,) = dial
    assert (queue.tag, queue.text) == ("Queue", "centre")
    assert queue.attrib == {"url": "https://ward.example/w", "method": "POST"}


def test_nothing_is_recorded_unless_told() -> None:
    calls = [Say("x"), Transfer("+81354321111", ANSWER, ANSWER), Enqueue("c"), Dequeue("c")]
    for element in rendered(calls).iter():
        assert "record" not in " ".join([element.tag, *element.attrib]).lower()
    (record,) = rendered([Record("https://ward.example/r", timedelta(seconds=90))])
    assert (record.tag, record.attrib["maxLength"]) == ("Record", "90")


def test_a_recording_is_played_alone_and_before_a_menu() -> None:
    playing = Play("https://service.test/recordings/a.wav")
    menu = Menu(playing, frozenset("1"), "https://service.test/key")
    text = twiml.render([playing, menu, HangUp()], "Polly.Kazuha", None)
    assert text.count("<Play>https://service.test/recordings/a.wav</Play>") == 2
    assert "<Say" not in text
