"""Call instructions as TwiML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from twilio.twiml.voice_response import Gather, VoiceResponse

from providers.base import HangUp, Instruction, Menu, Play, Say, Transfer

CONTENT_TYPE = "text/xml"


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
            case Transfer(to, after_url):
                method = "POST" if after_url else None
                response.dial(to, action=after_url, method=method, caller_id=caller_id)
            case HangUp():
                response.hangup()
            case _:
                assert_never(instruction)
    return str(response)


def _sound(verb: VoiceResponse | Gather, prompt: Say | Play, voice: str) -> None:
    match prompt:
        case Say(text, language):
            verb.say(text, voice=voice, language=language)
        case Play(url):
            verb.play(url)
        case _:
            assert_never(prompt)
