"""Declared gateways: what is checked and where, what leaves the house, what is never written."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from providers.base import (
    Accepted,
    Call,
    Cause,
    Channel,
    Message,
    Outcome,
    Refused,
    Result,
    Unknown,
)
from providers.gateway.source import LIBRARY, BadDeclaration, find, library, read
from providers.registry import BadOptions, create
from tests.providers.bench import TO
from tests.providers.gateway_bench import (
    DOMESTIC,
    SECRETS,
    AsynchronousWebhook,
    FormCp932,
    PollingOnly,
    options,
    signed,
)
from tests.providers.wire import Behaviour, Seen, answer, wire

SMS = Message("attempt-1", TO, "区役所です。①㈱～", "https://ward.example/r/1")


def submit(
    declaration: str, behaviour: Behaviour, contact: Message | Call = SMS, **more: object
) -> tuple[Result, list[Seen]]:
    async def conversation() -> tuple[Result, list[Seen]]:
        async with wire() as carrier:
            carrier.then(behaviour)
            provider = create("gateway", "g", options(declaration, carrier.origin, **more))
            try:
                return await provider.submit(contact), carrier.seen
            finally:
                await provider.close()

    return asyncio.run(conversation())


def text(name: str) -> str:
    return (LIBRARY / f"{name}.yaml").read_text(encoding="utf-8")


def faults(content: str) -> list[str]:
    with pytest.raises(BadDeclaration) as caught:
        read(content.encode(), "x.yaml")
    return str(caught.value).splitlines()


# --- what is checked


@pytest.mark.parametrize(
    ("old", "new", "line_of", "said"),
    [
        ("channel: sms", "chanel: sms", "chanel", "`channel`"),
        ("channel: sms", "channel: fax", "channel: fax", "channel"),
        ("rule: domestic-660", "rule: domestik", "rule: domestik", "domestic-660"),
        ('to: "{to}"\n    body', 'to: "{too}"\n    body', "{too}", "`{too}`"),
        ("path: /api/{value.tenant}/messages\n  fields:\n    to", "path: https://evil.example/\n  fields:\n    to", "evil", "path"),
        ("waiting: under_way", "waiting: underway", "waiting: underway", "statuses"),
        ("invalid_to: never_this_number", "invalid_to: never", "invalid_to: never", "codes"),
        ("kind: bearer, secret: token", "kind: bearer", "kind: bearer", "secret"),
        ("status: [status, sent_result]", "status: status", "status: status", "[one]"),
        ("ref: id\n  parts", "parts", "submit:", "ref"),
        ("title: ", "title: x\ntitle: ", None, "二度"),
        ("ref: id\n", "ref: &a id\n  code2: *a\n", None, "別名"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place_and_a_remedy(
    old: str, new: str, line_of: str | None, said: str
) -> None:
    content = text("asynchronous-webhook").replace(old, new, 1)
    found = faults(content)
    assert any(said in fault for fault in found), found
    assert all(" / " in fault for fault in found), "in Japanese and in English"
    if line_of is not None:
        line = next(number for number, one in enumerate(content.splitlines(), 1) if line_of in one)
        assert any(fault.startswith(f"x.yaml:{line}:") for fault in found), (line, found)


@pytest.mark.parametrize(
    "content", ["", "- a", "a: [", "a: {b", "\t", "x" * 200_000, "[" * 5000, "a: !!python/none x"]
)
def test_what_is_no_declaration_is_said_in_words(content: str) -> None:
    assert all(" / " in fault for fault in faults(content))


def test_not_utf8() -> None:
    with pytest.raises(BadDeclaration, match="UTF-8"):
        read("タイトル".encode("cp932"), "x.yaml")


def test_several_faults_are_named_at_once() -> None:
    content = (
        text("polling-only").replace("most: 100", "most: none").replace("price_yen: 8.5", "x: 1")
    )
    assert len(faults(content)) >= 2


def test_outcomes_must_come_somehow() -> None:
    content = text("recorded-call")
    for name in ("look_up", "receipts"):
        start = content.index(f"{name}:")
        end = content.find("\n\n", start)
        content = content[:start] + (content[end:] if end > 0 else "")
    assert any("look_up" in fault for fault in faults(content))


# --- what the deployment decides


@pytest.mark.parametrize(
    "address",
    [
        "http://sms.example",
        "https://sms.example/path",
        "https://user:pw@sms.example",
        "https://sms.example?x=1",
        "ftp://127.0.0.1",
        "sms.example",
    ],
)
def test_addresses_are_origins_and_encrypted_but_on_this_machine(address: str) -> None:
    with pytest.raises(BadOptions, match="addresses"):
        create("gateway", "g", options("polling-only", address))


def test_what_the_declaration_names_must_be_given_and_no_secret_is_shown() -> None:
    for lacking in ("addresses", "secrets"):
        given = {**options("polling-only", "http://127.0.0.1:1"), lacking: {}}
        with pytest.raises(BadOptions, match=lacking) as caught:
            create("gateway", "g", given)
        assert not [secret for secret in SECRETS.values() if secret in str(caught.value)]
    with pytest.raises(BadOptions, match="polling-only"):
        create("gateway", "g", options("poling-only", "http://127.0.0.1:1"))
    provider = create("gateway", "g", options("polling-only", "http://127.0.0.1:1"))
    assert not [secret for secret in SECRETS.values() if secret in repr(vars(provider))]
    asyncio.run(provider.close())


def test_a_value_that_is_missing_stops_the_lane_and_loses_nothing() -> None:
    result, seen = submit("several-receipts", answer(500, {}), values={"client": "c"})
    assert seen == []
    assert isinstance(result, Refused)
    assert (result.cause, result.detail) == (Cause.OUR_CREDENTIALS, "no value for 'value.sender'")


# --- what leaves the house


def test_asynchronous_json_with_a_bearer_token() -> None:
    at = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)
    bench = AsynchronousWebhook()
    result, (seen,) = submit(bench.declaration, bench.accepts(None, "7"), replace(SMS, send_at=at))  # type: ignore[arg-type]
    assert result == Accepted("7", 1)
    assert (seen.method, seen.path) == ("POST", "/api/setagaya/messages")
    assert seen.headers["authorization"] == f"Bearer {SECRETS['token']}"
    assert seen.headers["x-api-version"] == "2023-01-01"
    assert json.loads(seen.body) == {
        "to": DOMESTIC,
        "body": SMS.body,
        "custom_key": "attempt-1",
        "scheduled_at": "2026-12-07T00:00:00+00:00",
        "webhook_url": "https://ward.example/r/1",
    }


def test_fields_without_a_value_are_left_out() -> None:
    bench = AsynchronousWebhook()
    quiet = Message("attempt-1", TO, "{to} {body}")
    _, (seen,) = submit(bench.declaration, bench.accepts(None, "7"), quiet)  # type: ignore[arg-type]
    assert json.loads(seen.body) == {
        "to": DOMESTIC,
        "body": "{to} {body}",  # a text is never a template
        "custom_key": "attempt-1",
    }


def test_a_batch_with_basic_authentication() -> None:
    bench = PollingOnly()
    _, (seen,) = submit(bench.declaration, bench.accepts(None, "7"))  # type: ignore[arg-type]
    said = base64.b64encode(f"ward:{SECRETS['password']}".encode()).decode()
    assert seen.headers["authorization"] == f"Basic {said}"
    assert json.loads(seen.body) == {
        "shop": "12",
        "messages": [{"phone": DOMESTIC, "text": SMS.body, "client_id": "attempt-1"}],
    }


def test_a_request_signed_over_its_body() -> None:
    _, (seen,) = submit("several-receipts", answer(202, {"data": {"sms_id": "1"}}))
    digest = hmac.digest(SECRETS["signing"].encode(), seen.body.encode(), hashlib.sha256)
    assert seen.headers["x-request-signature"] == base64.b64encode(digest).decode()
    assert json.loads(seen.body)["destination"] == TO


def test_a_form_in_shift_jis_with_a_key_in_the_query() -> None:
    bench = FormCp932()
    _, (seen,) = submit(bench.declaration, bench.accepts(None, "7"))  # type: ignore[arg-type]
    assert seen.query == {"apikey": [SECRETS["key"]]}
    assert "Shift_JIS" in seen.headers["content-type"]
    assert dict(parse_qsl(seen.body, encoding="cp932")) == {
        "tel": DOMESTIC,
        "msg": SMS.body,
        "userid": "ward",
        "usrkey": "attempt-1",
    }


@pytest.mark.parametrize("character", ["𠮷", "—", "é"])
def test_a_character_that_shift_jis_lacks_is_refused_before_anything_leaves(character: str) -> None:
    result, seen = submit("form-cp932", answer(500, {}), replace(SMS, body=f"区役所{character}"))
    assert seen == []
    assert isinstance(result, Refused)
    assert (result.cause, result.outcome) == (Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED)


def test_a_number_abroad_has_no_national_form() -> None:
    result, seen = submit("form-cp932", answer(500, {}), replace(SMS, to="+12025550123"))
    assert seen == []
    assert isinstance(result, Refused)
    assert result.cause is Cause.NEVER_THIS_NUMBER


def test_a_call_without_a_recording_is_not_placed() -> None:
    silent = Call("attempt-1", TO, "https://ward.example/v")
    result, seen = submit("recorded-call", answer(500, {}), silent)
    assert seen == []
    assert isinstance(result, Refused)
    assert result.cause is Cause.NEVER_THIS_CONTENT


# --- what answers mean


@pytest.mark.parametrize(
    ("code", "kind", "cause"),
    [
        ("101", "Refused", Cause.NEVER_THIS_NUMBER),
        ("201", "Refused", Cause.NEVER_THIS_CONTENT),
        ("301", "Refused", Cause.OUR_CREDENTIALS),
        ("401", "Throttled", None),
        ("501", "Unknown", Cause.THEIR_FAULT),
        ("999", "Unknown", Cause.UNKNOWN),  # nobody said that this is a refusal
    ],
)
def test_the_taxonomy_by_code_in_an_answer_with_status_200(
    code: str, kind: str, cause: Cause | None
) -> None:
    item = {"client_id": "attempt-1", "message_id": "7", "result": code}
    result, _ = submit("polling-only", answer(200, {"result": "0", "results": [item]}))
    assert type(result).__name__ == kind
    assert getattr(result, "cause", None) is cause


def test_a_batch_refused_as_a_whole() -> None:
    result, _ = submit("polling-only", answer(200, {"result": "302"}))
    assert isinstance(result, Refused)
    assert result.cause is Cause.OUR_CREDENTIALS


def test_an_identifier_too_long_to_keep_is_unknown() -> None:
    result, _ = submit("several-receipts", answer(202, {"data": {"sms_id": "9" * 81}}))
    assert isinstance(result, Unknown)


@pytest.mark.parametrize("ref", ["7\x00", "7\n8", "\ud800", "", ".", "..", "9" * 81])
def test_an_identifier_that_cannot_be_kept_or_asked_for_is_unknown(ref: str) -> None:
    result, _ = submit("several-receipts", answer(202, {"data": {"sms_id": ref}}))
    assert isinstance(result, Unknown)


@pytest.mark.parametrize("token", ["token\nX-Evil: 1", "token\r\n\r\nGET / HTTP/1.1", "合言葉"])
def test_a_secret_writes_no_header_of_its_own(token: str) -> None:
    secrets = {**SECRETS, "token": token}
    result, seen = submit("asynchronous-webhook", answer(201, {"id": "7"}), secrets=secrets)
    assert seen == []
    assert isinstance(result, Refused)
    assert result.cause is Cause.OUR_CREDENTIALS
    assert token not in repr(result)


def test_one_report_that_cannot_be_read_spoils_no_other_of_an_answer() -> None:
    bench = PollingOnly()
    good = [bench.record(ref, bench.done[0]) for ref in ("1", "2")]
    broken = [{}, "x", None, {**good[0], "message_id": "3\x00"}]

    async def conversation() -> list[str]:
        async with wire() as carrier:
            carrier.then(answer(200, {"result": "0", "results": [good[0], *broken, good[1]]}))
            provider = create("gateway", "g", options("polling-only", carrier.origin))
            try:
                found = await provider.look_up_batch(Channel.SMS, ["1", "2", "3"])
            finally:
                await provider.close()
            return [one.provider_ref for one in found]

    assert asyncio.run(conversation()) == ["1", "2"]


def test_a_signature_over_the_body_proves_nothing_of_the_address() -> None:
    """A report that names no attempt of ours, played to an attempt's address, is nobody's."""
    bench = AsynchronousWebhook()
    nameless = {**bench.record("7", bench.done[0]), "custom_key": None}
    provider = bench.provider("http://127.0.0.1:1")
    try:
        (receipt,) = provider.parse_receipts(
            signed(nameless, "X-Signature", prefix="sha256="), "attempt-2"
        )
    finally:
        asyncio.run(provider.close())
    assert (receipt.provider_ref, receipt.reference) == ("7", None)


def test_prices_by_parts_and_by_contract() -> None:
    for more, price in (({}, Decimal("19.6")), ({"price_yen": 8}, Decimal(16))):
        provider = create(
            "gateway", "g", options("asynchronous-webhook", "http://127.0.0.1:1", **more)
        )
        assert provider.price(Message("r", TO, "あ" * 71)) == price
        assert provider.parts("あ" * 660) == 10
        asyncio.run(provider.close())


def test_every_ready_made_declaration_reads() -> None:
    assert len(library()) >= 5
    for name in library():
        assert find(name).gateway == name
