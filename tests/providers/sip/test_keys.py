"""A resident's key press is heard once: whatever number it comes under, and whatever is lost."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from providers.sip import sdp
from providers.sip.rtp import Pacer, Stream

OURS = sdp.OFFERED_EVENTS
EVENTS = "97 telephone-event/8000"
FIRST, LAST = 0x0A00A0, 0x8A08C0  # volume and duration of an event's packets (RFC 4733, 2.3)

Send = Callable[..., None]


def agreed(port: int, *types: str) -> sdp.Sound:
    """What a far end's answer settles."""
    numbers = " ".join(one.split()[0] for one in types)
    answer = (
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        f"m=audio {port} RTP/AVP 0 {numbers}", *(f"a=rtpmap:{one}" for one in types), "",
    )  # fmt: skip
    return sdp.agreed("\r\n".join(answer), ("PCMU",), offered=True)


def heard(press: Callable[[Send], None]) -> str:
    """The keys that our side understood of what ``press`` sent, a last ``#`` of ours apart."""

    async def listen() -> str:
        keys: list[str] = []
        over = asyncio.Event()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            pacer = Pacer()
            stream = Stream(pacer, "127.0.0.1", [0])
            stream.on_key = lambda key: (keys.append(key), over.set() if key == "#" else None)[1]
            stream.agree(agreed(far.getsockname()[1], EVENTS))

            def send(
                number: int, timestamp: int, kind: int = OURS, source: int = 7, rest: int = FIRST
            ) -> None:
                header = struct.pack("!BBHII", 0x80, kind, 1, timestamp, source)
                far.sendto(header + bytes([number]) + rest.to_bytes(3), ("127.0.0.1", stream.port))

            press(send)
            send(11, 1, source=8)
            async with asyncio.timeout(5):
                await over.wait()
            stream.close()
            pacer.close()
        return "".join(keys[:-1])

    return asyncio.run(listen())


@pytest.mark.parametrize("kind", [97, OURS])
def test_under_the_number_that_was_offered_and_under_the_one_answered(kind: int) -> None:
    """RFC 3264, 6.1: the far end sends with ours; many send with their own."""
    assert heard(lambda send: send(5, 1000, kind)) == "5"


def test_nothing_else_is_a_key() -> None:
    def press(send: Send) -> None:
        send(5, 1000, 98)
        send(16, 3000, 97)  # a hook flash

    assert heard(press) == ""
    assert agreed(9, EVENTS).events == (97, OURS)
    assert agreed(9, EVENTS, f"{OURS} opus/48000/2").events == (97,), "it is their codec's"
    assert agreed(9, "8 PCMA/8000").events == (), "they send none"


def test_every_packet_of_a_press_but_one_may_be_lost_and_all_may_come() -> None:
    assert heard(lambda send: [send(1, 1000, rest=LAST) for _ in range(3)][-1]) == "1"

    def all_of_them(send: Send) -> None:
        for rest in (FIRST, FIRST + 160, LAST, LAST, LAST):
            send(1, 1000, rest=rest)

    assert heard(all_of_them) == "1"


def test_a_late_packet_of_an_earlier_press_presses_nothing() -> None:
    def press(send: Send) -> None:
        send(1, 1000)
        send(2, 5000)
        send(1, 1000, rest=LAST)
        send(2, 5000, rest=LAST)

    assert heard(press) == "12"


def test_the_same_key_twice_and_a_clock_that_runs_over() -> None:
    def press(send: Send) -> None:
        send(1, 0xFFFFF000)
        send(1, 0x00000100)

    assert heard(press) == "11"


def test_a_new_sender_begins_its_clock_anew() -> None:
    """After a transfer within the trunk: another telephone, another source."""

    def press(send: Send) -> None:
        send(1, 5000, source=1)
        send(2, 5000, source=2)
        send(3, 100, source=3)

    assert heard(press) == "123"
