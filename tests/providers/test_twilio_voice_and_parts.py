"""TwiML and the counting of parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from providers.base import HangUp, Instruction, Menu, Play, Say, Transfer
from providers.registry import create
from providers.twilio import twiml
from providers.twilio.parts import parts
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
    assert (dial.tag, dial.text) == ("Dial", "+81354321111")
    assert dial.attrib == {"action": ANSWER, "callerId": FROM, "method": "POST"}
    assert (hang_up.tag, hang_up.attrib) == ("Hangup", {})


def test_transfer_without_an_afterwards() -> None:
    (dial,) = rendered([Transfer("+81354321111")])
    assert dial.attrib == {"callerId": FROM}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 septets hold 76 escaped characters, the 77th does not divide: 2 × 76 < 153.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("\n\r@Ω", 1),
        ("`" + "a" * 69, 1),  # the grave accent is not in the alphabet
        ("`" + "a" * 70, 2),
        ("あ" * 70, 1),
        ("あ" * 71, 2),
        ("あ" * 134, 2),
        ("あ" * 135, 3),
        ("あ" * 670, 10),
        ("𠮷" * 35, 1),
        ("𠮷" * 36, 2),
        ("𠮷" * 66, 2),  # 67 units hold 33 surrogate pairs, undivided
        ("𠮷" * 67, 3),
    ],
)
def test_parts(body: str, count: int) -> None:
    assert parts(body) == count


def test_a_recording_is_played_alone_and_before_a_menu() -> None:
    playing = Play("https://service.test/recordings/a.wav")
    menu = Menu(playing, frozenset("1"), "https://service.test/key")
    text = twiml.render([playing, menu, HangUp()], "Polly.Kazuha", None)
    assert text.count("<Play>https://service.test/recordings/a.wav</Play>") == 2
    assert "<Say" not in text
