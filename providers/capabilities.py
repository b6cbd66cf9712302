"""What a carrier can do. Declared, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from providers.parts import TYPICAL, PartRule
from providers.vocabulary import Channel


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one carrier account, with the options it was given, can do."""

    channels: frozenset[Channel]
    webhook_receipts: bool
    """It reports to an address of ours."""
    polling: bool
    """It can be asked for the state of a contact by its own identifier."""
    listing_complete_after: timedelta | None
    """How long after a request has ended the carrier's listing, or its answer by our identifier,
    surely shows what it took. With it, absence there proves "not taken"; ``None``: a person must
    decide."""
    listing: bool = False
    """It lists what it took for a number."""
    max_parts: int = 1
    part_rule: PartRule = TYPICAL
    """How texts are divided and billed, and in which character sets they go out."""
    several_receipts: bool = False
    """One request to our address may bring several reports."""
    connection_receipts: bool = False
    """It reports over the connection that contacts go out on: reports are collected there."""
    look_up_by_reference: bool = False
    """It can be asked by *our* identifier, which settles what is unknown without a listing."""
    batch_size: int = 1
    """How many contacts one request may carry."""
    look_up_batch_size: int = 1
    """How many contacts one question may be about."""
    schedule_ahead: timedelta | None = None
    """How far ahead it takes contacts that it sends later by itself; ``None``: not at all."""
    cancel: bool = False
    """What it took and has not sent or dialled yet can be taken back."""
    calls_at_once: int | None = None
    """Calls that may be under way together; ``None``: the carrier names no limit."""
    per_second: float | None = None
    """Contacts a second that it takes; ``None``: the carrier names no limit."""
    key_presses: bool = False
    """Keys pressed in a call are reported, so that menus work."""
    machine_detection: bool = False
    """It says whether a person, a machine or a fax answered."""
    voicemail_drop: bool = False
    """It can leave a message after the tone."""
    transfer: bool = False
    """A call can be connected to the telephone centre."""
    whisper: bool = False
    """Whoever a call is connected to can hear something alone first; else that is left out."""
    queue: bool = False
    """Callers can wait with the carrier, and be connected to an operator from there."""
    extensions: bool = False
    """It is an exchange's line: a telephone may be named by its extension there."""
    recording: bool = False
    """It can record calls. Off unless a definition asks for it."""
    inbound_messages: bool = False
    """It passes on what people reply."""
    line_type: bool = False
    """It can say what kind of line a number is."""
    speaks: frozenset[str] = frozenset({"ja-JP"})
    """The languages in which it reads texts aloud, as BCP 47 tags."""
    fetches_instructions: bool = False
    """It fetches from us what a call says, step by step, so it must be able to reach us."""
