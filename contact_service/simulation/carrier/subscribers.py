"""What the carrier needs to know of the far end, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MessageFate:
    """What becomes of a message on its way to a handset."""

    seconds: float
    """From leaving the carrier to the final report."""
    error_code: int | None = None
    """Twilio's reason for not delivering."""


class Pickup(StrEnum):
    """What a dialled telephone does."""

    PERSON = "person"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"  # switched off or out of range
    NOT_IN_USE = "not_in_use"


@dataclass(frozen=True, slots=True)
class Reaction:
    """How a telephone and whoever picks it up react to one call."""

    pickup: Pickup
    ring_seconds: float = 0.0
    """Until it is picked up or the network answers for it."""
    keys: tuple[str, ...] = ()
    """What is pressed at the first, second … question; nothing afterwards."""
    hangs_up: bool = False
    """At the first question that gets no key: hang up rather than wait it out."""


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A call that was picked up, after it ended."""

    to: str
    ended_at: datetime
    pickup: Pickup
    keys: tuple[str, ...]
    """What was really pressed and taken."""
    transferred: bool


class Subscribers(Protocol):
    """The people and telephones behind the numbers."""

    def accepts_messages(self, number: str) -> bool:
        """False once the owner has unsubscribed from messages at the carrier."""
        ...

    def message_fate(self, number: str, count: int) -> MessageFate:
        """Decide on the ``count``-th message to a number."""
        ...

    def message_delivered(self, number: str, count: int, at: datetime) -> None:
        """A message has reached the handset."""
        ...

    def pick_up(self, number: str, count: int, at: datetime) -> Reaction:
        """Decide on the ``count``-th call to a number."""
        ...

    def call_ended(self, call: AnsweredCall, count: int) -> None:
        """A call that was picked up has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How the second leg of a transferred call ended."""

    ended_at: datetime
    status: str
    """Twilio's DialCallStatus: completed, busy, no-answer."""
    seconds: int
    caller_hung_up: bool = False


class Switchboard(Protocol):
    """Where calls can be connected to."""

    def connect(
        self, number: str, caller: str, at: datetime, ended: Callable[[Connection], None]
    ) -> bool:
        """Ring ``number`` for ``caller``; ``ended`` is called once. False: nobody picks up."""
        ...


class NobodyThere:
    """A switchboard without lines."""

    def connect(
        self, number: str, caller: str, at: datetime, ended: Callable[[Connection], None]
    ) -> bool:
        return False
