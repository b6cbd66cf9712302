"""Call instructions as TwiML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import assert_never

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather, VoiceResponse

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

CONTENT_TYPE = "text/xml"
#: XML 1.0 has no way to write these (2.2); the library writes them all the same, and the carrier
#: then refuses the whole answer.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Twilio's tag and voice for each language but Japanese, whose voice is an option: a voice speaks
#: its own language only. https://www.twilio.com/docs/voice/twiml/say/text-speech
_VOICES: Mapping[str, tuple[str, str]] = {
    "en-US": ("en-US", "Polly.Joanna"),
    "zh-CN": ("cmn-CN", "Polly.Zhiyu"),
    "ko-KR": ("ko-KR", "Polly.Seoyeon"),
    "vi-VN": ("vi-VN", "Google.vi-VN-Standard-A"),
}
SPEAKS = frozenset({"ja-JP", *_VOICES})


def render(instructions: Sequence[Instruction], voice: str, caller_id: str | None) -> str:
    """TwiML for ``instructions``.

    A menu whose time runs out goes on to a ``Redirect`` to the same address, which then
    arrives without ``Digits``: that is how "nothing pressed" reaches us. ``caller_id`` is
    shown to whom a call is transferred; ``None``: Twilio chooses.
    """
    response = VoiceResponse()
    for instruction in instructions:
        match instruction:
            case Say() | Play():
                _sound(response, instruction, voice)
            case Menu(prompt, _, answer_url, timeout):
                gather = response.gather(
                    input="dtmf",
                    num_digits=1,
                    finish_on_key="",  # "#" is a key like any other
                    timeout=round(timeout.total_seconds()),
                    action=answer_url,
                    method="POST",
                )
                _sound(gather, prompt, voice)
                response.redirect(answer_url, method="POST")
            case Transfer(to, after_url, whisper_url):
                # "record" is left out: Twilio's own default is not to record
                dial = response.dial(action=after_url, method=_post(after_url), caller_id=caller_id)
                dial.number(to, url=whisper_url, method=_post(whisper_url))
            case Enqueue(name, wait_url, after_url):
                response.enqueue(
                    name,
                    wait_url=wait_url,
                    wait_url_method=_post(wait_url),
                    action=after_url,
                    method=_post(after_url),
                )
            case Dequeue(name, whisper_url):
                response.dial().queue(name, url=whisper_url, method=_post(whisper_url))
            case Record(done_url, longest):
                response.record(
                    max_length=round(longest.total_seconds()),
                    play_beep=True,
                    recording_status_callback=done_url,
                    recording_status_callback_method="POST",
                )
            case HangUp():
                response.hangup()
            case _:
                assert_never(instruction)
    return str(response)


def reply(text: str | None) -> str:
    """TwiML that answers a message from somebody, or does not."""
    response = MessagingResponse()
    if text:
        response.message(_NOT_XML.sub("", text))
    return str(response)


def _post(url: str | None) -> str | None:
    return "POST" if url else None


def _sound(verb: VoiceResponse | Gather, prompt: Say | Play, voice: str) -> None:
    match prompt:
        case Say(text, language):
            tag, own = _VOICES.get(language, (language, voice))
            verb.say(_NOT_XML.sub("", text), voice=own, language=tag)
        case Play(url):
            verb.play(url)
        case _:
            assert_never(prompt)
