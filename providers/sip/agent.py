"""Our end of the trunk: one UDP socket, registration, whether the trunk is there."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

from aiosipua.auth import SipDigestAuth
from aiosipua.message import SipMessage, SipRequest, SipResponse, missing_required_headers

from providers.sip.dialog import Dialog, authorise, incoming, respond, sip_uri
from providers.sip.leg import Leg
from providers.sip.options import SipOptions
from providers.sip.rtp import NoPortLeft, Pacer, Stream
from providers.sip.transactions import Address, ServerTransaction, Timers, TransactionLayer

log = logging.getLogger(__name__)

REGISTER_SECONDS = 300
LONGEST_REGISTRATION_SECONDS = 3600
_EXPIRES = re.compile(r";\s*expires\s*=\s*([0-9]{1,9})", re.IGNORECASE)
#: A trunk that was silent is asked again this soon.
RETRY_SECONDS = 5.0
#: A registrar that does not answer our leave forgets us by itself, a little later.
LEAVE_SECONDS = 2.0


class UserAgent:
    """SIP over UDP with one trunk. ``on_incoming`` is told each call that the trunk brings."""

    def __init__(
        self, options: SipOptions, on_incoming: Callable[[Leg, SipRequest], None] | None = None
    ) -> None:
        self.options = options
        self.pacer = Pacer()
        self.transactions = TransactionLayer(
            self.send, self._on_request, Timers(options.t1_seconds)
        )
        self.trunk: Address = ("", 0)
        self.media_address = ""
        self._silent: str | None = None
        self._unregistered: str | None = None
        password = options.password
        self.credentials = (
            SipDigestAuth(options.user, password.get_secret_value())
            if options.user is not None and password is not None
            else None
        )
        self._on_incoming = on_incoming
        self._transport: asyncio.DatagramTransport | None = None
        self._legs: dict[str, Leg] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._port = 0
        self._registration: Dialog | None = None
        """Within which the registrar was asked to know us; ``None``: never."""

    async def open(self) -> None:
        """Bind the socket and begin to watch the trunk. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        options = self.options
        self.trunk = await self._resolve()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(options.local_address, options.local_port)
        )
        host, self._port = self._transport.get_extra_info("sockname")[:2]
        if host in ("0.0.0.0", "::"):
            host = _own_address(self.trunk)
        self.media_address = options.public_address or host
        if options.register_with_trunk:
            self._tasks.append(asyncio.create_task(self._stay_registered()))
        if options.keepalive_seconds:
            self._tasks.append(asyncio.create_task(self._watch()))

    async def _resolve(self) -> Address:
        options = self.options
        found = await asyncio.get_running_loop().getaddrinfo(
            options.trunk_host, options.trunk_port, type=socket.SOCK_DGRAM
        )
        host, port = found[0][4][:2]
        return str(host), int(port)

    @property
    def fault(self) -> str | None:
        """Why the trunk cannot be used at the moment; ``None``: nothing is known against it."""
        return self._unregistered or self._silent

    @property
    def address(self) -> Address:
        """Our own, as the trunk sees it."""
        return self.media_address, self._port

    @property
    def calls(self) -> int:
        """How many there are at the moment."""
        return len(self._legs)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The calls of the moment."""
        return tuple(self._legs.values())

    def send(self, message: SipMessage, to: Address) -> None:
        """Put a message on the wire."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(bytes(message), to)

    def outgoing(self, number: str) -> Leg:
        """A call to a number, written as the trunk wants it; not dialled yet.

        Raises :class:`providers.sip.rtp.NoPortLeft`.
        """
        options = self.options
        domain = options.sip_domain
        dialog = Dialog(
            local_uri=sip_uri(options.caller, domain),
            remote_uri=sip_uri(number, domain),
            contact=self._contact(),
            via=self.address,
        )
        # the Request-URI names the domain; the packets go to the trunk
        return Leg(self, dialog, self.stream())

    def stream(self) -> Stream:
        """A port for sound."""
        return Stream(self.pacer, self.options.local_address, self._rtp_ports())

    def _rtp_ports(self) -> Iterator[int]:
        """Even ports (RFC 3550, 11), from a place of chance: one just closed rests a while."""
        first, last = self.options.rtp_ports
        evens = range(first + first % 2, last + 1, 2)
        start = random.randrange(len(evens))
        yield from evens[start:]
        yield from evens[:start]

    def _contact(self) -> str:
        return sip_uri(self.options.user or self.options.caller, *self.address)

    def add(self, leg: Leg) -> None:
        """A leg's requests find it by its Call-ID."""
        self._legs[leg.dialog.call_id] = leg

    def remove(self, leg: Leg) -> None:
        """It is over."""
        self._legs.pop(leg.dialog.call_id, None)

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram came in."""
        if len(data) < 8 or not data.strip():
            return  # a keep-alive of the far end's
        try:
            message = SipMessage.parse(data)
            if isinstance(message, SipRequest):
                if missing_required_headers(message):
                    return
                if self._is_a_strangers(message, source):
                    self._turn_away(message, source)
                    return
            self.transactions.receive(message, source)
        except (ValueError, IndexError, KeyError):
            log.warning("sip.unreadable bytes=%d", len(data))

    def _is_a_strangers(self, request: SipRequest, source: Address) -> bool:
        """Neither from the trunk nor of a call that there is."""
        return (
            source[0] != self.trunk[0]
            and request.call_id not in self._legs
            and not self.transactions.knows(request)
        )

    def _turn_away(self, request: SipRequest, source: Address) -> None:
        """One answer and nothing kept (RFC 3261, 8.2.7): whoever scans the network for open
        exchanges learns nothing, fills no memory, and cannot have us write to somebody else
        again and again."""
        if request.method != "ACK":
            code = {"OPTIONS": 200, "INVITE": 403}.get(request.method, 481)
            self.send(respond(request, code, tag="refused"), source)

    def _on_request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if request.method == "CANCEL":
            invite = self.transactions.invite_of(request)
            leg = self._legs.get(request.call_id or "") if invite is not None else None
            if leg is not None:
                leg.on_request(transaction)
            else:
                transaction.answer(respond(request, 481))
            return
        leg = self._legs.get(request.call_id or "")
        if leg is not None:
            if leg.dialog.matches(request):
                leg.on_request(transaction)
            elif request.method != "ACK":
                transaction.answer(respond(request, 481))
        elif request.method == "OPTIONS":
            transaction.answer(respond(request, 200, tag="options"))
        elif request.method == "INVITE":
            self._new_call(transaction)
        elif request.method not in ("ACK", "NOTIFY"):
            transaction.answer(respond(request, 481))
        elif request.method == "NOTIFY":
            transaction.answer(respond(request, 200, tag="notify"))

    def _new_call(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if self._on_incoming is None:
            transaction.answer(respond(request, 403, tag="refused"))
            return
        if self.calls >= self.options.calls_at_once:
            transaction.answer(respond(request, 486, tag="refused"))
            return
        try:
            leg = Leg(self, incoming(request, self._contact(), self.address), self.stream())
        except NoPortLeft:
            transaction.answer(respond(request, 503, tag="refused"))
            return
        leg.offered(transaction)
        self._on_incoming(leg, request)

    # the trunk's health

    async def _ask(self, dialog: Dialog, request: SipRequest) -> SipResponse | None:
        """One request outside any call; its final answer, after a challenge where there is one."""
        for again in (False, True):
            done: asyncio.Future[SipResponse | None] = asyncio.get_running_loop().create_future()

            def on_response(
                response: SipResponse | None,
                done: asyncio.Future[SipResponse | None] = done,
            ) -> None:
                if not done.done() and (response is None or response.status_code >= 200):
                    done.set_result(response)

            self.transactions.request(request, self.trunk, on_response)
            response = await done
            if response is None or response.status_code not in (401, 407) or again:
                return response
            repeated = dialog.request(request.method)
            for name in ("Expires", "Contact"):
                if value := request.headers.get_first(name):
                    repeated.headers.set_single(name, value)
            if not authorise(repeated, response, self.credentials):
                return response
            request = repeated
        return None

    def _own_dialog(self) -> Dialog:
        options = self.options
        name = options.user or options.caller
        ours = sip_uri(name, options.sip_domain)
        dialog = Dialog(ours, ours, self._contact(), self.address)
        dialog.remote_target = sip_uri("", options.sip_domain)
        return dialog

    async def _watch(self) -> None:
        """OPTIONS: any answer, even a refusal, shows that the trunk is there."""
        while True:
            dialog = self._own_dialog()
            response = await self._ask(dialog, dialog.request("OPTIONS"))
            if response is None:
                self.silent()
                with suppress(OSError):
                    self.trunk = await self._resolve()
            elif self._silent is not None:
                self._silent = None
                log.warning("trunk.back")
            wait = self.options.keepalive_seconds if self._silent is None else RETRY_SECONDS
            await asyncio.sleep(min(wait, self.options.keepalive_seconds))

    def silent(self) -> None:
        """The trunk did not answer at all: nothing more is dialled until it does."""
        if self._silent is None:
            log.error("trunk.silent")
        self._silent = "the trunk does not answer"
        if not self.options.keepalive_seconds:  # nobody asks it: try again after a while
            asyncio.get_running_loop().call_later(60, self._forgive)

    def _forgive(self) -> None:
        self._silent = None

    async def _stay_registered(self) -> None:
        dialog = self._registration = self._own_dialog()
        wanted = REGISTER_SECONDS
        while True:
            response = await self._register(dialog, wanted)
            code = response.status_code if response is not None else 0
            if response is not None and 200 <= code < 300:
                if self._unregistered is not None:
                    log.warning("trunk.registered")
                self._unregistered = None
                await asyncio.sleep(_granted(response, dialog.contact, wanted) * 0.8)
                continue
            least = response.headers.get_first("Min-Expires") if response is not None else None
            if code == 423 and wanted < (asked := _seconds(least, wanted)):
                wanted = asked  # RFC 3261, 10.2.8
                continue
            self._unregistered = f"registration: {code or 'no answer'}"
            log.error("trunk.unregistered code=%d", code)
            await asyncio.sleep(RETRY_SECONDS if code not in (401, 403, 407) else 60)

    async def _register(self, dialog: Dialog, seconds: int) -> SipResponse | None:
        """Ask to be known for so long; 0: no longer (RFC 3261, 10.2.2)."""
        request = dialog.request("REGISTER")
        request.headers.set_single("Expires", str(seconds))
        return await self._ask(dialog, request)

    async def close(self) -> None:
        """End all calls, take leave of the registrar, let go of the socket."""
        for task in self._tasks:
            task.cancel()
        for leg in list(self._legs.values()):
            leg.hang_up()
        await asyncio.sleep(0)  # the BYEs leave
        if self._registration is not None:  # or callers would ring here, where nobody is
            with suppress(TimeoutError):
                await asyncio.wait_for(self._register(self._registration, 0), LEAVE_SECONDS)
        self.transactions.close()
        self.pacer.close()
        if self._transport is not None:
            self._transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._agent.receive(data, (str(addr[0]), int(addr[1])))


def _granted(response: SipResponse, contact: str, wanted: int) -> int:
    """For how many seconds the registrar keeps our address: it may grant less than was wanted."""
    for header in response.headers.get("contact"):
        for binding in header.split(","):
            found = _EXPIRES.search(binding)
            if contact in binding and found:
                return _seconds(found[1], wanted)
    return _seconds(response.headers.get_first("Expires"), wanted)


def _seconds(told: str | None, otherwise: int) -> int:
    """A length of time as a registrar tells it: a second at least, an hour at most, since to ask
    again too early does no harm."""
    if told is None or not (told.isascii() and told.isdecimal()):
        return otherwise
    return min(max(1, int(told[:9])), LONGEST_REGISTRATION_SECONDS)


def _own_address(trunk: Address) -> str:
    """The address of ours that packets to the trunk come from; nothing is sent."""
    family = socket.AF_INET6 if ":" in trunk[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(trunk)
        return str(probe.getsockname()[0])
