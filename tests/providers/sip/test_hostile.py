"""Messages that no honest trunk sends, and strangers: no call but their own suffers by them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from aiosipua.message import SipMessage, SipRequest

from providers.instructions import HangUp, Transfer
from providers.sip import instructions as wording
from providers.sip.adapter import SipProvider
from providers.sip.agent import LONGEST_REGISTRATION_SECONDS, UserAgent, _granted, _seconds
from providers.sip.conversation import MOST_KEYS
from providers.sip.dialog import respond
from providers.sip.door import Door
from providers.sip.leg import Leg
from providers.sip.media import Order
from tests.providers.sip.service import (
    SECRET,
    TO,
    free_port,
    media_process,
    options,
    service,
    serving,
)

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
HOME, STRANGER = "127.0.0.1", "127.0.0.2"


def message(first: str, headers: dict[str, str], body: str | bytes = "") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def asked(method: str, branch: str, call: str = "c1", **more: str) -> bytes:
    """A request of the far end's."""
    headers = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{branch}",
        "From": "<sip:09012345678@h>;tag=a",
        "To": "<sip:0354321111@h>",
        "Call-ID": call,
        "CSeq": f"1 {method}",
        "Contact": "<sip:x@127.0.0.1:5070>",
        "Content-Type": "application/sdp",
    }
    return message(f"{method} sip:0354321111@127.0.0.1 SIP/2.0", {**headers, **more}, SDP)


def answered(request: SipRequest, code: int = 200, body: str = SDP, **more: str) -> bytes:
    """The far end's answer to a request of ours."""
    headers = {
        name: request.headers.get_first(name) or "" for name in ("via", "from", "call-id", "cseq")
    }
    headers["To"] = f"{request.headers.get_first('to')};tag=far"
    headers["Contact"] = "<sip:x@127.0.0.1:5070>"
    return message(f"SIP/2.0 {code} X", {**headers, **more}, body)


@dataclass
class Trunk(asyncio.DatagramProtocol):
    """A socket that answers an INVITE as the test says, and everything else with 200."""

    says: list[Callable[[SipRequest], bytes]] = field(default_factory=list)
    asked: list[SipRequest] = field(default_factory=list)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str | int, ...]) -> None:
        request = SipMessage.parse(data)
        if not isinstance(request, SipRequest):
            return
        self.asked.append(request)
        assert self._transport is not None
        if request.method == "INVITE":
            self._transport.sendto(self.says.pop(0)(request), source)
        elif request.method != "ACK":
            self._transport.sendto(bytes(respond(request, 200)), source)


@asynccontextmanager
async def trunk(port: int, *says: Callable[[SipRequest], bytes]) -> AsyncIterator[Trunk]:
    transport, there = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Trunk(list(says)), local_addr=(HOME, port)
    )
    try:
        yield there
    finally:
        transport.close()


@asynccontextmanager
async def agent(
    folder: Path, incoming: Callable[[Leg, SipRequest], None] | None = None
) -> AsyncIterator[tuple[UserAgent, list[SipMessage]]]:
    """Our end alone, with what it sends."""
    found = UserAgent(options(folder, 9), incoming)
    await found.open()
    sent: list[SipMessage] = []
    found.transactions.send = lambda message, _: sent.append(message)
    found.send = lambda message, _: sent.append(message)  # type: ignore[method-assign]
    try:
        yield found, sent
    finally:
        await found.close()


