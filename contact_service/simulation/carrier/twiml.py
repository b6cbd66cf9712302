"""TwiML: from a document to the verbs a call goes through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError

#: How fast text is spoken, in Japanese characters a second.
CHARACTERS_PER_SECOND = 7.0
#: How long a recording that is not looked into is taken to play, in seconds.
RECORDING_SECONDS = 10.0
#: Seconds or repetitions beyond this are a mistake.
LARGEST_NUMBER = 3600


class BadTwiml(Exception):
    """The document is not TwiML, or holds a verb this carrier does not know."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Say, Play or Pause: time passes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gather:
    """Speak, then take keys."""

    prompt_seconds: float
    timeout: float
    digits: int | None
    action: str
    method: str
    action_on_empty: bool


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to another telephone."""

    number: str
    timeout: float
    caller: str | None
    action: str | None
    method: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call (also ``Reject``, which has nothing left to reject once answered)."""


Verb: TypeAlias = Listen | Gather | Redirect | Dial | Hangup


def parse(document: str, base: str) -> list[Verb]:
    """The verbs of a document fetched from ``base``. Raises :class:`BadTwiml`."""
    try:
        root = ElementTree.fromstring(document)
        if root.tag != "Response":
            raise BadTwiml(f"the root element is <{root.tag}>, not <Response>")
        return list(_verbs(root, base))
    except (ParseError, ValueError) as fault:
        raise BadTwiml(str(fault)) from fault


def _verbs(root: Element, base: str) -> Iterator[Verb]:
    for element in root:
        method = element.get("method", "POST").upper()
        match element.tag:
            case "Say" | "Play" | "Pause":
                yield Listen(_seconds(element))
            case "Gather":
                digits = element.get("numDigits")
                yield Gather(
                    sum(map(_seconds, element)),
                    _number(element, "timeout", 5),
                    int(digits) if digits else None,
                    urljoin(base, element.get("action", "")),
                    method,
                    element.get("actionOnEmptyResult", "false") == "true",
                )
            case "Redirect":
                yield Redirect(urljoin(base, (element.text or "").strip()), method)
            case "Dial":
                number = element.find("Number")
                text = element.text if number is None else number.text
                action = element.get("action")
                yield Dial(
                    (text or "").strip(),
                    _number(element, "timeout", 30),
                    element.get("callerId"),
                    urljoin(base, action) if action is not None else None,
                    method,
                )
            case "Hangup" | "Reject":
                yield Hangup()
            case unknown:
                raise BadTwiml(f"unknown verb <{unknown}>")


def _seconds(element: Element) -> float:
    times = _number(element, "loop", 1)
    match element.tag:
        case "Pause":
            return _number(element, "length", 1)
        case "Play":
            return times * RECORDING_SECONDS
        case "Say":
            text = "".join(element.itertext()).strip()
            return times * len(text) / CHARACTERS_PER_SECOND
        case unknown:
            raise BadTwiml(f"<{unknown}> may not be spoken")


def _number(element: Element, attribute: str, default: int) -> int:
    text = element.get(attribute, str(default))
    if not text.isdecimal() or int(text) > LARGEST_NUMBER:
        raise BadTwiml(f"<{element.tag} {attribute}={text!r}>: a whole number is needed")
    return int(text)
