"""What command statuses and delivery receipts mean (SMPP 3.4, 5.1.3 and appendix B)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from providers.base import (
    Cause,
    Channel,
    InboundMessage,
    Outcome,
    Receipt,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from providers.gsm7 import tables
from providers.smpp.codec import Pdu

_CAUSES: Mapping[int, Cause] = {
    0x01: Cause.NEVER_THIS_CONTENT,  # message too long
    0x04: Cause.OUR_CREDENTIALS,  # not bound for this
    0x08: Cause.THEIR_FAULT,  # system error
    0x0A: Cause.OUR_CREDENTIALS,  # our sender is not valid
    0x0B: Cause.NEVER_THIS_NUMBER,
    0x0D: Cause.OUR_CREDENTIALS,  # bind failed
    0x0E: Cause.OUR_CREDENTIALS,  # wrong password
    0x0F: Cause.OUR_CREDENTIALS,  # wrong system_id
    0x14: Cause.TRY_LATER,  # queue full
    0x15: Cause.OUR_CREDENTIALS,  # service_type
    0x48: Cause.OUR_CREDENTIALS,  # sender's type of number
    0x49: Cause.OUR_CREDENTIALS,  # sender's plan
    0x50: Cause.OUR_CREDENTIALS,  # receiver's type of number: our setup
    0x51: Cause.OUR_CREDENTIALS,
    0x53: Cause.OUR_CREDENTIALS,  # system_type
    0x58: Cause.TRY_LATER,  # throttled
    0x64: Cause.TRY_LATER,  # receiver temporarily
    0x65: Cause.NEVER_THIS_NUMBER,  # receiver permanently
    0x66: Cause.NEVER_THIS_NUMBER,  # receiver rejects
}
_USUAL: Mapping[Cause, Outcome] = {
    Cause.NEVER_THIS_NUMBER: Outcome.INVALID_NUMBER,
    Cause.NEVER_THIS_CONTENT: Outcome.BLOCKED,
}
_OUTCOMES: Mapping[str, tuple[Outcome | None, bool]] = {
    "ENROUTE": (None, False),
    "ACCEPTD": (None, False),
    "DELIVRD": (Outcome.DELIVERED, True),
    "EXPIRED": (Outcome.UNREACHABLE, True),
    "DELETED": (Outcome.CANCELED, True),
    "UNDELIV": (Outcome.UNDELIVERED, True),
    "UNKNOWN": (Outcome.UNKNOWN, False),
    "REJECTD": (Outcome.BLOCKED, True),
}
#: message_state (5.2.28) in the words of the text form.
_STATES: Mapping[int, str] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_FIELD = re.compile(r"\b(id|stat|err|sub|dlvrd):\s*([^\s]+)", re.IGNORECASE)
_RECEIPT, _UDH, _UCS2, _LATIN = 0x04, 0x40, 8, 3


def result(status: int, own: Mapping[int, Cause], pause: timedelta) -> Result:
    """What a status other than zero says of a request."""
    code = f"0x{status:02x}"
    match own.get(status) or _CAUSES.get(status):
        case Cause.TRY_LATER:
            return Throttled(pause, code)
        case Cause.THEIR_FAULT:
            return Unknown(code, Cause.THEIR_FAULT)
        case None | Cause.UNKNOWN:
            return Refused(Cause.UNKNOWN, Outcome.OTHER, code)
        case cause:
            return Refused(cause, _USUAL.get(cause, Outcome.OTHER), code)


def is_receipt(pdu: Pdu) -> bool:
    """Whether a ``deliver_sm`` reports on a message of ours, rather than being one of theirs."""
    return bool(pdu.numbers.get("esm_class", 0) & 0x3C & _RECEIPT)


def receipt(pdu: Pdu, receipt_ids: str) -> Receipt | None:
    """A delivery receipt; ``None`` when it names no message."""
    said = {name.lower(): value for name, value in _FIELD.findall(pdu.message.decode("latin-1"))}
    ref = pdu.texts.get("receipted_message_id") or said.get("id")
    if not ref:
        return None
    state = _STATES.get(pdu.numbers.get("message_state", 0))
    return by_state(as_answered(ref, receipt_ids), state or said.get("stat", ""), said.get("err"))


def queried(pdu: Pdu, ref: str) -> Receipt:
    """An answer to ``query_sm``."""
    state = pdu.numbers.get("message_state", 0)
    error = pdu.numbers.get("error_code")
    said = by_state(ref, _STATES.get(state, str(state)), str(error) if error else None)
    return replace(said, occurred_at=instant(pdu.texts.get("final_date", "")))


def by_state(ref: str, word: str, error: str | None) -> Receipt:
    """A receipt by its word."""
    status = word.upper()[:60] or "?"
    outcome, final = _OUTCOMES.get(status, (Outcome.OTHER, False))
    # The dates in a receipt name no time zone, so they are not taken for its time.
    kept = {"id": ref, "stat": status} | ({"err": error[:20]} if error else {})
    return Receipt(Channel.SMS, ref, status, outcome, final, raw=kept)


def instant(text: str) -> datetime | None:
    """An absolute time (7.1.1), ``YYMMDDhhmmsstnnp``: quarters of an hour from UTC at its end."""
    try:
        at = datetime.strptime(text[:12], "%y%m%d%H%M%S").replace(tzinfo=UTC)
        offset = timedelta(minutes=15 * int(text[13:15]))
    except ValueError:
        return None
    if len(text) != 16 or text[15] not in "+-":
        return None
    return at - offset if text[15] == "+" else at + offset


def as_answered(ref: str, form: str) -> str:
    """An identifier as the answer to the request wrote it."""
    try:
        if form == "decimal":  # the receipt is in decimal, the answer was in hexadecimal
            return f"{int(ref):X}"
        if form == "hexadecimal":
            return str(int(ref, 16))
    except ValueError:
        return ref
    return ref


def comparable(ref: str, form: str) -> str:
    """An identifier from an answer, in the one form in which we keep it."""
    try:
        if form == "decimal":
            return f"{int(ref, 16):X}"
        if form == "hexadecimal":
            return str(int(ref))
    except ValueError:
        return ref
    return ref


def inbound(pdu: Pdu) -> InboundMessage | None:
    """A message from somebody to us, ``None`` when it names nobody. The protocol gives it no
    identifier: it is derived, so that one that comes twice is the same."""
    content, coding = pdu.message, pdu.numbers.get("data_coding", 0)
    if pdu.numbers.get("esm_class", 0) & _UDH and content:
        content = content[content[0] + 1 :]
    sender = pdu.texts.get("source_addr", "")
    if not sender:
        return None
    digest = hashlib.sha256(repr((pdu.texts, pdu.message)).encode()).hexdigest()[:32]
    return InboundMessage(
        provider_ref=f"mo-{digest}",
        sender=_e164(sender),
        to=pdu.texts.get("destination_addr", ""),
        body=text(content, coding),
    )


def text(content: bytes, coding: int) -> str:
    """The text of octets in a data coding."""
    if coding == _UCS2:
        return content.decode("utf-16-be", "replace")
    if coding == _LATIN:
        return content.decode("latin-1")
    (table,) = tables()
    known = {code: character for character, code in table.codes.items()}
    escaped = {code: character for character, code in table.escaped.items()}
    said, wide = [], False
    for octet in content:
        if octet == 0x1B:
            wide = True
            continue
        said.append((escaped if wide else known).get(octet, known.get(octet, "?")))
        wide = False
    return "".join(said)


def _e164(number: str) -> str:
    digits = number.lstrip("+")
    return "+81" + digits[1:] if digits.startswith("0") else "+" + digits
