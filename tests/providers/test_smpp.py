"""SMPP: long messages, windows, throttling, keep-alive, reconnecting, TLS, identifiers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import (
    Accepted,
    Cause,
    Message,
    Outcome,
    Provider,
    Refused,
    Throttled,
    Unknown,
)
from providers.registry import BadOptions, create
from providers.smpp import codec, meaning
from tests.providers import smsc as centre
from tests.providers.bench import TO
from tests.providers.smpp_bench import OPTIONS, PASSWORD, options
from tests.providers.smsc import Behaviour, Smsc, smsc
from tests.providers.test_twilio_transport import certificate

SOON = timedelta(seconds=5)


def talk(
    act: Callable[[Provider, Smsc], Awaitable[Any]],
    *plan: Behaviour,
    **more: object,
) -> tuple[Any, Smsc]:
    async def conversation() -> tuple[Any, Smsc]:
        async with smsc() as there:
            there.then(*plan)
            provider = create("smpp", "t", options(there.origin, **more))
            try:
                return await asyncio.wait_for(act(provider, there), 20), there
            finally:
                await provider.close()

    return asyncio.run(conversation())


def send(body: str, *plan: Behaviour, **more: object) -> tuple[Any, Smsc]:
    return talk(lambda provider, _: provider.submit(Message("a", TO, body)), *plan, **more)


def test_one_part_in_the_gsm_alphabet() -> None:
    result, there = send("Ward office: [1] €", centre.accept("7"))
    assert result == Accepted("7", 1)
    (sent,) = there.submitted
    assert (sent.source, sent.to, sent.ton) == ("0354321111", "819012345678", 1)
    assert (sent.coding, sent.esm_class, sent.registered) == (0, 0, 1)
    assert sent.message == b"Ward office: \x1b<1\x1b> \x1be"


def test_japanese_goes_in_ucs2_and_surrogate_pairs_stay_whole() -> None:
    body = "あ" * 66 + "𠮷" + "い" * 30
    result, there = send(body, centre.accept("7"), centre.accept("8"))
    assert result == Accepted("8", 2), "the receipt is the last part's"
    first, second = there.submitted
    for number, part in enumerate((first, second), 1):
        assert part.coding == 8
        assert part.esm_class == 0x40
        assert part.message[:3] == b"\x05\x00\x03"
        assert part.message[4:6] == bytes((2, number))
        assert len(part.message) <= 140
    assert first.message[3] == second.message[3]
    texts = [part.message[6:].decode("utf-16-be") for part in (first, second)]
    assert texts == ["あ" * 66, "𠮷" + "い" * 30]
    assert [first.registered, second.registered] == [0, 1]


def test_a_long_message_as_payload_is_one_request() -> None:
    result, there = send("あ" * 200, centre.accept("7"), long_messages="message_payload")
    assert result == Accepted("7", 3)
    (sent,) = there.submitted
    assert sent.message == b""
    assert sent.payload.decode("utf-16-be") == "あ" * 200


def test_national_tables_are_named_in_a_header() -> None:
    result, there = send("ação ó", centre.accept("7"), parts="gsm-national")
    assert isinstance(result, Accepted)
    (sent,) = there.submitted
    assert sent.esm_class == 0x40
    assert sent.message[0] == len(sent.message[1:4]) == 3
    assert sent.message[1] in (0x24, 0x25)


def test_domestic_long_messages_with_wide_references() -> None:
    result, there = send("あ" * 71, centre.accept("7"), centre.accept("8"), parts="domestic-660")
    assert result == Accepted("8", 2)
    assert {part.message[:3] for part in there.submitted} == {b"\x06\x08\x04"}


def test_a_number_in_national_form() -> None:
    _, there = send("x", centre.accept("7"), numbers="national")
    assert (there.submitted[0].to, there.submitted[0].ton) == ("09012345678", 2)


def test_throttled_before_the_first_part_is_provably_not_taken() -> None:
    result, _ = send("あ" * 100, centre.respond(0x58))
    assert isinstance(result, Throttled)


def test_throttled_between_parts_waits_and_goes_on() -> None:
    plan = [centre.accept("7"), centre.respond(0x58), centre.respond(0x14), centre.accept("8")]
    result, there = send("あ" * 100, *plan)
    assert result == Accepted("8", 2)
    assert len(there.seen) == 4


@pytest.mark.parametrize("then", [centre.respond(0x45), centre.respond(0x08), centre.reset])
def test_half_a_message_taken_is_unknown_and_never_sent_again(then: Behaviour) -> None:
    result, there = send("あ" * 100, centre.accept("7"), then)
    assert isinstance(result, Unknown)
    assert "1 of 2" in result.detail
    assert len(there.seen) == 2


@pytest.mark.parametrize(
    ("status", "cause", "outcome"),
    [
        (0x0B, Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER),
        (0x01, Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED),
        (0x0A, Cause.OUR_CREDENTIALS, Outcome.OTHER),
        (0x45, Cause.UNKNOWN, Outcome.OTHER),
        (0x0433, Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED),  # the carrier's own, by option
    ],
)
def test_statuses(status: int, cause: Cause, outcome: Outcome) -> None:
    result, _ = send("x", centre.respond(status), statuses={0x0433: Cause.NEVER_THIS_CONTENT})
    assert result == Refused(cause, outcome, f"0x{status:02x}")


def test_no_more_than_the_window_is_out() -> None:
    """The centre answers nothing until as many have come as the window lets through."""

    async def act(provider: Provider, there: Smsc) -> int:
        tasks = [asyncio.create_task(provider.submit(Message(str(n), TO, "x"))) for n in range(5)]
        while len(there.seen) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        out = len(there.seen)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return out

    out, _ = talk(act, *[centre.hang] * 5, window=2)
    assert out == 2


def test_keep_alive_asks_and_gives_up_on_a_dead_line() -> None:
    async def act(provider: Provider, there: Smsc) -> tuple[int, Any, Any]:
        first = await provider.submit(Message("a", TO, "x"))
        while there.enquired < 2:
            await asyncio.sleep(0.01)
        there.answers_enquiries = False
        while not provider._session.closed:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        second = await provider.submit(Message("b", TO, "x"))
        return there.enquired, first, second

    (_, first, second), there = talk(
        act,
        *[centre.accept(str(n)) for n in range(2)],
        enquire_link=0.05,
        connect_timeout=20,
        response_timeout=1,
        total_timeout=30,
    )
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert there.connections == 2


def test_connecting_again_with_growing_pauses() -> None:
    async def act(provider: Provider, there: Smsc) -> tuple[list[Any], Any]:
        refused = [await provider.submit(Message("a", TO, "x")) for _ in range(3)]
        tried = there.connections
        loop = asyncio.get_running_loop()
        clock = loop.time
        loop.time = lambda: clock() + 1.01  # type: ignore[method-assign]
        later = await provider.submit(Message("a", TO, "x"))
        assert tried == 1, "not tried again during the pause"
        return refused, later

    (refused, later), there = talk(
        act, centre.refuse_bind(0x14), centre.accept("7"), longest_backoff=1
    )
    assert isinstance(refused[0], Refused)
    assert all(isinstance(one, Throttled) for one in refused[1:])
    assert later == Accepted("7", 1)
    assert there.connections == 2


def test_encrypted_and_only_with_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    trusted = tmp_path / "ca.pem"
    pem = (tmp_path / "server.pem").read_text()
    trusted.write_text(pem[pem.index("-----BEGIN CERTIFICATE") :])

    def act(provider: Provider, _: Smsc) -> Awaitable[Any]:
        return provider.submit(Message("a", TO, "x"))

    result, _ = talk_tls(act, context, trusted)
    assert result == Accepted("7", 1)
    result, there = talk_tls(act, context, None)
    assert isinstance(result, Throttled)
    assert there.seen == []


def talk_tls(
    act: Callable[[Provider, Smsc], Awaitable[Any]], context: ssl.SSLContext, trusted: Path | None
) -> tuple[Any, Smsc]:
    async def conversation() -> tuple[Any, Smsc]:
        async with smsc(context) as there:
            there.then(centre.accept("7"))
            secure = options(there.origin, tls=True, ca_file=trusted)
            provider = create("smpp", "t", secure)
            try:
                return await act(provider, there), there
            finally:
                await provider.close()

    return asyncio.run(conversation())


@pytest.mark.parametrize(
    ("form", "answered", "reported", "kept"),
    [
        ("same", "ab-1", "ab-1", "ab-1"),
        ("decimal", "3f2a", "16170", "3F2A"),
        ("hexadecimal", "16170", "3F2A", "16170"),
    ],
)
def test_identifiers_that_receipts_write_otherwise(
    form: str, answered: str, reported: str, kept: str
) -> None:
    async def act(provider: Provider, _: Smsc) -> tuple[Any, Any]:
        (found,) = await provider.collect(1, SOON)
        return await provider.submit(Message("a", TO, "x")), found.receipts[0]

    brings = centre.bound_then(centre.delivery(centre.receipt_text(reported, "DELIVRD")))
    (taken, receipt), _ = talk(act, brings, centre.accept(answered), receipt_ids=form)
    assert taken.provider_ref == receipt.provider_ref == kept


def collected(*bodies: bytes) -> Sequence[Any]:
    async def act(provider: Provider, _: Smsc) -> Sequence[Any]:
        return await provider.collect(10, SOON)

    found, _ = talk(act, centre.bound_then(*bodies))
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("word", "outcome", "final"),
    [
        ("DELIVRD", Outcome.DELIVERED, True),
        ("EXPIRED", Outcome.UNREACHABLE, True),
        ("UNDELIV", Outcome.UNDELIVERED, True),
        ("REJECTD", Outcome.BLOCKED, True),
        ("DELETED", Outcome.CANCELED, True),
        ("ACCEPTD", None, False),
        ("UNKNOWN", Outcome.UNKNOWN, False),
        ("XYZ", Outcome.OTHER, False),
    ],
)
def test_receipts_by_their_word(word: str, outcome: Outcome | None, final: bool) -> None:
    (found,) = collected(centre.delivery(centre.receipt_text("7", word)))
    (receipt,) = found.receipts
    assert (receipt.outcome, receipt.final) == (outcome, final)
    assert receipt.raw == {"id": "7", "stat": word, "err": "000"}


def test_a_receipt_by_its_optional_parameters() -> None:
    tlvs = [(0x001E, b"7\0"), (0x0427, b"\x05"), (0x1403, b"vendor")]
    (found,) = collected(centre.delivery(b"", tlvs=tlvs))
    (receipt,) = found.receipts
    assert (receipt.provider_ref, receipt.outcome) == ("7", Outcome.UNDELIVERED)


def test_a_receipt_that_names_nothing_is_acknowledged_away() -> None:
    (found,) = collected(centre.delivery(b"hello"))
    assert (list(found.receipts), found.message) == ([], None)


def test_garbage_from_the_centre_costs_no_other_receipt() -> None:
    """PDUs of no known kind, of lengths that lie within, half texts: refused one by one."""
    text = centre.receipt_text("7", "DELIVRD")
    good = centre.delivery(text)
    bad = [
        good[:9],
        good[:20],
        b"\xff" * 60,
        good[:-30],
        good + b"\x04\x24",
        good + b"\x00\x1d\x00",
    ]

    async def act(provider: Provider, there: Smsc) -> tuple[list[Any], Any]:
        found: list[Any] = []
        while len(there.acknowledged) < 8:  # all are answered
            some = await provider.collect(10, SOON)
            await provider.acknowledge([one.handle for one in some])
            found += some
        there.writers[0].write(centre.pdu(0x77, 0, 5, b"x") + centre.pdu(0x80000077, 0, 6))
        return found, await provider.submit(Message("a", TO, "x"))

    (found, sent), there = talk(act, centre.bound_then(good, *bad, good), centre.accept("8"))
    assert [one.provider_ref for each in found for one in each.receipts] == ["7", "7"]
    assert sent == Accepted("8", 1)
    assert sorted(there.acknowledged) == [0, 0] + [0x08] * 6, "an error: the centre keeps it"
    assert there.connections == 1


@given(st.binary(max_size=90), st.sampled_from([0x03, 0x04, 0x05, 0x09, 0x15, 0x102, 0x103]))
def test_no_octets_of_a_centre_are_more_than_unreadable(body: bytes, command: int) -> None:
    whole = centre.delivery(centre.receipt_text("7", "DELIVRD"))
    for octets in (body, whole[: len(body)] + body + whole[2 * len(body) :]):
        for code in (command, command | centre.RESPONSE):
            try:
                pdu = codec.decode(centre.pdu(code, 0, 1, octets))
            except codec.BadPdu:
                continue
            receipt = meaning.receipt(pdu, "decimal")
            assert receipt is None or receipt.provider_ref.isprintable()
            message = meaning.inbound(pdu)
            assert message is None or message.provider_ref.startswith("mo-")


def test_a_carriers_own_parameters_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    collected(centre.delivery(centre.receipt_text("7", "DELIVRD"), tlvs=[(0x1403, b"vendor")]))
    assert "0x1403" not in caplog.text


def test_messages_from_people() -> None:
    japanese = centre.delivery("停止".encode("utf-16-be"), esm_class=0, coding=8)
    part = centre.delivery(b"\x05\x00\x03\x01\x02\x01STOP", esm_class=0x40)
    first, again, other = collected(japanese, japanese, part)
    assert first.message is not None
    assert (first.message.sender, first.message.body) == ("+819012345678", "停止")
    assert first.message.provider_ref == again.message.provider_ref
    assert other.message.body == "STOP"


def test_times_with_quarters_of_an_hour() -> None:
    assert meaning.instant("261026100000036+") == datetime(2026, 10, 26, 1, 0, tzinfo=UTC)
    assert meaning.instant("261026100000012-") == datetime(2026, 10, 26, 13, 0, tzinfo=UTC)
    for wrong in ("", "0", "261026100000036", "261326100000036+", "000000000000000R"):
        assert meaning.instant(wrong) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "longer-than-eight"}, "password"),
        ({"password": "合言葉"}, "password"),
        ({"system_id": "x" * 16}, "system_id"),
        ({"parts": "none"}, "parts"),
        ({"total_timeout": 5}, "total_timeout"),
        ({"host": ""}, "host"),
    ],
)
def test_options_that_the_protocol_would_cut_off_are_refused(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(BadOptions, match=field) as caught:
        create("smpp", "t", {**OPTIONS, **changes})
    assert PASSWORD not in str(caught.value)
    assert "longer-than-eight" not in str(caught.value)
