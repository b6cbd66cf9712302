"""What the service tells a call to do, as JSON, and the signatures on what is said between us.

The same instructions that become TwiML for a cloud carrier (``providers.base.Instruction``):
``web/voice.py`` walks the menu graph for both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, assert_never
from urllib.parse import urlencode

from providers.base import NotSupported
from providers.instructions import (
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
from providers.words import is_extension

CONTENT_TYPE = "application/json"
SIGNATURE = "x-trunk-signature"


class BadInstructions(ValueError):
    """What the service answered is no list of instructions."""


def render(instructions: Sequence[Instruction]) -> str:
    """Instructions as a JSON list of objects with one key each."""
    return json.dumps(listed(instructions), ensure_ascii=False)


def listed(instructions: Sequence[Instruction]) -> list[dict[str, Any]]:
    """The same before it is text."""
    return [_dumped(one) for one in instructions]


def _dumped(instruction: Instruction) -> dict[str, Any]:
    match instruction:
        case Say(text, language, personal):
            return {"say": {"text": text, "language": language, "personal": personal}}
        case Play(url):
            return {"play": {"url": url}}
        case Menu(prompt, keys, answer_url, timeout):
            return {
                "menu": {
                    "prompt": _dumped(prompt),
                    "keys": sorted(keys),
                    "answer_url": answer_url,
                    "timeout_seconds": timeout.total_seconds(),
                }
            }
        case Transfer(to, after_url, whisper_url):
            return {"transfer": {"to": to, "after_url": after_url, "whisper_url": whisper_url}}
        case Enqueue(name, wait_url, after_url):
            return {"enqueue": {"name": name, "wait_url": wait_url, "after_url": after_url}}
        case HangUp():
            return {"hang_up": {}}
        case Dequeue() | Record():
            raise NotSupported(type(instruction).__name__)
        case _:
            assert_never(instruction)


def parse(body: str) -> list[Instruction]:
    """The other way. Raises :class:`BadInstructions`."""
    try:
        return loaded(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise BadInstructions(type(error).__name__) from None


def loaded(said: object) -> list[Instruction]:
    """The other way from a list. Raises :class:`BadInstructions`."""
    try:
        if not isinstance(said, list):
            raise BadInstructions("not a list")
        return [_loaded(one) for one in said]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadInstructions(type(error).__name__) from None


def _loaded(one: Any) -> Instruction:
    ((name, of),) = one.items()
    match name:
        case "say":
            return Say(str(of["text"]), str(of["language"]), bool(of["personal"]))
        case "play":
            return Play(str(of["url"]))
        case "menu":
            prompt = _loaded(of["prompt"])
            if not isinstance(prompt, Say | Play):
                raise BadInstructions("a prompt that is none")
            seconds = timedelta(seconds=float(of["timeout_seconds"]))
            return Menu(prompt, frozenset(of["keys"]), str(of["answer_url"]), seconds)
        case "transfer":
            return Transfer(number(of["to"]), of["after_url"], of.get("whisper_url"))
        case "enqueue":
            return Enqueue(str(of["name"]), of["wait_url"], of["after_url"])
        case "hang_up":
            return HangUp()
        case _:
            raise BadInstructions("unheard of")


def number(value: object) -> str:
    """A telephone number in E.164 or an exchange's extension, and nothing that would say more
    within a SIP message. Raises ``ValueError``."""
    if not isinstance(value, str):
        raise ValueError("not a telephone number")
    if not (re.fullmatch(r"\+[1-9][0-9]{1,14}", value) or is_extension(value)):
        raise ValueError("not a telephone number")
    return value


def signature(secret: str, url: str, form: Mapping[str, str]) -> str:
    """HMAC-SHA256, in hex, over the address and the form's fields in the order of their names."""
    said = f"{url}\n{urlencode(sorted(form.items()))}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def signed(secret: str, url: str, form: Mapping[str, str], given: str) -> bool:
    """Whether a signature fits."""
    expected = signature(secret, url, form)
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", errors="replace"))


def control_token(secret: str) -> str:
    """What a worker shows the media process: derived, so that neither stands for the other."""
    return hmac.new(secret.encode(), b"control", hashlib.sha256).hexdigest()


def number_key(secret: str, e164: str) -> str:
    """What the journal keeps instead of a telephone number."""
    return hmac.new(secret.encode(), b"number:" + e164.encode(), hashlib.sha256).hexdigest()