@pytest.mark.parametrize(
    "contact",
    ["sip:x@127.0.0.1:99999", "sip:x@127.0.0.1:-1", "sip:x@999.1.1.1", "sip:x@[::1]:5060", ""],
)
def test_an_address_that_is_none_ends_no_other_call(tmp_path: Path, contact: str) -> None:
    """A port that there is not would make the system close the socket that all calls share."""

    async def conversation() -> None:
        port = free_port()
        odd = {"Contact": f"<{contact}>"}
        says = (lambda invite: answered(invite, **odd), answered)
        chosen = options(tmp_path, port)
        async with trunk(port, *says) as there, service() as at, media_process(chosen) as media:
            at.says["/start"] = lambda _: [HangUp()]
            for reference in ("odd", "honest"):
                order = Order(reference, TO, at.url("/start"), at.url("/receipts"), 20)
                told = await media.place(order)
                assert told.status == 201
                report = await at.report(str(told.document["ref"]))
                assert report["CallStatus"] == "completed"
        assert [one.method for one in there.asked].count("INVITE") == 2
        assert "BYE" in [one.method for one in there.asked]

    asyncio.run(conversation())


@pytest.mark.parametrize("host", ["media.example", "localhost", "127.0.0.1\x00", "1.2.3"])
def test_sound_goes_to_addresses_and_not_to_names(tmp_path: Path, host: str) -> None:
    """A name would be looked up for each packet, and all calls would wait for it."""

    async def conversation() -> None:
        async with agent(tmp_path) as (ours, sent):
            leg = ours.outgoing("09012345678")
            leg.dial(20)
            invite = sent[0]
            assert isinstance(invite, SipRequest)
            ours.receive(
                answered(invite, body=SDP.replace("IP4 127.0.0.1\r\nt", f"IP4 {host}\r\nt")),
                (HOME, 9),
            )
            ending = await asyncio.wait_for(leg.answered, 5)
            assert ending is not None
            assert ending.code == 488
            assert leg.stream.sound is None
            methods = [one.method for one in sent if isinstance(one, SipRequest)]
            assert methods == ["INVITE", "ACK", "BYE"], "it is told, and not left open"

    asyncio.run(conversation())


def test_strangers_are_turned_away_once_and_nothing_is_kept(tmp_path: Path) -> None:
    async def conversation() -> None:
        rang: list[Leg] = []

        def rings(leg: Leg, _: SipRequest) -> None:
            rang.append(leg)

        async with agent(tmp_path, rings) as (ours, sent):
            for number in range(50):
                for method in ("INVITE", "OPTIONS", "BYE", "CANCEL", "ACK", "NOTIFY", "X"):
                    ours.receive(asked(method, f"{method}{number}", f"c{number}"), (STRANGER, 9))
            assert len(ours.transactions) == 0
            assert ours.calls == 0
            assert len(sent) == 50 * 6, "an ACK has no answer"
            codes = {one.status_code for one in sent if not isinstance(one, SipRequest)}  # type: ignore[attr-defined]
            assert codes == {200, 403, 481}
            ours.receive(asked("INVITE", "home"), (HOME, 9))
            assert (len(rang), ours.calls) == (1, 1)
            # within a call that there is, another machine of the trunk's may speak
            tag = rang[0].dialog.local_tag
            bye = asked("BYE", "bye", To=f"<sip:0354321111@h>;tag={tag}")
            ours.receive(bye, (STRANGER, 9))
            ours.receive(bye, (STRANGER, 9))
            assert rang[0].ended.is_set()
            assert [one.status_code for one in sent[-2:]] == [200, 200]  # type: ignore[attr-defined]

    asyncio.run(conversation())


def test_changed_octets_are_never_more_than_unreadable(tmp_path: Path) -> None:
    """Datagrams with a few octets changed, from a seed: nothing raises."""

    async def conversation() -> None:
        dice = random.Random(8)
        async with agent(tmp_path, lambda leg, _: None) as (ours, sent):
            for number in range(1000):
                if dice.random() < 0.5:
                    method = dice.choice(["INVITE", "BYE", "CANCEL", "ACK", "INFO", "NOTIFY"])
                    data = bytearray(asked(method, str(number), f"c{dice.randrange(9)}"))
                else:
                    leg = ours.outgoing("09012345678")
                    leg.dial(20)
                    (invite,) = [one for one in sent[-1:] if isinstance(one, SipRequest)]
                    code = dice.choice([100, 183, 200, 200, 302, 401, 407, 486, 503])
                    data = bytearray(answered(invite, code))
                for _ in range(dice.randrange(5)):
                    place = dice.randrange(len(data))
                    data[place : place + dice.randrange(3)] = dice.choice(
                        [b"\xff", b"\r\n", b"<", b";", b"99999999999", b":", b"\x00", b"[", b""]
                    )
                ours.receive(bytes(data), (HOME, 9))
                for leg in ours.legs[:-8]:
                    leg.hang_up()
                    leg._over()

    asyncio.run(conversation())


