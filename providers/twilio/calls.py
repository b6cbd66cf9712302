"""Auto-calls: the form of a request, and what statuses mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from providers.base import Call, CallRequest, Channel, Detected, EndedCall, Outcome, Receipt
from providers.twilio.options import TwilioOptions
from providers.twilio.receipts import integer, occurred_at, raw

_EVENTS = ("initiated", "ringing", "answered", "completed")
_UNDER_WAY = frozenset({"queued", "initiated", "ringing", "in-progress", "answered"})
_MEANING: Mapping[str, Outcome] = {
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "canceled": Outcome.CANCELED,
}
#: Why a call failed, by the SIP code that ended it (RFC 3261, 21; RFC 8197 and 8688).
_SIP: Mapping[int, Outcome] = {
    403: Outcome.REJECTED,
    404: Outcome.INVALID_NUMBER,
    408: Outcome.UNREACHABLE,
    410: Outcome.INVALID_NUMBER,
    480: Outcome.UNREACHABLE,
    484: Outcome.INVALID_NUMBER,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.INVALID_NUMBER,
    607: Outcome.REJECTED,
    608: Outcome.REJECTED,
}


def arguments(call: Call, options: TwilioOptions) -> dict[str, Any]:
    """The arguments of the SDK's ``calls.create_async``."""
    fields: dict[str, Any] = {
        "to": call.to,
        "from_": options.from_number,
        "url": call.instructions_url,
        "method": "POST",
        "timeout": round(call.ring_timeout.total_seconds()),
    }
    if call.receipts_url is not None:
        fields["status_callback"] = call.receipts_url
        fields["status_callback_method"] = "POST"
        fields["status_callback_event"] = list(_EVENTS)
    if options.machine_detection is not None:
        fields["machine_detection"] = options.machine_detection
    if call.detection_url is not None:
        # the call goes on while Twilio listens; the end of a greeting is what a message waits for
        fields["machine_detection"] = "DetectMessageEnd"
        fields["async_amd"] = "true"
        fields["async_amd_status_callback"] = call.detection_url
        fields["async_amd_status_callback_method"] = "POST"
    return fields


#: What stands for a number that is withheld (keypad letters of ANONYMOUS, RESTRICTED, BLOCKED,
#: UNKNOWN, UNAVAILABLE).
#: https://help.twilio.com/articles/223179988-Why-am-I-getting-calls-from-these-strange-numbers-
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"})
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def request(form: Mapping[str, str]) -> CallRequest:
    """A request for instructions, its signature verified."""
    connected = form.get("DialCallStatus")
    return CallRequest(
        form["CallSid"],
        form.get("Digits", ""),
        caller=_caller(form),
        connected=None if connected is None else connected in ("completed", "answered"),
    )


def ended(form: Mapping[str, str]) -> EndedCall:
    """The last status callback of an incoming call, its signature verified."""
    if form["CallStatus"] in _UNDER_WAY or form.get("Direction") != "inbound":
        raise ValueError(form["CallStatus"])
    seconds = int(form.get("CallDuration", "0"))
    over = parsedate_to_datetime(form["Timestamp"])
    return EndedCall(
        provider_ref=form["CallSid"],
        caller=_caller(form),
        began_at=over - timedelta(seconds=seconds),
        seconds=seconds,
        transferred=None,
    )


def _caller(form: Mapping[str, str]) -> str | None:
    if form.get("Direction") != "inbound":
        return None  # in a call of ours "From" is our own number
    number = form.get("From", "")
    return number if _E164.fullmatch(number) and number not in _WITHHELD else None


def detected(form: Mapping[str, str]) -> Detected:
    """Who answered, its signature verified: human, machine_start, machine_end_beep,
    machine_end_silence, machine_end_other, fax or unknown."""
    word = form["AnsweredBy"]
    return Detected(
        provider_ref=form["CallSid"],
        answered_by=word,
        machine=word.startswith(("machine", "fax")),
        message_now=word.startswith("machine_end"),
    )


def from_form(form: Mapping[str, str], reference: str | None) -> Receipt:
    """A status callback, its signature verified."""
    outcome, final = _meaning(
        form["CallStatus"], form.get("AnsweredBy"), integer(form.get("SipResponseCode"))
    )
    return Receipt(
        channel=Channel.AUTO_CALL,
        provider_ref=form["CallSid"],
        status=form["CallStatus"],
        outcome=outcome,
        final=final,
        occurred_at=occurred_at(form),
        reference=reference,
        talk_seconds=integer(form.get("CallDuration")),
        raw=raw(form),
    )


def from_resource(resource: Any) -> Receipt:
    """The SDK's ``CallInstance``, as fetched or listed. It names no SIP code."""
    outcome, final = _meaning(resource.status, resource.answered_by, None)
    kept = {"CallSid": resource.sid, "CallStatus": resource.status}
    if resource.answered_by is not None:
        kept["AnsweredBy"] = resource.answered_by
    return Receipt(
        channel=Channel.AUTO_CALL,
        provider_ref=resource.sid,
        status=resource.status,
        outcome=outcome,
        final=final,
        occurred_at=(resource.end_time or resource.date_updated) if final else None,
        talk_seconds=integer(resource.duration),
        raw=kept,
    )


def _meaning(
    status: str, answered_by: str | None, sip_code: int | None
) -> tuple[Outcome | None, bool]:
    if status in _UNDER_WAY:
        return None, False
    if status == "completed":
        # What a person pressed is recorded elsewhere and outranks this.
        machine = answered_by is not None and answered_by.startswith(("machine", "fax"))
        return (Outcome.MACHINE if machine else Outcome.ANSWERED), True
    if status == "failed":
        return _failure(sip_code), True
    if status in _MEANING:
        return _MEANING[status], True
    return Outcome.OTHER, False


def _failure(sip_code: int | None) -> Outcome:
    if sip_code is None:
        # Twilio calls a wrong number the likeliest cause; that is too little to strike it out.
        return Outcome.OTHER
    if 500 <= sip_code < 600:
        return Outcome.NETWORK
    return _SIP.get(sip_code, Outcome.OTHER)
