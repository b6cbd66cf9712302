"""RFC 3261's transactions over UDP: what is lost is sent again, what comes twice counts once.

The message classes come from ``aiosipua``; its own transaction layer sends nothing again, gives
up on nothing and acknowledges no refusal (docs/decisions/0024-sip-engine.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from aiosipua.headers import CSeq, stringify_cseq
from aiosipua.message import SipMessage, SipRequest, SipResponse

Address: TypeAlias = tuple[str, int]
Send: TypeAlias = Callable[[SipMessage, Address], None]
#: Told each answer once; ``None`` when the far end stayed silent to the end (timer B or F).
OnResponse: TypeAlias = Callable[[SipResponse | None], None]


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261, table 4, in seconds."""

    t1: float = 0.5
    t2: float = 4.0

    @property
    def give_up(self) -> float:
        """Timers B, F, H and J."""
        return 64 * self.t1


def branch_of(message: SipMessage) -> str:
    """The branch of the topmost Via."""
    vias = message.via
    return (vias[0].branch or "") if vias else ""


def method_of(message: SipMessage) -> str:
    """The method a message belongs to, by CSeq."""
    cseq = message.cseq
    return cseq.method.upper() if cseq else ""


class _Again:
    """Sends something again and again, at growing intervals, until stopped."""

    def __init__(self, send: Callable[[], None], first: float, longest: float) -> None:
        self._send = send
        self._wait = first
        self._longest = longest
        self._handle: asyncio.TimerHandle | None = None
        self._plan()

    def _plan(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(self._wait, self._fire)

    def _fire(self) -> None:
        self._send()
        self._wait = min(self._wait * 2, self._longest)
        self._plan()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class ClientTransaction:
    """A request of ours and its answers (RFC 3261, 17.1; RFC 6026)."""

    def __init__(
        self,
        layer: TransactionLayer,
        request: SipRequest,
        to: Address,
        on_response: OnResponse,
    ) -> None:
        self.request = request
        self.to = to
        self.provisional = False
        self.final: SipResponse | None = None
        self._layer = layer
        self._on_response = on_response
        self._invite = request.method == "INVITE"
        timers = layer.timers
        longest = float("inf") if self._invite else timers.t2
        self._again = _Again(self._send, timers.t1, longest)
        loop = asyncio.get_running_loop()
        self._give_up: asyncio.TimerHandle | None = loop.call_later(timers.give_up, self._silent)
        self._send()

    def _send(self) -> None:
        self._layer.send(self.request, self.to)

    def _silent(self) -> None:
        self.close()
        self._on_response(None)

    def receive(self, response: SipResponse) -> None:
        code = response.status_code
        if code < 200:
            self.provisional = True
            if self._invite:  # rings as long as it rings: whoever called limits it
                self._again.stop()
                self._cancel_give_up()
            if self.final is None:
                self._on_response(response)
            return
        first = self.final is None
        self.final = self.final or response
        self._again.stop()
        self._cancel_give_up()
        if self._invite and code >= 300:
            self._layer.send(_ack_of_refusal(self.request, response), self.to)
        if first:
            # stay to absorb repetitions
            asyncio.get_running_loop().call_later(self._layer.timers.give_up, self.close)
        if first or (self._invite and code < 300):  # a repeated 2xx wants its ACK again
            self._on_response(response)

    def _cancel_give_up(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()
            self._give_up = None

    def close(self) -> None:
        self._again.stop()
        self._cancel_give_up()
        self._layer.forget_client(self)


def _ack_of_refusal(invite: SipRequest, response: SipResponse) -> SipRequest:
    """RFC 3261, 17.1.1.3: same branch, same number, the answer's To."""
    ack = SipRequest(method="ACK", uri=invite.uri)
    for name in ("Via", "From", "Call-ID"):
        ack.headers.set_single(name, invite.headers.get_first(name) or "")
    ack.headers.set_single("To", response.headers.get_first("to") or "")
    cseq = invite.cseq
    ack.headers.set_single("CSeq", stringify_cseq(CSeq(cseq.seq if cseq else 1, "ACK")))
    ack.headers.set_single("Max-Forwards", "70")
    for route in invite.headers.get("route"):
        ack.headers.append("Route", route)
    return ack


class ServerTransaction:
    """A request of the far end's and our answers (RFC 3261, 17.2)."""

    def __init__(self, layer: TransactionLayer, request: SipRequest, source: Address) -> None:
        self.request = request
        self.source = source
        self.last: SipResponse | None = None
        self._layer = layer
        self._again: _Again | None = None

    def answer(self, response: SipResponse) -> None:
        """Send an answer; a final one to an INVITE again until its ACK."""
        self.last = response
        self._layer.send(response, self.source)
        if response.status_code < 200:
            return
        timers = self._layer.timers
        loop = asyncio.get_running_loop()
        if self.request.method == "INVITE":
            self.acknowledged()
            self._again = _Again(self._repeat, timers.t1, timers.t2)
            loop.call_later(timers.give_up, self.acknowledged)
        loop.call_later(2 * timers.give_up, self.close)

    def _repeat(self) -> None:
        if self.last is not None:
            self._layer.send(self.last, self.source)

    def repeated(self) -> None:
        """The same request once more: the same answer."""
        self._repeat()

    def acknowledged(self) -> None:
        """The ACK came, or it is too late for it."""
        if self._again is not None:
            self._again.stop()
            self._again = None

    def close(self) -> None:
        self.acknowledged()
        self._layer.forget_server(self)


class TransactionLayer:
    """All transactions of one socket.

    ``send`` puts a message on the wire; ``on_request`` is told each request once, with the
    transaction to answer by (an ACK has none to answer).
    """

    def __init__(
        self,
        send: Send,
        on_request: Callable[[ServerTransaction], None],
        timers: Timers | None = None,
    ) -> None:
        self.send = send
        self.timers = timers or Timers()
        self._on_request = on_request
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str], ServerTransaction] = {}

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def request(
        self, request: SipRequest, to: Address, on_response: OnResponse
    ) -> ClientTransaction:
        """Send a request, again where it is lost, and tell the answers."""
        transaction = ClientTransaction(self, request, to, on_response)
        self._clients[branch_of(request), request.method] = transaction
        return transaction

    def knows(self, request: SipRequest) -> bool:
        """Whether a request belongs to a transaction that there is: its repetition, its ACK."""
        branch = branch_of(request)
        return (branch, request.method) in self._servers or (
            request.method in ("ACK", "CANCEL") and (branch, "INVITE") in self._servers
        )

    def receive(self, message: SipMessage, source: Address) -> None:
        """A message came in."""
        if isinstance(message, SipResponse):
            client = self._clients.get((branch_of(message), method_of(message)))
            if client is not None:
                client.receive(message)
            return
        assert isinstance(message, SipRequest)
        branch = branch_of(message)
        if message.method == "ACK":
            # the ACK of a refusal has the INVITE's branch, that of a 2xx one of its own
            known = self._servers.get((branch, "INVITE"))
            if known is not None:
                known.acknowledged()
            else:
                self._on_request(ServerTransaction(self, message, source))
            return
        key = (branch, message.method)
        known = self._servers.get(key)
        if known is not None:
            known.repeated()
            return
        transaction = self._servers[key] = ServerTransaction(self, message, source)
        self._on_request(transaction)

    def invite_of(self, cancel: SipRequest) -> ServerTransaction | None:
        """The INVITE that a CANCEL takes back: the same branch (RFC 3261, 9.2)."""
        return self._servers.get((branch_of(cancel), "INVITE"))

    def forget_client(self, transaction: ClientTransaction) -> None:
        """Nothing more can come of it."""
        self._clients.pop((branch_of(transaction.request), transaction.request.method), None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """Nothing more can come of it."""
        self._servers.pop((branch_of(transaction.request), transaction.request.method), None)

    def close(self) -> None:
        """Stop all timers."""
        for client in tuple(self._clients.values()):
            client.close()
        for server in tuple(self._servers.values()):
            server.close()
