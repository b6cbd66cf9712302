"""What reports of messages and of calls have in common: signature, selection, time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from twilio.request_validator import RequestValidator

from providers.base import ForgedReceipt, WebhookRequest

# Chosen by name, so that a field added tomorrow cannot carry a number into the database.
_KEPT = frozenset(
    {
        "AccountSid",
        "AnsweredBy",
        "ApiVersion",
        "CallDuration",
        "CallSid",
        "CallStatus",
        "CallbackSource",
        "ChannelInstallSid",
        "Direction",
        "Duration",
        "ErrorCode",
        "MachineDetectionDuration",
        "MessageSid",
        "MessageStatus",
        "MessagingServiceSid",
        "NumSegments",
        "ParentCallSid",
        "RawDlrDoneDate",
        "SequenceNumber",
        "SipResponseCode",
        "Timestamp",
    }
)


def verify(request: WebhookRequest, secret: str) -> None:
    """Check the signature over the public address and the form.

    Raises :class:`ForgedReceipt`.
    """
    signature, form = request.headers.get("x-twilio-signature", ""), dict(request.form)
    validator = RequestValidator(secret)
    # nearly all fit the address as it stands; the whole check tries it with and without its port,
    # always both, which takes three times as long
    expected = validator.compute_signature(request.url, form)
    fits = hmac.compare_digest(expected.encode(), signature.encode())
    if not (fits or validator.validate(request.url, form, signature)):
        raise ForgedReceipt("the signature does not fit" if signature else "no signature")


def raw(form: Mapping[str, str]) -> dict[str, str]:
    """The report without numbers and text."""
    return {name: value for name, value in form.items() if name in _KEPT}


def occurred_at(form: Mapping[str, str]) -> datetime | None:
    """``Timestamp`` of a call's report (RFC 2822), ``None`` when absent or without a zone.

    ``RawDlrDoneDate`` of a message is not used: it names no time zone, and carriers differ.
    """
    said = form.get("Timestamp")
    if not said:
        return None
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def integer(value: object) -> int | None:
    """A count as Twilio writes it (number or digits), ``None`` for anything else."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    return None
