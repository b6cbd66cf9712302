"""A declared gateway as a :class:`providers.base.Provider`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.base import (
    Answer,
    Call,
    Capabilities,
    Channel,
    Contact,
    ForgedReceipt,
    Listed,
    NotSupported,
    Provider,
    ProviderUnavailable,
    Receipt,
    Result,
    WebhookRequest,
)
from providers.gateway import meaning, reports
from providers.gateway.declaration import Declaration, Exchange, Listing, LookUp
from providers.gateway.options import GatewayOptions
from providers.gateway.source import find
from providers.gateway.submission import Submission
from providers.gateway.template import Missing
from providers.gateway.wire import Account, Unreadable, Unsendable, ask, dig, read, word
from providers.http import HttpClient, MaybeSent, NotSent, Timeouts, TooManyRequests
from providers.parts import RULES

#: The carrier's clock against ours.
CLOCK_SKEW = timedelta(minutes=1)
_MOST_PAGES = 200
_UNAVAILABLE = (NotSent, MaybeSent, TooManyRequests, Unsendable, Unreadable, Missing)


def capabilities(declaration: Declaration) -> Capabilities:
    """What a carrier described like this can do."""
    asked = declaration.by_reference or declaration.listing
    call = declaration.channel is Channel.AUTO_CALL
    rule = RULES[declaration.parts.rule]
    batch = declaration.submit.batch
    return Capabilities(
        channels=frozenset({declaration.channel}),
        webhook_receipts=declaration.receipts is not None,
        polling=declaration.look_up is not None,
        listing_complete_after=timedelta(seconds=asked.complete_after_seconds) if asked else None,
        listing=declaration.listing is not None,
        max_parts=1 if call else rule.most_parts,
        part_rule=rule,
        look_up_by_reference=declaration.by_reference is not None,
        batch_size=batch.most if batch else 1,
        look_up_batch_size=declaration.look_up.most if declaration.look_up else 1,
        schedule_ahead=timedelta(days=declaration.schedule_days)
        if declaration.schedule_days
        else None,
        cancel=declaration.cancel is not None,
        calls_at_once=declaration.limits.calls_at_once,
        per_second=declaration.limits.per_second,
        key_presses=declaration.key_presses,
        machine_detection=declaration.machine_detection,
        several_receipts=declaration.receipts is not None
        and declaration.receipts.items is not None,
    )


class GatewayProvider(Provider):
    """One account at a gateway."""

    def __init__(self, name: str, options: GatewayOptions) -> None:
        declaration = find(options.declaration)
        self.name = name
        self.capabilities = capabilities(declaration)
        self._declaration = declaration
        self._price = options.price_yen
        self._account = Account(
            declaration,
            options.addresses[declaration.address],
            {name: secret.get_secret_value() for name, secret in options.secrets.items()},
            options.values,
        )
        limits = declaration.limits
        self._client = HttpClient(
            Timeouts(
                options.connect_timeout_seconds or limits.connect,
                options.read_timeout_seconds or limits.read,
                options.total_timeout_seconds or limits.total,
            )
        )
        self._submission = Submission(self._account, self._client, self.parts)
        self._waiting: list[tuple[Contact, asyncio.Future[Result]]] = []
        if declaration.receipts is not None:
            reply = declaration.receipts.answer
            self.receipt_answer = Answer(reply.status, reply.content_type, reply.body)

    def __repr__(self) -> str:
        return f"GatewayProvider({self.name!r}, {self._declaration.gateway!r})"

    async def submit(self, contact: Contact) -> Result:
        """See :meth:`providers.base.Provider.submit`. Contacts handed over in the same moment
        share a request where the carrier takes several."""
        if self._declaration.submit.batch is None:
            return (await self._submission.send([contact]))[0]
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(lambda: asyncio.ensure_future(self._flush()))
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((contact, future))
        return await future

    async def submit_batch(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        """See :meth:`providers.base.Provider.submit_batch`."""
        size = self.capabilities.batch_size
        requests = [contacts[start : start + size] for start in range(0, len(contacts), size)]
        answers = await asyncio.gather(*(self._submission.send(request) for request in requests))
        return [result for answer in answers for result in answer]

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """See :meth:`providers.base.Provider.look_up`."""
        question = self._declared(self._declaration.look_up)
        found = await self._records(question, {**_refs([provider_ref])})
        return next((one for one in found if one.provider_ref == provider_ref), None)

    async def look_up_batch(
        self, channel: Channel, provider_refs: Sequence[str]
    ) -> Sequence[Receipt]:
        """See :meth:`providers.base.Provider.look_up_batch`."""
        question = self._declared(self._declaration.look_up)
        if question.most == 1:
            return await super().look_up_batch(channel, provider_refs)
        found: list[Receipt] = []
        for start in range(0, len(provider_refs), question.most):
            refs = provider_refs[start : start + question.most]
            with suppress(ProviderUnavailable):  # asked again with the next poll
                for item in await self._items(question, _refs(refs)):
                    with suppress(Unreadable):  # one that cannot be read spoils no other
                        found.append(self._record(item))
        return found

    async def look_up_reference(self, channel: Channel, reference: str) -> Listed | None:
        """See :meth:`providers.base.Provider.look_up_reference`."""
        question = self._declared(self._declaration.by_reference)
        items = await self._items(question, {"reference": reference})
        records = [self._readable(item) for item in items]
        return next((one for one in records if one.receipt.reference == reference), None)

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        """See :meth:`providers.base.Provider.list_sent`."""
        question = self._declaration.listing
        if question is None:
            raise NotSupported("list_sent")
        try:
            number = meaning.dialled(self._declaration, to)
        except ValueError:
            return []  # never handed over either
        values = {"to": number, "since": (since - CLOCK_SKEW).isoformat()}
        found: dict[str, Listed] = {}
        page: str | None = None
        for _ in range(_MOST_PAGES):
            said = await self._question(question, {**values, "page": page})
            for item in _list(said, question):
                record = self._readable(item)
                if record.to == to and record.created_at >= since - CLOCK_SKEW:
                    found[record.provider_ref] = record
            page = word(dig(said, question.next)) if question.next else None
            if not page:
                return list(found.values())
        raise ProviderUnavailable("the listing does not end")

    async def cancel(self, channel: Channel, provider_ref: str) -> Receipt:
        """See :meth:`providers.base.Provider.cancel`."""
        question = self._declared(self._declaration.cancel)
        found = await self._records(question, _refs([provider_ref]))
        if not found:
            raise ProviderUnavailable("the carrier does not know it")
        return found[0]

    def parse_receipts(self, request: WebhookRequest, reference: str | None) -> Sequence[Receipt]:
        """See :meth:`providers.base.Provider.parse_receipts`."""
        return reports.read(request, self._account, reference)

    def verify(self, request: WebhookRequest) -> None:
        """See :meth:`providers.base.Provider.verify`."""
        if self._declaration.receipts is None:
            raise ForgedReceipt("this carrier does not report")
        reports.verify(request, self._declaration.receipts.verify, self._account)

    def price(self, contact: Contact) -> Decimal | None:
        """See :meth:`providers.base.Provider.price`."""
        if isinstance(contact, Call):
            each = self._price if self._price is not None else self._declaration.call_minute_yen
            return None if each is None else Decimal(str(each))
        each = self._price if self._price is not None else self._declaration.parts.price_yen
        return None if each is None else Decimal(str(each)) * self.parts(contact.body)

    async def health(self) -> str | None:
        """See :meth:`providers.base.Provider.health`."""
        question = self._declaration.health
        if question is None:
            return None
        title = self._declaration.title
        try:
            said = await self._question(question, {})
        except ProviderUnavailable as error:
            return f"{title} に接続できないか、受け付けられません / no good answer: {error}"
        if dig(said, question.has) is None:
            return f"{title} の応答を読めません / the answer cannot be read: no {question.has}"
        return None

    async def close(self) -> None:
        """See :meth:`providers.base.Provider.close`."""
        await self._client.close()

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        results = await self.submit_batch([contact for contact, _ in waiting])
        for (_, future), result in zip(waiting, results, strict=True):
            if not future.done():
                future.set_result(result)

    def _declared(self, question: LookUp | None) -> LookUp:
        if question is None:
            raise ProviderUnavailable("this carrier cannot be asked that")
        return question

    async def _records(self, question: LookUp, values: Mapping[str, Any]) -> list[Receipt]:
        try:
            return [self._record(item) for item in await self._items(question, values)]
        except Unreadable as error:
            raise ProviderUnavailable(f"unreadable answer: {error}") from None

    def _record(self, item: Any) -> Receipt:
        return meaning.receipt(self._declaration, self._declaration.report, item, reference=None)

    async def _items(self, question: LookUp, values: Mapping[str, Any]) -> list[Any]:
        try:
            said = await self._question(question, values)
        except _NotFound:
            return []
        return _list(said, question) if question.items else [said]

    async def _question(self, question: Exchange, values: Mapping[str, Any]) -> Any:
        try:
            answer = await ask(self._client, self._account, question, values)
            said = read(answer, self._declaration)
        except _UNAVAILABLE as error:
            raise ProviderUnavailable(f"{type(error).__name__}: {error}") from None
        code = word(dig(said, question.code)) if question.code else None
        if isinstance(question, LookUp) and code is not None and code in question.not_found:
            raise _NotFound
        if answer.status >= 400:
            raise ProviderUnavailable(f"HTTP {answer.status}")
        return said

    def _readable(self, item: Any) -> Listed:
        try:
            return meaning.listed(self._declaration, item)
        except Unreadable as error:
            raise ProviderUnavailable(f"unreadable answer: {error}") from None


class _NotFound(Exception):
    """The carrier says, in its own words, that it knows no such contact."""


def _refs(refs: Sequence[str]) -> dict[str, Any]:
    return {"provider_ref": refs[0], "provider_refs": list(refs)}


def _list(said: Any, question: LookUp | Listing) -> list[Any]:
    items = dig(said, question.items)
    if not isinstance(items, list):
        raise ProviderUnavailable("unreadable answer: no list")
    return items
