"""What is said and done in an auto-call, in no carrier's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A carrier asks what to do next in a call."""

    provider_ref: str
    key: str
    """The key that was pressed; empty when none was."""
    machine: bool = False
    """An answering machine has finished its message and records."""
    caller: str | None = None
    """Whose call it is, E.164; ``None``: withheld, or no number."""
    connected: bool | None = None
    """After a :class:`Transfer`: whether somebody picked up; ``None``: not said."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak ``text``."""

    text: str
    language: str = "ja-JP"
    """A BCP 47 tag; one of those that the carrier ``speaks``."""
    personal: bool = False
    """It tells of somebody: the sound is made for this call and never kept."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play the recording that the carrier fetches from ``url``."""

    url: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Speak or play, then wait for one key; the key is posted to ``answer_url``."""

    prompt: Say | Play
    keys: frozenset[str]
    answer_url: str
    timeout: timedelta = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller to ``to``; ``after_url`` is fetched when that call has ended."""

    to: str
    after_url: str | None = None
    whisper_url: str | None = None
    """Fetched when ``to`` picks up: said to the operator alone before the two are connected."""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Let the caller wait in the carrier's queue ``name`` until an operator takes the call."""

    name: str
    wait_url: str | None = None
    """Fetched again and again while waiting: music, or that one may call back instead."""
    after_url: str | None = None
    """Fetched when the caller has left the queue, however that came about."""


@dataclass(frozen=True, slots=True)
class Dequeue:
    """Connect the present caller, an operator, to whoever waits longest in queue ``name``."""

    name: str
    whisper_url: str | None = None
    """Fetched for the waiting caller just before the two are connected."""


@dataclass(frozen=True, slots=True)
class Record:
    """Record what is said from here on, for at most ``longest``; ``done_url`` is told when the
    recording is ready. Never part of a call unless a definition asks for it."""

    done_url: str
    longest: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Instruction: TypeAlias = Say | Play | Menu | Transfer | Enqueue | Dequeue | Record | HangUp
