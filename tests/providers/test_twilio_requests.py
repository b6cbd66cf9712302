"""What goes over the wire: method, path, form, authentication, by Twilio's reference."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from providers.base import (
    Accepted,
    Call,
    Cause,
    Channel,
    Contact,
    Message,
    Outcome,
    Provider,
    ProviderUnavailable,
    Refused,
    Result,
    Throttled,
)
from providers.registry import create
from tests.providers.twilio_bench import (
    ACCOUNT,
    FROM,
    OPTIONS,
    TOKEN,
    TwilioBench,
    call,
    message,
    rest_error,
    sid,
)
from tests.providers.wire import Behaviour, Seen, answer, wire

TO = "+819012345678"
SUBACCOUNT = "AC" + "f" * 32
SERVICE = "MG" + "a" * 32
SMS = Message("ref", TO, "区役所 100%&+", "https://ward.example/r?a=1&b=2")
CALL = Call("ref", TO, "https://ward.example/v", "https://ward.example/r", timedelta(seconds=25))


def ask(
    act: Callable[[Provider], Awaitable[object]],
    *plan: Behaviour,
    options: Mapping[str, object] = OPTIONS,
) -> tuple[object, list[Seen]]:
    async def conversation() -> tuple[object, list[Seen]]:
        async with wire() as carrier:
            carrier.then(*plan)
            provider = create("twilio", "t", {**options, "base_url": carrier.origin})
            try:
                return await act(provider), carrier.seen
            finally:
                await provider.close()

    return asyncio.run(conversation())


def submit(
    contact: Contact, behaviour: Behaviour, options: Mapping[str, object] = OPTIONS
) -> tuple[object, Seen]:
    result, seen = ask(lambda provider: provider.submit(contact), behaviour, options=options)
    (only,) = seen
    return result, only


def taken(contact: Contact) -> Behaviour:
    if isinstance(contact, Message):
        return answer(201, message(sid(Channel.SMS, 1)))
    return answer(201, call(sid(Channel.AUTO_CALL, 1)))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_message() -> None:
    _, seen = submit(SMS, taken(SMS))
    assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert seen.query == {}
    assert seen.headers["authorization"] == basic(ACCOUNT, TOKEN)
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.form == [
        ("Body", "区役所 100%&+"),
        ("From", FROM),
        ("StatusCallback", "https://ward.example/r?a=1&b=2"),
        ("To", TO),
    ]


def test_a_message_when_no_webhook_can_reach_us() -> None:
    _, seen = submit(Message("ref", TO, "x"), taken(SMS))
    assert seen.form == [("Body", "x"), ("From", FROM), ("To", TO)]


def test_a_message_through_a_messaging_service() -> None:
    options = {**OPTIONS, "messaging_service_sid": SERVICE}
    assigned_later = answer(201, message(sid(Channel.SMS, 1), "accepted", num_segments="0"))
    result, seen = submit(Message("ref", TO, "あ" * 71), assigned_later, options)
    assert [name for name, _ in seen.form] == ["Body", "MessagingServiceSid", "To"]
    assert ("MessagingServiceSid", SERVICE) in seen.form
    assert result == Accepted(sid(Channel.SMS, 1), parts=2)


def test_the_parts_that_twilio_counted() -> None:
    result, _ = submit(SMS, answer(201, message(sid(Channel.SMS, 1), num_segments="3")))
    assert result == Accepted(sid(Channel.SMS, 1), parts=3)


def test_a_call() -> None:
    result, seen = submit(CALL, taken(CALL))
    assert result == Accepted(sid(Channel.AUTO_CALL, 1))
    assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    assert seen.headers["authorization"] == basic(ACCOUNT, TOKEN)
    assert seen.form == [
        ("From", FROM),
        ("Method", "POST"),
        ("StatusCallback", "https://ward.example/r"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackMethod", "POST"),
        ("Timeout", "25"),
        ("To", TO),
        ("Url", "https://ward.example/v"),
    ]


def test_a_call_without_reports_and_with_machine_detection() -> None:
    quiet = Call("ref", TO, "https://ward.example/v")
    _, seen = submit(quiet, taken(quiet), {**OPTIONS, "machine_detection": "Enable"})
    assert seen.form == [
        ("From", FROM),
        ("MachineDetection", "Enable"),
        ("Method", "POST"),
        ("Timeout", "30"),
        ("To", TO),
        ("Url", "https://ward.example/v"),
    ]


def test_a_message_identifier_does_not_pass_for_a_call() -> None:
    result, _ = submit(CALL, answer(201, message(sid(Channel.SMS, 1))))
    assert not isinstance(result, Accepted)


def test_a_call_without_a_number_to_call_from_is_not_tried() -> None:
    options = {**OPTIONS, "messaging_service_sid": SERVICE, "from_number": None}
    result, seen = ask(lambda provider: provider.submit(CALL), options=options)
    assert seen == []
    assert isinstance(result, Refused)
    assert result.cause is Cause.OUR_CREDENTIALS


def test_a_sub_account_owns_and_the_account_signs_in() -> None:
    _, seen = submit(SMS, taken(SMS), {**OPTIONS, "subaccount_sid": SUBACCOUNT})
    assert seen.path == f"/2010-04-01/Accounts/{SUBACCOUNT}/Messages.json"
    assert seen.headers["authorization"] == basic(ACCOUNT, TOKEN)


def test_gaps_are_not_filled_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    provider = create("twilio", "t", OPTIONS)
    host = provider._client.get_hostname("https://api.twilio.com/x")  # type: ignore[attr-defined]
    asyncio.run(provider.close())
    assert host == "https://api.twilio.com/x"


def test_region_and_edge_name_the_host() -> None:
    provider = create("twilio", "t", {**OPTIONS, "region": "jp1", "edge": "tokyo"})
    host = provider._client.get_hostname("https://api.twilio.com/x")  # type: ignore[attr-defined]
    asyncio.run(provider.close())
    assert host == "https://api.tokyo.jp1.twilio.com/x"


@pytest.mark.parametrize(
    ("channel", "path"), [(Channel.SMS, "Messages"), (Channel.AUTO_CALL, "Calls")]
)
def test_look_up(channel: Channel, path: str) -> None:
    ref = sid(channel, 5)
    _, seen = ask(
        lambda provider: provider.look_up(channel, ref),
        TwilioBench().reports(channel, ref, "queued"),
    )
    assert (seen[0].method, seen[0].path, seen[0].query) == (
        "GET",
        f"/2010-04-01/Accounts/{ACCOUNT}/{path}/{ref}.json",
        {},
    )


def test_what_cannot_be_an_identifier_is_not_asked_for() -> None:
    result, seen = ask(lambda provider: provider.look_up(Channel.SMS, "../Balance"))
    assert (result, seen) == (None, [])


@pytest.mark.parametrize(
    ("channel", "path"), [(Channel.SMS, "Messages"), (Channel.AUTO_CALL, "Calls")]
)
def test_listing_asks_by_number_alone(channel: Channel, path: str) -> None:
    since = datetime(2026, 10, 26, tzinfo=UTC)
    record = (sid(channel, 1), since)
    _, seen = ask(
        lambda provider: provider.list_sent(channel, TO, since),
        *TwilioBench().lists(channel, [[record], [record]]),
    )
    assert [(one.method, one.path) for one in seen] == [
        ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/{path}.json")
    ] * 2
    assert seen[0].query == {"To": [TO], "PageSize": ["200"]}
    assert (seen[1].query["To"], seen[1].query["PageToken"]) == ([TO], ["PA0"])
    assert {one.headers["authorization"] for one in seen} == {basic(ACCOUNT, TOKEN)}


def test_a_listing_that_shows_other_numbers_too_proves_nothing_by_them() -> None:
    since = datetime(2026, 10, 26, tzinfo=UTC)
    ours, theirs = message(sid(Channel.SMS, 1)), message(sid(Channel.SMS, 2), to="+819099999999")
    page = {"messages": [ours, theirs], "next_page_uri": None, "page": 0, "page_size": 2}
    listed, _ = ask(lambda provider: provider.list_sent(Channel.SMS, TO, since), answer(200, page))
    assert [one.provider_ref for one in listed] == [sid(Channel.SMS, 1)]  # type: ignore[attr-defined]


def test_a_listing_that_goes_in_circles_ends() -> None:
    since = datetime(2026, 10, 26, tzinfo=UTC)
    records = [(sid(Channel.SMS, number), since) for number in range(2000)]
    first, _ = TwilioBench().lists(Channel.SMS, [records, []])
    with pytest.raises(ProviderUnavailable, match="does not end"):
        ask(lambda provider: provider.list_sent(Channel.SMS, TO, since), *[first] * 6)


def test_health_asks_for_the_account() -> None:
    said, seen = ask(
        lambda provider: provider.health(), answer(200, {"sid": ACCOUNT, "status": "suspended"})
    )
    assert isinstance(said, str)
    assert "suspended" in said
    assert (seen[0].method, seen[0].path) == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json")


REFUSALS = [
    (400, 21211, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
    (400, 21217, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
    (400, 21401, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
    (400, 21614, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
    (400, 13224, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
    (400, 13225, Cause.NEVER_THIS_NUMBER, Outcome.BLOCKED),
    (400, 21214, Cause.NEVER_THIS_NUMBER, Outcome.UNREACHABLE),
    (400, 21612, Cause.NEVER_THIS_NUMBER, Outcome.UNREACHABLE),
    (400, 21610, Cause.NEVER_THIS_NUMBER, Outcome.OPTED_OUT),
    (400, 21602, Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED),
    (400, 21617, Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED),
    (400, 30007, Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED),
    (403, 21408, Cause.OUR_CREDENTIALS, Outcome.OTHER),
    (400, 21606, Cause.OUR_CREDENTIALS, Outcome.OTHER),
    (400, 21659, Cause.OUR_CREDENTIALS, Outcome.OTHER),
    (401, 20003, Cause.OUR_CREDENTIALS, Outcome.OTHER),
    (404, 20404, Cause.OUR_CREDENTIALS, Outcome.OTHER),
    (400, 55555, Cause.UNKNOWN, Outcome.OTHER),
]


@pytest.mark.parametrize(("status", "code", "cause", "outcome"), REFUSALS)
def test_refusals_by_code(status: int, code: int, cause: Cause, outcome: Outcome) -> None:
    result, _ = submit(SMS, rest_error(status, code))
    assert result == Refused(cause, outcome, code=str(code), detail=f"HTTP {status}")


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (400, 21611), (400, 10004)])
def test_too_many_is_throttled_whatever_the_status(status: int, code: int) -> None:
    result: object | Result
    result, _ = submit(SMS, rest_error(status, code))
    assert isinstance(result, Throttled)


def test_problem_details_are_read_too() -> None:
    problem = {"type": "https://x", "title": f"no {TO}", "status": 400, "code": 21211}
    result, _ = submit(SMS, answer(400, problem))
    assert result == Refused(
        Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER, code="21211", detail="HTTP 400"
    )


def test_a_server_fault_is_judged_by_the_status_line() -> None:
    """A body that speaks of a refusal does not make a 500 one."""
    problem = {"type": "https://x", "title": "x", "status": 400, "code": 21211}
    result, _ = submit(SMS, answer(500, problem))
    assert not isinstance(result, Refused)
