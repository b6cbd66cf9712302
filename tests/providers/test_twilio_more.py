"""Twilio: what its published description allows, scheduling, taking back, who answered, messages
from people, kinds of lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from providers.base import (
    Accepted,
    Call,
    Cause,
    Channel,
    ForgedReceipt,
    HangUp,
    LineType,
    Message,
    NotSupported,
    Outcome,
    Provider,
    ProviderUnavailable,
    Refused,
    Say,
)
from providers.registry import BadOptions, create
from tests.providers.bench import TO
from tests.providers.twilio_bench import (
    ACCOUNT,
    FROM,
    OPTIONS,
    TOKEN,
    call,
    call_form,
    message,
    message_form,
    rest_error,
    sid,
    webhook,
)
from tests.providers.wire import Behaviour, Seen, answer, wire

SERVICE = "MG" + "0123456789abcdef" * 2
URI = r"https?://\S+"
NUMBER = r"\+[1-9]\d{6,14}"
METHOD = "GET|POST"
#: From Twilio's OpenAPI description of 2010-04-01: which fields a request may have, and how they
#: look. What is not here is not sent by us.
ALLOWED: dict[str, dict[str, str]] = {
    "CreateMessage": {
        "To": NUMBER, "From": NUMBER, "MessagingServiceSid": "MG[0-9a-fA-F]{32}", "Body": r"(?s).{1,1600}",
        "StatusCallback": URI, "ScheduleType": "fixed", "SendAt": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    },
    "UpdateMessage": {"Status": "canceled"},
    "CreateCall": {
        "To": NUMBER, "From": NUMBER, "Url": URI, "Method": METHOD, "StatusCallback": URI,
        "StatusCallbackMethod": METHOD, "StatusCallbackEvent": "initiated|ringing|answered|completed",
        "Timeout": r"[1-9]\d{0,2}", "MachineDetection": "Enable|DetectMessageEnd",
        "AsyncAmd": "true|false", "AsyncAmdStatusCallback": URI, "AsyncAmdStatusCallbackMethod": METHOD,
    },
    "UpdateCall": {"Status": "canceled|completed", "Twiml": r"(?s)<\?xml.{1,4000}"},
    "ListMessage": {"To": NUMBER, "PageSize": r"[1-9]\d{0,2}|1000", "Page": r"\d+", "PageToken": ".+"},
    "FetchPhoneNumber": {"Fields": "line_type_intelligence"},
}  # fmt: skip
REQUIRED = {"CreateMessage": {"To"}, "CreateCall": {"To", "From"}}
ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"
PATHS = {
    ("POST", f"{ROOT}/Messages.json"): "CreateMessage",
    ("POST", rf"{ROOT}/Messages/(SM|MM)[0-9a-fA-F]{{32}}.json"): "UpdateMessage",
    ("POST", f"{ROOT}/Calls.json"): "CreateCall",
    ("POST", rf"{ROOT}/Calls/CA[0-9a-fA-F]{{32}}.json"): "UpdateCall",
    ("GET", f"{ROOT}/(Messages|Calls).json"): "ListMessage",
    ("GET", r"/v2/PhoneNumbers/(\+|%2B)\d+"): "FetchPhoneNumber",
    ("GET", rf"{ROOT}/(Messages|Calls)/[A-Z]{{2}}[0-9a-fA-F]{{32}}.json"): "Fetch",
}


def conforms(seen: Seen) -> str:
    """The operation that a request is; asserts that the description allows it."""
    (operation,) = [
        name for (verb, path), name in PATHS.items()
        if verb == seen.method and re.fullmatch(path, seen.path)
    ]  # fmt: skip
    fields = (
        parse_qsl(seen.body) if seen.body else [(k, v) for k, vs in seen.query.items() for v in vs]
    )
    if seen.body:
        assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    for name, value in fields:
        assert re.fullmatch(ALLOWED.get(operation, {})[name], value), (operation, name, value)
    assert REQUIRED.get(operation, set()) <= {name for name, _ in fields}
    return operation


def talk(
    act: Callable[[Provider], Awaitable[Any]], *plan: Behaviour, **options: object
) -> tuple[Any, list[Seen]]:
    async def conversation() -> tuple[Any, list[Seen]]:
        async with wire() as carrier:
            carrier.then(*plan)
            provider = create("twilio", "t", {**OPTIONS, **options, "base_url": carrier.origin})
            try:
                return await act(provider), carrier.seen
            finally:
                await provider.close()

    return asyncio.run(conversation())


SMS = Message("ref", TO, "区役所です", "https://ward.example/r")
CALL = Call("ref", TO, "https://ward.example/v", "https://ward.example/r")
AT = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("contact", "options"),
    [
        (SMS, {}),
        (replace(SMS, receipts_url=None, body="あ" * 670), {}),
        (SMS, {"messaging_service_sid": SERVICE}),
        (replace(SMS, send_at=AT), {"messaging_service_sid": SERVICE}),
        (CALL, {}),
        (CALL, {"machine_detection": "Enable"}),
        (replace(CALL, detection_url="https://ward.example/d"), {}),
    ],
)
def test_requests_are_what_the_description_allows(
    contact: Message | Call, options: dict[str, object]
) -> None:
    channel = Channel.SMS if isinstance(contact, Message) else Channel.AUTO_CALL
    made = message if channel is Channel.SMS else call
    result, (seen,) = talk(
        lambda provider: provider.submit(contact), answer(201, made(sid(channel, 1))), **options
    )
    assert isinstance(result, Accepted)
    assert conforms(seen) == ("CreateMessage" if channel is Channel.SMS else "CreateCall")
    assert "Record" not in dict(seen.form), "recording is off unless asked for"


def test_the_check_would_notice() -> None:
    good = Seen(
        "POST",
        f"{ROOT}/Messages.json",
        {},
        {"content-type": "application/x-www-form-urlencoded"},
        "To=%2B819012345678&Body=x",
    )
    assert conforms(good) == "CreateMessage"
    for body in (
        "To=09012345678&Body=x",
        "Body=x",
        "To=%2B819012345678&Boddy=x",
        "To=%2B819012345678&Body=" + "x" * 1601,
    ):
        with pytest.raises((AssertionError, KeyError)):
            conforms(replace(good, body=body))


def test_a_scheduled_message_names_its_time_and_needs_a_service() -> None:
    later = replace(SMS, send_at=AT)
    _, (seen,) = talk(
        lambda provider: provider.submit(later),
        answer(201, message(sid(Channel.SMS, 1), "scheduled")),
        messaging_service_sid=SERVICE,
    )
    form = dict(seen.form)
    assert (form["ScheduleType"], form["SendAt"]) == ("fixed", "2026-12-07T09:00:00Z")
    result, seen_none = talk(lambda provider: provider.submit(later))
    assert seen_none == []
    assert isinstance(result, Refused)
    assert result.cause is Cause.OUR_CREDENTIALS


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.AUTO_CALL])
def test_taking_back(channel: Channel) -> None:
    ref = sid(channel, 5)
    made = message if channel is Channel.SMS else call
    receipt, (seen,) = talk(
        lambda provider: provider.cancel(channel, ref), answer(200, made(ref, "canceled"))
    )
    assert (receipt.outcome, receipt.final) == (Outcome.CANCELED, True)
    assert conforms(seen) in ("UpdateMessage", "UpdateCall")


def test_taking_back_too_late_says_what_happened_instead() -> None:
    ref = sid(Channel.SMS, 5)
    receipt, seen = talk(
        lambda provider: provider.cancel(Channel.SMS, ref),
        rest_error(400, 30409),
        answer(200, message(ref, "delivered")),
    )
    assert (receipt.outcome, len(seen)) == (Outcome.DELIVERED, 2)


def test_asynchronous_detection_is_asked_for() -> None:
    _, (seen,) = talk(
        lambda provider: provider.submit(replace(CALL, detection_url="https://ward.example/d")),
        answer(201, call(sid(Channel.AUTO_CALL, 1))),
    )
    form = dict(seen.form)
    assert form["AsyncAmd"] == "true"
    assert form["MachineDetection"] == "DetectMessageEnd"
    assert form["AsyncAmdStatusCallback"] == "https://ward.example/d"


def offline(read: Callable[[Provider], Any], **options: object) -> Any:
    provider = create("twilio", "t", {**OPTIONS, **options})
    try:
        return read(provider)
    finally:
        asyncio.run(provider.close())


@pytest.mark.parametrize(
    ("word", "machine", "now"),
    [
        ("human", False, False),
        ("unknown", False, False),
        ("machine_start", True, False),
        ("machine_end_beep", True, True),
        ("machine_end_silence", True, True),
        ("machine_end_other", True, True),
        ("fax", True, False),
    ],
)
def test_who_answered(word: str, machine: bool, now: bool) -> None:
    ref = sid(Channel.AUTO_CALL, 1)
    request = webhook({"CallSid": ref, "AccountSid": ACCOUNT, "AnsweredBy": word})
    found = offline(lambda provider: provider.read_detection(request))
    assert (found.provider_ref, found.answered_by) == (ref, word)
    assert (found.machine, found.message_now) == (machine, now)
    for forged in (replace(request, headers={}), webhook(call_form(ref, "in-progress"))):
        with pytest.raises(ForgedReceipt):
            offline(lambda provider, forged=forged: provider.read_detection(forged))


def test_a_message_after_the_tone() -> None:
    ref = sid(Channel.AUTO_CALL, 1)
    said = [Say("区役所です。お電話ください。"), HangUp()]
    _, (seen,) = talk(lambda provider: provider.instruct(ref, said), answer(200, call(ref)))
    assert conforms(seen) == "UpdateCall"
    assert "お電話ください" in dict(seen.form)["Twiml"]
    for fault in (rest_error(400, 21220), answer(500, {})):
        with pytest.raises(ProviderUnavailable):
            talk(lambda provider: provider.instruct(ref, said), fault)


def inbound(body: str, **extra: str) -> dict[str, str]:
    return {
        "MessageSid": sid(Channel.SMS, 1), "SmsSid": sid(Channel.SMS, 1), "AccountSid": ACCOUNT,
        "From": TO, "To": FROM, "Body": body, "NumMedia": "0", "NumSegments": "1", **extra,
    }  # fmt: skip


def test_messages_from_people() -> None:
    read = offline(lambda provider: provider.read_message(webhook(inbound("停止"))))
    assert (read.sender, read.to, read.body, read.opted_out) == (TO, FROM, "停止", False)
    stopped = webhook(inbound("STOP", OptOutType="STOP"))
    assert offline(lambda provider: provider.read_message(stopped)).opted_out
    status = webhook(message_form(sid(Channel.SMS, 1), "delivered"))
    for forged in (replace(stopped, headers={}), replace(stopped, form=inbound("x")), status):
        with pytest.raises(ForgedReceipt):
            offline(lambda provider, forged=forged: provider.read_message(forged))


def test_replies() -> None:
    said = offline(lambda provider: provider.reply("承知しました & <停止>"))
    assert (said.status, said.content_type) == (200, "text/xml")
    (element,) = ElementTree.fromstring(said.body)
    assert (element.tag, element.text) == ("Message", "承知しました & <停止>")
    assert list(ElementTree.fromstring(offline(lambda provider: provider.reply(None)).body)) == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"type": "mobile"}, LineType.MOBILE),
        ({"type": "landline"}, LineType.LANDLINE),
        ({"type": "nonFixedVoip"}, LineType.VOIP),
        ({"type": "tollFree"}, LineType.OTHER),
        ({"type": None}, LineType.UNKNOWN),
        (None, LineType.UNKNOWN),
    ],
)
def test_kinds_of_lines(said: object, kind: LineType) -> None:
    body = {"phone_number": TO, "line_type_intelligence": said}
    found, (seen,) = talk(
        lambda provider: provider.line_type(TO), answer(200, body), line_type_yen=1.2
    )
    assert found is kind
    assert conforms(seen) == "FetchPhoneNumber"


def test_kinds_of_lines_are_not_asked_about_without_a_price() -> None:
    assert not offline(lambda provider: provider.capabilities.line_type)
    with pytest.raises(NotSupported):
        talk(lambda provider: provider.line_type(TO))
    with pytest.raises(ProviderUnavailable):
        talk(lambda provider: provider.line_type(TO), answer(500, {}), line_type_yen=1)


def test_an_api_key_signs_in_and_the_token_still_verifies() -> None:
    import base64

    key = {"api_key_sid": "SK" + "0" * 32, "api_key_secret": "key-secret"}
    _, (seen,) = talk(
        lambda provider: provider.submit(SMS), answer(201, message(sid(Channel.SMS, 1))), **key
    )
    said = base64.b64encode(f"SK{'0' * 32}:key-secret".encode()).decode()
    assert seen.headers["authorization"] == f"Basic {said}"
    assert seen.path == f"{ROOT}/Messages.json"
    request = webhook(message_form(sid(Channel.SMS, 1), "delivered"))
    offline(lambda provider: provider.verify(request), **key)
    with pytest.raises(BadOptions, match="api_key_secret"):
        create("twilio", "t", {**OPTIONS, "api_key_sid": "SK" + "0" * 32})


def test_prices() -> None:
    long = replace(SMS, body="あ" * 71)
    assert offline(lambda provider: provider.price(long)) is None
    assert offline(lambda provider: provider.price(long), part_yen=12.5) == Decimal("25.0")
    assert offline(lambda provider: provider.price(CALL), call_minute_yen=18) == Decimal(18)


def test_limits_are_declared() -> None:
    declared = offline(lambda provider: provider.capabilities, calls_at_once=30, calls_per_second=5)
    assert (declared.calls_at_once, declared.per_second) == (30, 5)


def test_the_sdks_logger_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    assert logging.getLogger("twilio.http_client").getEffectiveLevel() > logging.ERROR
    logging.getLogger("twilio.http_client").error(TO)
    assert TO not in caplog.text
    assert TOKEN not in caplog.text
