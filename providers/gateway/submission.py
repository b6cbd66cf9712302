"""Handing over to a gateway: one contact or several in a request, and what the answer says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from providers.base import (
    CANNOT_SCHEDULE,
    Call,
    Cause,
    Channel,
    Contact,
    Message,
    Outcome,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from providers.gateway import meaning
from providers.gateway.declaration import Submit
from providers.gateway.template import Missing, fill
from providers.gateway.wire import Account, Unreadable, Unsendable, ask, dig, read, word
from providers.http import HttpClient, MaybeSent, NotSent, ServerFault, TooManyRequests


class Submission:
    """One account's way of taking contacts."""

    def __init__(self, account: Account, client: HttpClient, parts: Callable[[str], int]) -> None:
        self._account = account
        self._declaration = account.declaration
        self._client = client
        self._parts = parts
        self._pause = timedelta(seconds=account.declaration.limits.pause)

    async def send(self, contacts: Sequence[Contact]) -> list[Result]:
        """One request. Contacts that cannot be written down stay out of it. Never raises."""
        results: list[Result | None] = [self._unsendable(contact) for contact in contacts]
        going = [number for number, result in enumerate(results) if result is None]
        if going:
            sent = await self._request([contacts[number] for number in going])
            for number, result in zip(going, sent, strict=True):
                results[number] = result
        return [result for result in results if result is not None]

    async def _request(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        declaration, submit = self._declaration, self._declaration.submit
        result: Result
        status = 0
        try:
            every = [self._values(contact) for contact in contacts]
            if submit.batch is None:
                answer = await ask(self._client, self._account, submit, every[0])
            else:
                answer = await ask(self._client, self._account, self._batched(every), {})
            status = answer.status
            said = read(answer, declaration)
        except NotSent as error:
            result = Throttled(self._pause, str(error))
        except TooManyRequests as error:
            result = Throttled(error.retry_after or self._pause, "HTTP 429")
        except ServerFault as error:
            result = Unknown(str(error), Cause.THEIR_FAULT)
        except MaybeSent as error:
            result = Unknown(str(error))
        except Missing as error:
            result = Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail=f"no value for {error}")
        except Unsendable as error:  # text and number are not to blame: those were looked at
            result = Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail=str(error))
        except Unreadable as error:
            if status >= 400:
                result = meaning.refused(declaration, status, None, self._pause)
            else:
                result = Unknown(f"unreadable answer: {error}")
        else:
            if status < 400:
                return self._each(contacts, said)
            result = meaning.refused(declaration, status, said, self._pause)
        return [result] * len(contacts)

    def _each(self, contacts: Sequence[Contact], said: Any) -> Sequence[Result]:
        batch = self._declaration.submit.batch

        def result(contact: Contact, item: Any) -> Result:
            parts = self._parts(contact.body) if isinstance(contact, Message) else 1
            return meaning.accepted(self._declaration, item, parts, self._pause)

        if batch is None:
            return [result(contacts[0], said)]
        items = dig(said, batch.items)
        if not isinstance(items, list):
            # refused as a whole, perhaps; without a list nothing can have been named
            return [result(contact, said) for contact in contacts]
        if batch.by == "order":
            # a list of another length cannot be matched to what was sent
            pairs = items if len(items) == len(contacts) else [None] * len(contacts)
            return [result(contact, item) for contact, item in zip(contacts, pairs, strict=True)]
        named = {word(dig(item, batch.reference)): item for item in items}
        return [result(contact, named.get(contact.reference)) for contact in contacts]

    def _batched(self, every: Sequence[Mapping[str, Any]]) -> Submit:
        submit, batch = self._declaration.submit, self._declaration.submit.batch
        assert batch is not None
        own = {f"value.{name}": value for name, value in self._account.values.items()}
        items = [fill(batch.fields, {**own, **values}) for values in every]
        return submit.model_copy(update={"fields": {**submit.fields, batch.field: items}})

    def _unsendable(self, contact: Contact) -> Result | None:
        """Why nothing of the kind can be asked for, if so."""
        declaration = self._declaration
        channel = Channel.SMS if isinstance(contact, Message) else Channel.AUTO_CALL
        if channel is not declaration.channel:
            return Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail="another channel")
        try:
            meaning.dialled(declaration, contact.to)
        except ValueError as error:
            return Refused(Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER, detail=str(error))
        if isinstance(contact, Call):
            played = "{recording_url}" in str(declaration.submit.fields)
            if played and contact.recording_url is None:
                return Refused(Cause.NEVER_THIS_CONTENT, Outcome.OTHER, detail="no recording")
            return None
        if contact.send_at is not None and not declaration.schedule_days:
            return CANNOT_SCHEDULE
        try:
            contact.body.encode(declaration.encoding)
        except UnicodeEncodeError:
            detail = f"a character that is not in {declaration.encoding}"
            return Refused(Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED, detail=detail)
        return None

    def _values(self, contact: Contact) -> dict[str, Any]:
        values: dict[str, Any] = {
            "to": meaning.dialled(self._declaration, contact.to),
            "reference": contact.reference,
            "receipts_url": contact.receipts_url,
        }
        match contact:
            case Message(body=body, send_at=send_at):
                at = send_at.isoformat(timespec="seconds") if send_at else None
                return values | {"body": body, "send_at": at}
            case Call():
                return values | {
                    "recording_url": contact.recording_url,
                    "instructions_url": contact.instructions_url,
                    "ring_seconds": round(contact.ring_timeout.total_seconds()),
                }
