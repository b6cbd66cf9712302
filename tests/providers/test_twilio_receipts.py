"""What Twilio's statuses and codes mean."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from providers.base import Channel, ForgedReceipt, Outcome, Receipt, WebhookRequest
from providers.registry import create
from tests.providers.twilio_bench import (
    OPTIONS,
    RECEIPTS_URL,
    call_form,
    message_form,
    sid,
    signature,
    webhook,
)


def read(request: WebhookRequest, **options: object) -> Receipt:
    provider = create("twilio", "t", {**OPTIONS, **options})
    try:
        (receipt,) = provider.parse_receipts(request, "ref")
        return receipt
    finally:
        asyncio.run(provider.close())


@pytest.mark.parametrize("status", ["accepted", "scheduled", "queued", "sending", "sent"])
def test_messages_under_way(status: str) -> None:
    receipt = read(webhook(message_form(sid(Channel.SMS, 1), status)))
    assert (receipt.outcome, receipt.final) == (None, False)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("delivered", None, Outcome.DELIVERED),
        ("read", None, Outcome.DELIVERED),
        ("canceled", None, Outcome.CANCELED),
        ("undelivered", None, Outcome.UNDELIVERED),
        ("undelivered", "30003", Outcome.UNREACHABLE),
        ("undelivered", "30004", Outcome.BLOCKED),
        ("undelivered", "30005", Outcome.INVALID_NUMBER),
        ("undelivered", "30006", Outcome.INVALID_NUMBER),
        ("undelivered", "30007", Outcome.BLOCKED),
        ("undelivered", "30008", Outcome.OTHER),
        ("failed", "21610", Outcome.OPTED_OUT),
        ("failed", "30500", Outcome.NETWORK),
        ("failed", "59999", Outcome.OTHER),
    ],
)
def test_messages_done(status: str, code: str | None, outcome: Outcome) -> None:
    extra = {} if code is None else {"ErrorCode": code}
    receipt = read(webhook(message_form(sid(Channel.SMS, 1), status, **extra)))
    assert (receipt.outcome, receipt.final) == (outcome, True)
    assert receipt.raw.get("ErrorCode") == code


def test_a_carriers_time_without_a_zone_is_kept_but_not_believed() -> None:
    form = message_form(sid(Channel.SMS, 1), "delivered", RawDlrDoneDate="2610261002")
    receipt = read(webhook(form))
    assert receipt.occurred_at is None
    assert receipt.raw["RawDlrDoneDate"] == "2610261002"


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress"])
def test_calls_under_way(status: str) -> None:
    receipt = read(webhook(call_form(sid(Channel.AUTO_CALL, 1), status)))
    assert (receipt.outcome, receipt.final) == (None, False)


@pytest.mark.parametrize(
    ("status", "extra", "outcome"),
    [
        ("completed", {}, Outcome.ANSWERED),
        ("completed", {"AnsweredBy": "human"}, Outcome.ANSWERED),
        ("completed", {"AnsweredBy": "unknown"}, Outcome.ANSWERED),
        ("completed", {"AnsweredBy": "machine_start"}, Outcome.MACHINE),
        ("completed", {"AnsweredBy": "machine_end_beep"}, Outcome.MACHINE),
        ("completed", {"AnsweredBy": "fax"}, Outcome.MACHINE),
        ("busy", {"SipResponseCode": "486"}, Outcome.BUSY),
        ("no-answer", {"SipResponseCode": "487"}, Outcome.NO_ANSWER),
        ("canceled", {}, Outcome.CANCELED),
        ("failed", {}, Outcome.OTHER),
        ("failed", {"SipResponseCode": "404"}, Outcome.INVALID_NUMBER),
        ("failed", {"SipResponseCode": "484"}, Outcome.INVALID_NUMBER),
        ("failed", {"SipResponseCode": "604"}, Outcome.INVALID_NUMBER),
        ("failed", {"SipResponseCode": "480"}, Outcome.UNREACHABLE),
        ("failed", {"SipResponseCode": "408"}, Outcome.UNREACHABLE),
        ("failed", {"SipResponseCode": "486"}, Outcome.BUSY),
        ("failed", {"SipResponseCode": "600"}, Outcome.BUSY),
        ("failed", {"SipResponseCode": "603"}, Outcome.REJECTED),
        ("failed", {"SipResponseCode": "607"}, Outcome.REJECTED),
        ("failed", {"SipResponseCode": "608"}, Outcome.REJECTED),
        ("failed", {"SipResponseCode": "503"}, Outcome.NETWORK),
        ("failed", {"SipResponseCode": "488"}, Outcome.OTHER),
        ("failed", {"SipResponseCode": "x"}, Outcome.OTHER),
    ],
)
def test_calls_done(status: str, extra: dict[str, str], outcome: Outcome) -> None:
    form = call_form(sid(Channel.AUTO_CALL, 1), status, CallDuration="42", **extra)
    receipt = read(webhook(form))
    assert (receipt.outcome, receipt.final) == (outcome, True)
    assert receipt.talk_seconds == 42
    assert receipt.occurred_at == datetime(2026, 10, 26, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["", "yesterday", "Mon, 26 Oct 2026 01:02:03 -0000"])
def test_an_instant_without_a_zone_is_none(stamp: str) -> None:
    form = call_form(sid(Channel.AUTO_CALL, 1), "completed") | {"Timestamp": stamp}
    assert read(webhook(form)).occurred_at is None


def test_the_kept_report_is_chosen_by_name() -> None:
    extra = {"ToCity": "世田谷区", "Body": "本文", "ErrorMessage": "no +819012345678", "New": "1"}
    receipt = read(webhook(message_form(sid(Channel.SMS, 1), "delivered", **extra)))
    assert set(receipt.raw) == {"AccountSid", "ApiVersion", "MessageSid", "MessageStatus"}


def test_a_sub_accounts_reports_are_signed_with_its_own_token() -> None:
    form = message_form(sid(Channel.SMS, 1), "delivered")
    theirs = {"x-twilio-signature": signature(RECEIPTS_URL, form, "its-own")}
    request = WebhookRequest(RECEIPTS_URL, theirs, form)
    assert read(request, signing_token="its-own").final
    with pytest.raises(ForgedReceipt):
        read(request)


def test_a_published_example_of_a_signature() -> None:
    """From Twilio's page on securing requests: the address, the fields, the token, the sum."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, form, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    provider = create("twilio", "t", {**OPTIONS, "auth_token": "12345"})
    provider.verify(
        WebhookRequest(url, {"x-twilio-signature": signature(url, form, "12345")}, form)
    )
    asyncio.run(provider.close())


