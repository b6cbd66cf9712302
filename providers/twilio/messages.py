"""SMS: the form of a request, and what statuses mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from providers.base import Channel, InboundMessage, Message, Outcome, Receipt
from providers.twilio.errors import delivery_failure
from providers.twilio.options import TwilioOptions
from providers.twilio.receipts import integer, occurred_at, raw

_UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
_ARRIVED = frozenset({"delivered", "read"})
_FAILED = frozenset({"undelivered", "failed"})


def arguments(message: Message, options: TwilioOptions) -> dict[str, Any]:
    """The arguments of the SDK's ``messages.create_async``."""
    fields: dict[str, Any] = {"to": message.to, "body": message.body}
    if options.messaging_service_sid is not None:
        fields["messaging_service_sid"] = options.messaging_service_sid
    else:
        fields["from_"] = options.from_number
    if message.send_at is not None:
        # the SDK writes the clock's digits and a "Z" behind them, whatever the time zone
        fields["schedule_type"], fields["send_at"] = "fixed", message.send_at.astimezone(UTC)
    if message.receipts_url is not None:
        fields["status_callback"] = message.receipts_url
    return fields


def inbound(form: Mapping[str, str]) -> InboundMessage:
    """A message from somebody, its signature verified. ``OptOutType`` is there when Twilio's own
    opt-out handling took it for a wish to be left alone."""
    return InboundMessage(
        provider_ref=form["MessageSid"],
        sender=form["From"],
        to=form.get("To", ""),
        body=form.get("Body", ""),
        opted_out=form.get("OptOutType") == "STOP",
    )


def from_form(form: Mapping[str, str], reference: str | None) -> Receipt:
    """A status callback, its signature verified."""
    outcome, final = _meaning(form["MessageStatus"], integer(form.get("ErrorCode")))
    return Receipt(
        channel=Channel.SMS,
        provider_ref=form["MessageSid"],
        status=form["MessageStatus"],
        outcome=outcome,
        final=final,
        occurred_at=occurred_at(form),
        reference=reference,
        raw=raw(form),
    )


def from_resource(resource: Any) -> Receipt:
    """The SDK's ``MessageInstance``, as fetched or listed."""
    error_code = integer(resource.error_code)
    outcome, final = _meaning(resource.status, error_code)
    kept = {"MessageSid": resource.sid, "MessageStatus": resource.status}
    if error_code is not None:
        kept["ErrorCode"] = str(error_code)
    return Receipt(
        channel=Channel.SMS,
        provider_ref=resource.sid,
        status=resource.status,
        outcome=outcome,
        final=final,
        occurred_at=resource.date_updated if final else None,
        parts=integer(resource.num_segments) or None,  # 0 until a sender is assigned
        raw=kept,
    )


def _meaning(status: str, error_code: int | None) -> tuple[Outcome | None, bool]:
    if status in _UNDER_WAY:
        return None, False
    if status in _ARRIVED:
        return Outcome.DELIVERED, True
    if status in _FAILED:
        return delivery_failure(error_code), True
    if status == "canceled":
        return Outcome.CANCELED, True
    return Outcome.OTHER, False
