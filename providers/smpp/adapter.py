"""An SMPP account as a :class:`providers.base.Provider`.

The connection is made when it is first needed and made again with growing pauses when it breaks.
Receipts come over it: they stay unacknowledged, and so the carrier's to repeat, until whoever
collects them says that they are on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from providers.base import (
    CANNOT_SCHEDULE,
    NOT_A_TEXT,
    Accepted,
    Capabilities,
    Cause,
    Channel,
    Collected,
    Contact,
    Message,
    Outcome,
    Provider,
    ProviderUnavailable,
    Receipt,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from providers.http import MaybeSent, NotSent
from providers.parts import Divided, divide
from providers.smpp import meaning
from providers.smpp.codec import Pdu
from providers.smpp.options import SmppOptions
from providers.smpp.session import BindRefused, Session
from providers.words import identifier, is_text

#: Receipts that may wait unacknowledged; more are refused, and the carrier keeps them.
MOST_WAITING = 1_000
_UDH, _RECEIPT_WANTED, _UCS2 = 0x40, 1, 8


def capabilities(options: SmppOptions) -> Capabilities:
    """What an account with these options can do."""
    return Capabilities(
        channels=frozenset({Channel.SMS}),
        webhook_receipts=False,
        polling=options.query,
        listing_complete_after=None,
        max_parts=options.part_rule.most_parts,
        part_rule=options.part_rule,
        connection_receipts=True,
        per_second=options.per_second,
        inbound_messages=True,
    )


class SmppProvider(Provider):
    """One account."""

    def __init__(self, name: str, options: SmppOptions) -> None:
        self.name = name
        self.capabilities = capabilities(options)
        self._options = options
        self._pause = timedelta(seconds=options.throttle_pause)
        self._session: Session | None = None
        self._connecting = asyncio.Lock()
        self._failures, self._not_before = 0, 0.0
        self._references = 0
        self._waiting: dict[int, tuple[Session, Pdu]] = {}
        self._handles = 0
        self._arrived = asyncio.Event()

    def __repr__(self) -> str:
        return f"SmppProvider({self.name!r})"

    async def submit(self, contact: Contact) -> Result:
        """See :meth:`providers.base.Provider.submit`."""
        if not isinstance(contact, Message):
            return Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail="messages only")
        if contact.send_at is not None:
            return CANNOT_SCHEDULE
        if not is_text(contact.body):
            return NOT_A_TEXT
        try:
            number, ton = self._number(contact.to)
        except ValueError as error:
            return Refused(Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER, detail=str(error))
        requests = self._requests(contact.body)
        taken = 0
        try:
            async with asyncio.timeout(self._options.total_timeout):
                ref = ""
                for request in requests:
                    answer = await self._send(number, ton, request, again=taken > 0)
                    if isinstance(answer, Pdu):
                        ref = answer.texts.get("message_id", "")
                        taken += 1
                    elif taken:
                        # a part is on its way: what is left can neither be sent again with it
                        # nor be forgotten
                        return Unknown(f"{taken} of {len(requests)} parts were taken")
                    else:
                        return answer
        except TimeoutError:
            return Unknown(f"timed out; {taken} of {len(requests)} parts were taken")
        if identifier(ref) is None:
            return Unknown("an answer without an identifier")
        return Accepted(
            meaning.comparable(ref, self._options.receipt_ids), self.parts(contact.body)
        )

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """See :meth:`providers.base.Provider.look_up`."""
        options = self._options
        try:
            session = await self._bound()
            answer = await session.ask(
                "query_sm",
                message_id=provider_ref,
                source_addr=options.sender,
                source_addr_ton=options.sender_ton,
                source_addr_npi=options.sender_npi,
            )
        except (NotSent, MaybeSent, BindRefused) as error:
            raise ProviderUnavailable(str(error)) from None
        if answer.status == 0x0C:  # no such message
            return None
        # the library reads on where a terminator is missing: another name is no answer
        if answer.status or answer.texts.get("message_id") != provider_ref:
            raise ProviderUnavailable(f"0x{answer.status:02x}")
        return meaning.queried(answer, provider_ref)

    async def collect(self, most: int, wait: timedelta) -> Sequence[Collected]:
        """See :meth:`providers.base.Provider.collect`. What came over a connection that has
        ended is left out: the carrier brings it again."""
        try:
            await self._bound()
        except (NotSent, BindRefused):
            return []  # tried again, with its pauses
        self._forget_the_lost()
        if not self._waiting:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), max(wait.total_seconds(), 0.001))
            except TimeoutError:
                return []
        found = []
        for handle, (_, pdu) in list(self._waiting.items())[:most]:
            if meaning.is_receipt(pdu):
                receipt = meaning.receipt(pdu, self._options.receipt_ids)
                found.append(Collected(handle, [receipt] if receipt else []))
            else:
                found.append(Collected(handle, message=meaning.inbound(pdu)))
        return found

    async def acknowledge(self, handles: Sequence[int]) -> None:
        """See :meth:`providers.base.Provider.acknowledge`."""
        for handle in handles:
            waiting = self._waiting.pop(handle, None)
            if waiting is not None:
                session, pdu = waiting
                session.answer(pdu.sequence)

    def price(self, contact: Contact) -> Decimal | None:
        """See :meth:`providers.base.Provider.price`."""
        each = self._options.price_yen
        if each is None or not isinstance(contact, Message):
            return None
        return Decimal(str(each)) * self.parts(contact.body)

    async def health(self) -> str | None:
        """See :meth:`providers.base.Provider.health`."""
        try:
            session = await self._bound()
            await session.ask("enquire_link")
        except BindRefused as error:
            return (
                f"アカウントが受け付けられません。system_id と password を確かめてください / "
                f"the account is not accepted, check system_id and password: {error}"
            )
        except (NotSent, MaybeSent) as error:
            return f"接続できません / no connection: {error}"
        return None

    async def close(self) -> None:
        """See :meth:`providers.base.Provider.close`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, number: str, ton: int, request: _Request, *, again: bool) -> Pdu | Result:
        """One request; ``again``: an earlier part was taken, so this one waits for its turn
        instead of being put off."""
        options = self._options
        while True:
            try:
                session = await self._bound()
                answer = await session.ask(
                    "submit_sm",
                    source_addr_ton=options.sender_ton,
                    source_addr_npi=options.sender_npi,
                    source_addr=options.sender,
                    dest_addr_ton=ton,
                    dest_addr_npi=1,
                    destination_addr=number,
                    **request,
                )
            except NotSent as error:
                result: Result = Throttled(self._wait(), str(error))
            except BindRefused as error:
                return Refused(
                    Cause.OUR_CREDENTIALS, Outcome.OTHER, f"0x{error.status:02x}", str(error)
                )
            except MaybeSent as error:
                return Unknown(str(error))
            else:
                if answer.status == 0:
                    return answer
                result = meaning.result(answer.status, options.statuses, self._pause)
            if not (again and isinstance(result, Throttled)):
                return result
            await asyncio.sleep(result.retry_after.total_seconds())

    def _requests(self, body: str) -> list[_Request]:
        divided = divide(self._options.part_rule, body)
        coding = 0 if divided.table else _UCS2
        national = divided.table.header if divided.table else b""
        whole = len(divided.texts) == 1
        if self._options.long_messages == "message_payload" and not (whole or national):
            content = _octets(divided, body)
            return [_request(coding, message_payload=content)]
        self._references = (self._references + 1) % 256
        requests = []
        for number, text in enumerate(divided.texts, 1):
            header = national
            if not whole:
                wide = self._options.part_rule.reference_octets == 2
                joined = bytes((self._references, len(divided.texts), number))
                header += (b"\x08\x04\x00" if wide else b"\x00\x03") + joined
            content = (bytes((len(header),)) + header if header else b"") + _octets(divided, text)
            # one receipt a message: the last part's, which arrives when all others have
            requests.append(
                _request(
                    coding,
                    short_message=content,
                    esm_class=_UDH if header else 0,
                    registered_delivery=_RECEIPT_WANTED if number == len(divided.texts) else 0,
                )
            )
        return requests

    def _number(self, number: str) -> tuple[str, int]:
        if self._options.numbers == "e164":
            return number.removeprefix("+"), 1
        if not number.startswith("+81"):
            raise ValueError("not a number in Japan")
        return "0" + number[3:], 2

    async def _bound(self) -> Session:
        """The connection, made again if need be. Raises :class:`NotSent` during a pause."""
        async with self._connecting:
            if self._session is not None and not self._session.closed:
                return self._session
            loop = asyncio.get_running_loop()
            if loop.time() < self._not_before:
                raise NotSent("waiting before connecting again")
            try:
                self._session = await Session.bind(self._options, self._came)
            except (NotSent, BindRefused):
                pause = min(2.0**self._failures, self._options.longest_backoff)
                self._failures += 1
                self._not_before = loop.time() + pause
                raise
            self._failures = 0
            return self._session

    def _wait(self) -> timedelta:
        left = self._not_before - asyncio.get_running_loop().time()
        return max(self._pause, timedelta(seconds=left))

    def _came(self, session: Session, pdu: Pdu) -> bool:
        self._forget_the_lost()
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._handles += 1
        self._waiting[self._handles] = (session, pdu)
        self._arrived.set()
        return True

    def _forget_the_lost(self) -> None:
        for handle, (session, _) in list(self._waiting.items()):
            if session.closed:
                del self._waiting[handle]


_Request = dict[str, int | bytes]


def _request(coding: int, **fields: int | bytes) -> _Request:
    return {"esm_class": 0, "registered_delivery": _RECEIPT_WANTED, "data_coding": coding, **fields}


def _octets(divided: Divided, text: str) -> bytes:
    return divided.table.encode(text) if divided.table else text.encode("utf-16-be")