def test_a_signed_request_that_is_no_report() -> None:
    with pytest.raises(ForgedReceipt, match="neither"):
        read(webhook({"Hello": "1"}))


def test_a_signed_request_that_is_no_call() -> None:
    provider = create("twilio", "t", OPTIONS)
    with pytest.raises(ForgedReceipt, match="not a request"):
        provider.read_call(webhook({"Digits": "1"}))
    asyncio.run(provider.close())


def test_the_same_status_with_its_cause_is_not_a_repetition() -> None:
    ref = sid(Channel.AUTO_CALL, 1)
    vague = read(webhook(call_form(ref, "failed")))
    exact = read(webhook(call_form(ref, "failed", SipResponseCode="404")))
    assert vague.deduplication_key != exact.deduplication_key


def test_an_address_may_be_signed_with_its_port_or_without() -> None:
    """Twilio's servers do either (its libraries try both)."""
    form = message_form(sid(Channel.SMS, 1), "delivered")
    bare = RECEIPTS_URL
    host = bare.split("/")[2]
    named = bare.replace(host, f"{host}:443", 1)
    for told, signed in ((bare, bare), (bare, named), (named, bare), (named, named)):
        proof = {"x-twilio-signature": signature(signed, form)}
        assert read(WebhookRequest(told, proof, form)).final
    elsewhere = {"x-twilio-signature": signature(bare.replace(host, f"{host}:8443", 1), form)}
    with pytest.raises(ForgedReceipt):
        read(WebhookRequest(bare, elsewhere, form))


@pytest.mark.parametrize("words", ["", "署名", "\xff", "A" * 5000])
def test_what_is_no_signature_is_refused(words: str) -> None:
    form = message_form(sid(Channel.SMS, 1), "delivered")
    with pytest.raises(ForgedReceipt):
        read(WebhookRequest(RECEIPTS_URL, {"x-twilio-signature": words}, form))


def test_a_signature_fits_to_its_last_sign() -> None:
    form = message_form(sid(Channel.SMS, 1), "delivered")
    fits = signature(RECEIPTS_URL, form)
    for nearly in (fits[:-1], fits + "=", fits.swapcase(), fits[:-2] + "A="):
        with pytest.raises(ForgedReceipt):
            read(WebhookRequest(RECEIPTS_URL, {"x-twilio-signature": nearly}, form))
