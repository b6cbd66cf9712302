"""One call between us and the trunk: from INVITE to BYE, with its sound."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from aiosipua.message import SipRequest, SipResponse

from providers.sip import sdp
from providers.sip.dialog import Dialog, authorise, cancel_of, respond
from providers.sip.outcomes import Ending, q850
from providers.sip.rtp import Stream
from providers.sip.transactions import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from providers.sip.agent import UserAgent

_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9*#A-D])\s*$", re.MULTILINE)
_FRAGMENT = re.compile(r"^SIP/2\.0 ([0-9]{3})")
#: Beyond any challenge with a stale nonce, a trunk that still asks does not know us.
_MOST_CHALLENGES = 2


class Leg:
    """A call, outgoing (:meth:`dial`) or incoming (:meth:`accept`).

    ``taken`` resolves when the far end gave its first sign: ``None``, or how it ended at once.
    ``answered`` resolves with ``None`` when somebody picked up, or with how it ended instead.
    ``ended`` is set when the call is over, whoever ended it.
    """

    def __init__(self, agent: UserAgent, dialog: Dialog, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        self.dialog = dialog
        self.stream = stream
        self.taken: asyncio.Future[Ending | None] = loop.create_future()
        self.answered: asyncio.Future[Ending | None] = loop.create_future()
        self.ended = asyncio.Event()
        self.rang = False
        self.refused_at_once = False
        """It ended before any sign of life: the trunk itself turned it away."""
        self.ended_by_us = False
        self.cause: int | None = None
        """Q.850 cause of the end, where the far end's BYE gave one."""
        self.on_end: Callable[[], None] = lambda: None
        self._agent = agent
        self._invite: SipRequest | None = None
        self._transaction: ClientTransaction | None = None
        self._incoming: ServerTransaction | None = None
        self._challenges = 0
        self._canceled = False
        self._established = False
        self._ring_timer: asyncio.TimerHandle | None = None
        self._transferred: asyncio.Future[int] | None = None
        self._versions = 0
        agent.add(self)

    # outgoing

    def dial(self, ring_timeout: float) -> None:
        """Call the dialog's far end; give up when nobody has answered in ``ring_timeout`` s."""
        loop = asyncio.get_running_loop()
        self._ring_timer = loop.call_later(ring_timeout, self.cancel)
        self._send_invite(self.dialog.request("INVITE", self._offer(), sdp.CONTENT_TYPE))

    def _offer(self) -> str:
        self._versions += 1
        options = self._agent.options
        return sdp.offer(
            self._agent.media_address, self.stream.port, options.codecs, self._versions
        )

    def _send_invite(self, invite: SipRequest) -> None:
        self._invite = invite
        self._transaction = self._agent.transactions.request(
            invite, self._agent.trunk, self._on_invite
        )

    def _on_invite(self, response: SipResponse | None) -> None:
        if response is None:
            self._fail(Ending(0))
            return
        code = response.status_code
        if code == 100:
            self._sign(None)
            self._cancel_if_wanted()
        elif code < 200:
            self._sign(None)
            self.rang = True
            self._listen_early(response)
            self._cancel_if_wanted()
        elif code < 300:
            self._on_answer(response)
        elif code in (401, 407) and self._challenged(response):
            pass
        else:
            reasons = response.headers.get("reason")
            retry = response.headers.get_first("retry-after") or ""
            seconds = re.match(r"[0-9]{1,5}", retry)
            self._fail(Ending(code, q850(reasons), int(seconds[0]) if seconds else None))

    def _challenged(self, response: SipResponse) -> bool:
        self._challenges += 1
        if self._challenges > _MOST_CHALLENGES or self._canceled:
            return False
        again = self.dialog.request("INVITE", self._offer(), sdp.CONTENT_TYPE)
        if not authorise(again, response, self._agent.credentials):
            return False
        self._send_invite(again)
        return True

    def _listen_early(self, response: SipResponse) -> None:
        """Ringing tones and announcements before anybody answered: packets flow, we say nothing."""
        if response.body and self.stream.sound is None:
            with suppress(sdp.NoCommonSound):
                self._agree(response.text)

    def _agree(self, answer: str) -> None:
        self.stream.agree(sdp.agreed(answer, self._agent.options.codecs, offered=True))

    def _on_answer(self, response: SipResponse) -> None:
        to = response.to_addr
        tag = (to.tag if to else None) or ""
        if self._established and tag != self.dialog.remote_tag:
            return  # a second telephone picked up as well: its trunk gives it up without an ACK
        first = not self._established
        self._established = True
        self.dialog.learn(response)
        cseq = response.cseq
        sequence, self.dialog.sequence = self.dialog.sequence, cseq.seq if cseq else 1
        ack = self.dialog.request("ACK")
        for name in ("Authorization", "Proxy-Authorization"):  # RFC 3261, 22.1
            if self._invite is not None and (value := self._invite.headers.get_first(name)):
                ack.headers.set_single(name, value)
        self._agent.send(ack, self.dialog.next_hop(self._agent.trunk))
        self.dialog.sequence = max(sequence, self.dialog.sequence)
        if not first:
            return
        self._stop_ring_timer()
        try:
            if response.body:
                self._agree(response.text)
            elif self.stream.sound is None:
                raise sdp.NoCommonSound("an answer without a description")
        except sdp.NoCommonSound:
            self._sign(None)
            self._settle(Ending(488))
            self.hang_up()
            return
        self._sign(None)
        self._settle(None)

    def cancel(self) -> None:
        """Stop ringing. Whoever picks up in the same moment is still talked to."""
        self._canceled = True
        self._stop_ring_timer()
        self._cancel_if_wanted()

    def _cancel_if_wanted(self) -> None:
        transaction, invite = self._transaction, self._invite
        if not self._canceled or transaction is None or invite is None:
            return
        if self.answered.done() or not transaction.provisional:
            return  # before the first sign no CANCEL may be sent (RFC 3261, 9.1)
        self._canceled = False
        self._agent.transactions.request(cancel_of(invite), self._agent.trunk, lambda _: None)
        loop = asyncio.get_running_loop()
        # a far end that forgets its 487 must not keep the call open for ever
        loop.call_later(self._agent.transactions.timers.give_up, self._fail, Ending(487))

    def _sign(self, ending: Ending | None) -> None:
        if not self.taken.done():
            self.taken.set_result(ending)

    def _settle(self, ending: Ending | None) -> None:
        if not self.answered.done():
            self.answered.set_result(ending)

    def _fail(self, ending: Ending) -> None:
        if self.answered.done():
            return
        self._stop_ring_timer()
        self.refused_at_once = not self.taken.done()
        self._sign(ending)
        self._settle(ending)
        self._over()

    def _stop_ring_timer(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
            self._ring_timer = None

    # incoming

    def offered(self, transaction: ServerTransaction) -> None:
        """An INVITE for us came: it rings."""
        self._incoming = transaction
        self._respond(transaction, 180)

    def accept(self) -> bool:
        """Answer an incoming call. ``False``: it is over, or we have no common codec."""
        transaction = self._incoming
        if transaction is None or self.ended.is_set():
            return False
        self._versions += 1
        options = self._agent.options
        request = transaction.request
        theirs = request.text if request.body else ""
        try:
            ours, sound = sdp.answer(
                theirs, self._agent.media_address, self.stream.port, options.codecs, self._versions
            )
        except sdp.NoCommonSound:
            self.refuse(488)
            return False
        self._established = True
        self.stream.agree(sound)
        self._respond(transaction, 200, ours)
        self._settle(None)
        return True

    def refuse(self, code: int) -> None:
        """Do not take an incoming call."""
        if self._incoming is not None and not self._established:
            self._respond(self._incoming, code)
        self._fail(Ending(code))

    def _respond(self, transaction: ServerTransaction, code: int, body: str = "") -> None:
        transaction.answer(
            respond(
                transaction.request,
                code,
                tag=self.dialog.local_tag,
                contact=self.dialog.contact,
                body=body,
            )
        )

    # both

    def on_request(self, transaction: ServerTransaction) -> None:
        """A request of the far end's within this call."""
        request = transaction.request
        match request.method:
            case "ACK":
                if self._incoming is not None:
                    self._incoming.acknowledged()
            case "CANCEL":
                self._respond(transaction, 200)
                if self._incoming is not None and not self._established:
                    self.refuse(487)
            case "BYE":
                self.cause = q850(request.headers.get("reason"))
                self._respond(transaction, 200)
                self._over()
            case "INVITE" | "UPDATE":
                self._renegotiate(transaction)
            case "INFO":
                found = _SIGNAL.search(request.text)
                self._respond(transaction, 200)
                if found and self.stream.on_key is not None:
                    self.stream.on_key(found[1])
            case "NOTIFY":
                self._respond(transaction, 200)
                self._on_notify(request)
            case "OPTIONS":
                self._respond(transaction, 200)
            case _:
                self._respond(transaction, 405)

    def _renegotiate(self, transaction: ServerTransaction) -> None:
        """The far end refreshes the call, holds it, or moves its sound elsewhere."""
        request = transaction.request
        self.dialog.retarget(request)
        self._versions += 1
        if not request.body:  # it wants our offer; what it answers comes with its ACK
            body = self._offer() if request.method == "INVITE" else ""
            self._respond(transaction, 200, body)
            return
        options = self._agent.options
        try:
            ours, sound = sdp.answer(
                request.text, self._agent.media_address, self.stream.port, options.codecs,
                self._versions,
            )  # fmt: skip
        except sdp.NoCommonSound:
            self._respond(transaction, 488)
            return
        self.stream.agree(sound)
        self._respond(transaction, 200, ours)

    def hang_up(self) -> None:
        """End the call, whatever its state."""
        if self.ended.is_set():
            return
        if not self._established:
            if self._incoming is not None:
                self.refuse(486)
            else:
                self.cancel()
            return
        self.ended_by_us = True
        self._send_bye(None)
        self._over()

    def _send_bye(self, challenge: SipResponse | None) -> None:
        bye = self.dialog.request("BYE")
        bye.headers.set_single("Reason", 'Q.850;cause=16;text="Normal call clearing"')
        if challenge is not None and not authorise(bye, challenge, self._agent.credentials):
            return

        def on_response(response: SipResponse | None) -> None:
            asked = response is not None and response.status_code in (401, 407)
            if asked and challenge is None:
                self._send_bye(response)

        hop = self.dialog.next_hop(self._agent.trunk)
        self._agent.transactions.request(bye, hop, on_response)

    async def refer(self, uri: str, seconds: float) -> int:
        """Ask the far end to call ``uri`` instead of us (RFC 3515).

        Returns the SIP code it reports of that call; 0 when it said nothing in time.
        """
        loop = asyncio.get_running_loop()
        self._transferred = loop.create_future()
        refer = self.dialog.request("REFER")
        refer.headers.set_single("Refer-To", f"<{uri}>")
        refer.headers.set_single("Referred-By", f"<{self.dialog.local_uri}>")

        def on_response(response: SipResponse | None) -> None:
            code = response.status_code if response is not None else 0
            if (code == 0 or code >= 300) and self._transferred and not self._transferred.done():
                self._transferred.set_result(code)

        hop = self.dialog.next_hop(self._agent.trunk)
        self._agent.transactions.request(refer, hop, on_response)
        try:
            return await asyncio.wait_for(self._transferred, seconds)
        except TimeoutError:
            return 0

    def _on_notify(self, request: SipRequest) -> None:
        found = _FRAGMENT.match(request.text.strip())
        waiting = self._transferred
        if found and waiting is not None and not waiting.done() and int(found[1]) >= 200:
            waiting.set_result(int(found[1]))

    def _over(self) -> None:
        if self.ended.is_set():
            return
        self._stop_ring_timer()
        self._sign(None)
        self._settle(Ending(487))
        if self._transferred is not None and not self._transferred.done():
            # the trunk may take us off the line as soon as the transfer stands
            self._transferred.set_result(200 if not self.ended_by_us else 0)
        self.ended.set()
        self.stream.close()
        self._agent.remove(self)
        self.on_end()
