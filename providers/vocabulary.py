"""The closed vocabularies that all carriers are mapped to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Channel(StrEnum):
    """How a person is reached."""

    SMS = "sms"
    AUTO_CALL = "auto_call"
    OPERATOR = "operator"
    LETTER = "letter"  # a file for the office's own mailing; no carrier has part in it


class Outcome(StrEnum):
    """What became of a contact: the closed vocabulary that all carriers are mapped to."""

    DELIVERED = "delivered"  # an SMS reached the handset; no proof that anybody read it
    UNDELIVERED = "undelivered"  # an SMS did not arrive, for a reason that may pass
    CONFIRMED = "confirmed"  # the person confirmed who they are and heard the message
    TRANSFERRED = "transferred"  # confirmed, then connected to the telephone centre
    ANSWERED = "answered"  # somebody picked up and confirmed nothing
    MACHINE = "machine"  # an answering machine
    WRONG_PERSON = "wrong_person"  # "I am not that person"
    OPTED_OUT = "opted_out"  # "do not contact this number"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"  # switched off, out of range, or the far end unavailable
    INVALID_NUMBER = "invalid_number"  # no such number, or it cannot take this channel
    REJECTED = "rejected"  # the far end refused the call
    BLOCKED = "blocked"  # a carrier refused the content or the sender
    CANCELED = "canceled"  # taken back before it went out
    NETWORK = "network"  # congestion or a fault between the carriers
    UNKNOWN = "unknown"  # nobody can tell yet
    HANDED_OVER = "handed_over"  # a letter was handed to the office's own mailing
    OTHER = "other"  # reported, but not in this vocabulary: see the raw report


#: How much an outcome says about a contact. Reports come twice, late and in any order:
#: the one that says most wins, so the result does not depend on their order.
OUTCOME_RANK: Mapping[Outcome, int] = {
    Outcome.UNKNOWN: 0,
    Outcome.OTHER: 10,
    Outcome.HANDED_OVER: 12,
    Outcome.CANCELED: 15,
    Outcome.NETWORK: 20,
    Outcome.UNREACHABLE: 25,
    Outcome.NO_ANSWER: 26,
    Outcome.BUSY: 27,
    Outcome.UNDELIVERED: 30,
    Outcome.REJECTED: 35,
    Outcome.BLOCKED: 36,
    Outcome.INVALID_NUMBER: 40,
    Outcome.ANSWERED: 50,
    Outcome.MACHINE: 55,
    Outcome.DELIVERED: 60,
    Outcome.CONFIRMED: 70,
    Outcome.TRANSFERRED: 80,
    Outcome.WRONG_PERSON: 90,
    Outcome.OPTED_OUT: 100,
}


class Cause(StrEnum):
    """Why a carrier did not take a contact, and therefore what to do about it."""

    TRY_LATER = "try_later"  # provably not taken; due again after a pause
    NEVER_THIS_NUMBER = "never_this_number"
    NEVER_THIS_CONTENT = "never_this_content"
    OUR_CREDENTIALS = "our_credentials"  # provably not taken; pause the provider, tell staff
    THEIR_FAULT = "their_fault"  # the carrier failed; whether it took the contact is unknown
    UNKNOWN = "unknown"


class LineType(StrEnum):
    """What a look-up says a number belongs to."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    OTHER = "other"  # toll-free, premium, pager, personal, voicemail
    UNKNOWN = "unknown"  # the carrier cannot tell