@pytest.mark.parametrize("told", ["9" * 5000, "9" * 400, "0", "-1", "٣", "x", "", None])
def test_how_long_a_registration_holds_is_never_believed_beyond_an_hour(told: str | None) -> None:
    assert 1 <= _seconds(told, 300) <= LONGEST_REGISTRATION_SECONDS
    invite = SipMessage.parse(asked("REGISTER", "1"))
    assert isinstance(invite, SipRequest)
    for name in ("Expires", "Contact"):
        value = f"<sip:us@h>;expires={told}" if name == "Contact" else told or ""
        answer = SipMessage.parse(answered(invite, 200, "", **{name: value}))
        assert 1 <= _granted(cast(Any, answer), "sip:us@h", 300) <= LONGEST_REGISTRATION_SECONDS


@pytest.mark.parametrize(
    "number", ["+81901234567 8", "+819012345678\r\nX: y", "09012345678", "+81>;tag=1", "", None, 7]
)
def test_what_is_no_number_gets_into_no_message(tmp_path: Path, number: object) -> None:
    with pytest.raises(wording.BadInstructions):
        wording.parse(json.dumps([{"transfer": {"to": number, "after_url": None}}]))
    assert wording.parse(wording.render([Transfer(TO)])) == [Transfer(TO)]

    async def conversation() -> None:
        async with media_process(options(tmp_path, 9)) as media, serving(Door(media)) as port:
            at = SipProvider("line", options(tmp_path, 9, media_url=f"http://127.0.0.1:{port}"))
            order = {"reference": "a", "to": number, "instructions_url": "u", "ring_seconds": 9}
            reply = await at._ask("/calls", order)
            assert reply.status == 400
            assert media.journal.find_reference("a") is None
            assert media.agent.calls == 0
            await at.close()

    asyncio.run(conversation())


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "{}", "[1]", '["say"]', '[{"say": 1}]', '[{"a": 1, "b": 2}]', "\ud800"]
)
def test_instructions_that_are_none(body: str) -> None:
    with pytest.raises(wording.BadInstructions):
        wording.parse(body)


def test_a_flood_of_keys_fills_no_memory(tmp_path: Path) -> None:
    from providers.sip.conversation import Conversation
    from providers.sip.sounds import Sounds

    async def conversation() -> None:
        async with agent(tmp_path) as (ours, sent):
            leg = ours.outgoing("09012345678")
            leg.dial(20)
            invite = sent[0]
            assert isinstance(invite, SipRequest)
            ours.receive(answered(invite), (HOME, 9))
            talk = Conversation(leg, ours, cast(Sounds, None), cast(Any, None))
            assert leg.stream.on_key is not None
            for _ in range(10_000):
                leg.stream.on_key("1")
            assert talk._keys.qsize() == MOST_KEYS

    asyncio.run(conversation())


def test_who_lacks_the_secret_places_nothing(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with media_process(options(tmp_path, 9)) as media, serving(Door(media)) as port:
            chosen = options(tmp_path, 9, media_url=f"http://127.0.0.1:{port}", secret="x" * 16)
            at = SipProvider("line", chosen)
            order = {"reference": "a", "to": TO, "instructions_url": "u", "ring_seconds": 9}
            assert (await at._ask("/calls", order)).status == 401
            assert media.journal.find_reference("a") is None
            assert SECRET not in repr(at)
            await at.close()

    asyncio.run(conversation())
