"""Twilio's side of the conversation, written from its published API reference."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from providers.base import Channel, Outcome, Provider, WebhookRequest
from providers.registry import create
from providers.twilio.adapter import capabilities
from providers.twilio.options import TwilioOptions
from tests.providers.bench import PATIENCE, SECRET_TEXT, TO, HttpBench
from tests.providers.wire import Behaviour, Seen, answer

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "an-auth-token-nobody-may-see"
FROM = "+815012345678"
SERVICE = "MG" + "0123456789abcdef" * 2
RECEIPTS_URL = "https://ward.example/receipts/twilio?attempt=1"
OPTIONS: dict[str, object] = {
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "from_number": FROM,
    "connect_timeout_seconds": 5,
    "read_timeout_seconds": 10,
    "total_timeout_seconds": 20,
}
CREATED = datetime(2026, 10, 26, 1, 0, tzinfo=UTC)


def waiting(patience: float) -> dict[str, object]:
    """Options of time-outs."""
    return {
        "connect_timeout_seconds": patience,
        "read_timeout_seconds": patience,
        "total_timeout_seconds": 2 * patience,
    }


def rfc2822(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def sid(channel: Channel, number: int) -> str:
    return ("SM" if channel is Channel.SMS else "CA") + f"{number:032x}"


def message(ref: str, status: str = "queued", **changes: Any) -> dict[str, Any]:
    """The Message resource."""
    return {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": SECRET_TEXT,
        "date_created": rfc2822(CREATED),
        "date_sent": None,
        "date_updated": rfc2822(CREATED),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": FROM,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "JPY",
        "sid": ref,
        "status": status,
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{ref}/Media.json"},
        "to": TO,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{ref}.json",
        **changes,
    }


def call(ref: str, status: str = "queued", **changes: Any) -> dict[str, Any]:
    """The Call resource."""
    return {
        "account_sid": ACCOUNT,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": rfc2822(CREATED),
        "date_updated": rfc2822(CREATED),
        "direction": "outbound-api",
        "duration": None,
        "end_time": None,
        "forwarded_from": None,
        "from": FROM,
        "from_formatted": FROM,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "JPY",
        "queue_time": "0",
        "sid": ref,
        "start_time": None,
        "status": status,
        "subresource_uris": {},
        "to": TO,
        "to_formatted": TO,
        "trunk_sid": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{ref}.json",
        **changes,
    }


def resource(channel: Channel, ref: str, status: str = "queued", **changes: Any) -> dict[str, Any]:
    return (message if channel is Channel.SMS else call)(ref, status, **changes)


def rest_error(status: int, code: int) -> Behaviour:
    """Twilio's error body; its words quote the number."""
    body = {
        "code": code,
        "message": f"The number {TO} cannot be used",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return answer(status, body)


def signature(url: str, form: Mapping[str, str], token: str = TOKEN) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the address and the sorted fields, in base 64."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def webhook(form: Mapping[str, str], url: str = RECEIPTS_URL) -> WebhookRequest:
    return WebhookRequest(url, {"x-twilio-signature": signature(url, form)}, form)


def message_form(ref: str, status: str, **extra: str) -> dict[str, str]:
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": FROM,
        "MessageSid": ref,
        "MessageStatus": status,
        "SmsSid": ref,
        "SmsStatus": status,
        "To": TO,
        **extra,
    }


def call_form(ref: str, status: str, **extra: str) -> dict[str, str]:
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": ref,
        "CallStatus": status,
        "CallbackSource": "call-progress-events",
        "Called": TO,
        "Caller": FROM,
        "Direction": "outbound-api",
        "From": FROM,
        "SequenceNumber": "3",
        "Timestamp": "Mon, 26 Oct 2026 01:02:03 +0000",
        "To": TO,
        **extra,
    }


class TwilioBench(HttpBench):
    """See :class:`tests.providers.bench.Bench`."""

    options: Mapping[str, object] = OPTIONS
    capabilities = capabilities(TwilioOptions.model_validate(OPTIONS))
    secrets = (TOKEN,)

    def provider(self, origin: str, patience: float = PATIENCE) -> Provider:
        given = {**self.options, **waiting(patience), "base_url": origin}
        return create("twilio", "bench", given)

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return answer(201, resource(channel, provider_ref))

    def ref(self, channel: Channel, number: int) -> str:
        return sid(channel, number)

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, resource(channel, provider_ref, status))

    def knows_none(self) -> Behaviour:
        return rest_error(404, 20404)

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        key = "messages" if channel is Channel.SMS else "calls"
        path = f"/2010-04-01/Accounts/{ACCOUNT}/{key.capitalize()}.json?To=%2B819012345678"
        last = len(pages) - 1
        return [
            answer(
                200,
                {
                    "end": 0,
                    "first_page_uri": f"{path}&PageSize=2&Page=0",
                    key: [resource(channel, ref, date_created=rfc2822(at)) for ref, at in records],
                    "next_page_uri": (
                        None
                        if number == last
                        else f"{path}&PageSize=2&Page={number + 1}&PageToken=PA{number}"
                    ),
                    "page": number,
                    "page_size": 2,
                    "previous_page_uri": None,
                    "start": 0,
                    "uri": f"{path}&PageSize=2&Page={number}",
                },
            )
            for number, records in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"sid": ACCOUNT, "status": "active", "type": "Full"})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        form = message_form if channel is Channel.SMS else call_form
        return webhook(form(provider_ref, status))

    def asks(self, provider_ref: str, key: str) -> WebhookRequest:
        form = call_form(provider_ref, "in-progress") | ({"Digits": key} if key else {})
        return webhook(form, "https://ward.example/voice?node=1")

    def canceled(self, channel: Channel) -> str:
        return "canceled"

    def under_way(self, channel: Channel) -> str:
        return "sent" if channel is Channel.SMS else "ringing"

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]:
        if channel is Channel.SMS:
            return "delivered", Outcome.DELIVERED
        return "completed", Outcome.ANSWERED


class TwilioServiceBench(TwilioBench):
    """The same account with a messaging service, which schedules."""

    options: Mapping[str, object] = {**OPTIONS, "messaging_service_sid": SERVICE}
    capabilities = capabilities(TwilioOptions.model_validate(options))

    def scheduled(self) -> str:
        return "scheduled"

    def accepts_as(self, provider_ref: str, status: str) -> Behaviour:
        return answer(201, resource(Channel.SMS, provider_ref, status))

    def send_at(self, seen: Seen) -> datetime | None:
        form = dict(seen.form)
        assert ("SendAt" in form) == (form.get("ScheduleType") == "fixed")
        return datetime.fromisoformat(form["SendAt"]) if "SendAt" in form else None
