"""Lost, doubled and missing messages: RFC 3261's transactions, without a network."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiosipua.message import SipMessage, SipRequest, SipResponse

from providers.sip.dialog import Dialog, cancel_of, respond
from providers.sip.transactions import Address, ServerTransaction, Timers, TransactionLayer

TIMERS = Timers(t1=0.01, t2=0.04)
TRUNK = ("192.0.2.1", 5060)
T = TypeVar("T")


class Wire:
    """What was sent, and what our side is told."""

    def __init__(self) -> None:
        self.sent: list[SipMessage] = []
        self.asked: list[ServerTransaction] = []
        self.layer = TransactionLayer(self._send, self.asked.append, TIMERS)

    def _send(self, message: SipMessage, to: Address) -> None:
        self.sent.append(message)

    def methods(self) -> list[str]:
        return [one.method for one in self.sent if isinstance(one, SipRequest)]

    def codes(self) -> list[int]:
        return [one.status_code for one in self.sent if isinstance(one, SipResponse)]


def dialog() -> Dialog:
    return Dialog("sip:us@a", "sip:them@b", "sip:us@192.0.2.9", ("192.0.2.9", 5060))


class Jump(selectors.DefaultSelector):
    """Time passes where nothing else is to be done, and at once: a busy machine changes nothing."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(0.0, timeout or 0.0)
        return super().select(0)


def in_no_time(doing: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` where time jumps."""
    clock = Jump()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(clock)) as runner:
        runner.get_loop().time = lambda: clock.now  # type: ignore[method-assign]
        return runner.run(doing)


def run(act: Callable[[Wire], object], seconds: float) -> Wire:
    async def inside() -> Wire:
        wire = Wire()
        act(wire)
        await asyncio.sleep(seconds)
        return wire

    return in_no_time(inside())


def test_an_unanswered_invite_goes_out_again_and_is_given_up_once() -> None:
    told: list[SipResponse | None] = []
    wire = run(lambda wire: wire.layer.request(dialog().request("INVITE"), TRUNK, told.append), 0.9)
    assert wire.methods() == ["INVITE"] * 7  # after 1, 3, 7, 15, 31, 63 times T1: RFC 3261
    assert told == [None]
    assert len(wire.layer) == 0


def test_a_sign_of_life_stops_the_repetition_and_the_end_may_come_late() -> None:
    told: list[SipResponse | None] = []

    def act(wire: Wire) -> None:
        invite = dialog().request("INVITE")
        wire.layer.request(invite, TRUNK, told.append)
        wire.layer.receive(respond(invite, 100), TRUNK)

    wire = run(act, 0.8)
    assert wire.methods() == ["INVITE"]
    assert [one.status_code for one in told if one] == [100], "ringing has no end of its own"


def test_a_refusal_is_acknowledged_each_time_and_told_once() -> None:
    told: list[SipResponse | None] = []

    def act(wire: Wire) -> None:
        invite = dialog().request("INVITE")
        wire.layer.request(invite, TRUNK, told.append)
        refusal = respond(invite, 486, tag="them")
        for _ in range(3):
            wire.layer.receive(refusal, TRUNK)

    wire = run(act, 0.05)
    assert wire.methods() == ["INVITE", "ACK", "ACK", "ACK"]
    assert [one.status_code for one in told if one] == [486]
    invite, ack = wire.sent[0], wire.sent[1]
    assert ack.headers.get_first("via") == invite.headers.get_first("via"), "the same branch"
    assert "tag=them" in (ack.headers.get_first("to") or "")


def test_a_lost_bye_goes_out_again_until_it_is_answered() -> None:
    told: list[SipResponse | None] = []

    async def inside() -> Wire:
        wire = Wire()
        bye = dialog().request("BYE")
        wire.layer.request(bye, TRUNK, told.append)
        await asyncio.sleep(0.1)
        wire.layer.receive(respond(bye, 200), TRUNK)
        sent = len(wire.sent)
        assert sent >= 3
        await asyncio.sleep(0.15)
        assert len(wire.sent) == sent
        return wire

    in_no_time(inside())
    assert [one.status_code for one in told if one] == [200]


def test_a_repeated_request_gets_the_same_answer_and_is_told_once() -> None:
    def act(wire: Wire) -> None:
        bye = dialog().request("BYE")
        wire.layer.receive(bye, TRUNK)
        wire.asked[0].answer(respond(bye, 200))
        wire.layer.receive(bye, TRUNK)

    wire = run(act, 0.01)
    assert len(wire.asked) == 1
    assert wire.codes() == [200, 200]


def test_our_answer_to_an_invite_goes_out_again_until_the_ack() -> None:
    async def inside() -> None:
        wire = Wire()
        invite = dialog().request("INVITE")
        wire.layer.receive(invite, TRUNK)
        wire.asked[0].answer(respond(invite, 200, tag="us"))
        await asyncio.sleep(0.06)
        assert wire.codes().count(200) >= 3
        wire.asked[0].acknowledged()
        before = len(wire.sent)
        await asyncio.sleep(0.08)
        assert len(wire.sent) == before
        found = wire.layer.invite_of(cancel_of(invite))
        assert found is wire.asked[0], "a CANCEL names its INVITE by the branch"

    in_no_time(inside())
