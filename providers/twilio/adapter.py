"""Twilio as a :class:`providers.base.Provider`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never

from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.rest import Client

from providers.base import (
    CANNOT_SCHEDULE,
    NOT_A_TEXT,
    Accepted,
    Answer,
    Call,
    CallRequest,
    Capabilities,
    Cause,
    Channel,
    Contact,
    Detected,
    EndedCall,
    ForgedReceipt,
    InboundMessage,
    Instruction,
    LineType,
    Listed,
    Message,
    NotSupported,
    Outcome,
    Provider,
    ProviderUnavailable,
    Receipt,
    Refused,
    Result,
    Throttled,
    Unknown,
    WebhookRequest,
)
from providers.http import MaybeSent, NotSent, ServerFault, TooManyRequests
from providers.parts import RULES
from providers.twilio import calls, messages, receipts, twiml
from providers.twilio.errors import THROTTLES, refusal
from providers.twilio.options import TwilioOptions
from providers.twilio.transport import Transport
from providers.words import is_text

PART_RULE = RULES["gsm"]
#: Twilio's clock against ours. Its instants are whole seconds besides.
CLOCK_SKEW = timedelta(minutes=1)
_PAGE_SIZE = 200
#: ``type`` of a line, as the look-up names it.
_LINES: dict[object, LineType] = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "fixedVoip": LineType.VOIP,
    "nonFixedVoip": LineType.VOIP,
    "unknown": LineType.UNKNOWN,
}
#: Nobody gets this many; a listing that goes on is broken.
_MOST_LISTED = 10_000
_SIDS = {
    Channel.SMS: re.compile(r"(SM|MM)[0-9a-fA-F]{32}"),
    Channel.AUTO_CALL: re.compile(r"CA[0-9a-fA-F]{32}"),
}
# The SDK reads an answer without asking whether it has the right shape.
_UNREADABLE = (
    ValueError, TypeError, AttributeError, KeyError, RecursionError, TwilioException,
)  # fmt: skip
_UNAVAILABLE = (NotSent, MaybeSent, TooManyRequests)


def capabilities(options: TwilioOptions) -> Capabilities:
    """What an account with these options can do."""
    calls_too = Channel.AUTO_CALL in options.channels
    return Capabilities(
        channels=options.channels,
        webhook_receipts=True,
        polling=True,
        listing_complete_after=timedelta(seconds=options.listing_complete_after_seconds),
        listing=True,
        max_parts=PART_RULE.most_parts,
        part_rule=PART_RULE,
        schedule_ahead=timedelta(days=35) if options.messaging_service_sid else None,
        cancel=True,
        calls_at_once=options.calls_at_once,
        per_second=options.calls_per_second if calls_too else None,
        key_presses=calls_too,
        machine_detection=calls_too,
        voicemail_drop=calls_too,
        transfer=calls_too,
        whisper=calls_too,
        queue=calls_too,
        recording=calls_too,
        inbound_messages=True,
        line_type=options.line_type_yen is not None,
        speaks=twiml.SPEAKS,
        fetches_instructions=calls_too,
    )


class TwilioProvider(Provider):
    """One Twilio account (or sub-account)."""

    def __init__(self, name: str, options: TwilioOptions) -> None:
        self.name = name
        self.capabilities = capabilities(options)
        self._options = options
        self._pause = timedelta(seconds=options.throttle_pause_seconds)
        self._transport = Transport(options)
        self._client = Client(
            *options.user,
            account_sid=options.owner_sid,
            region=options.region,
            edge=options.edge,
            http_client=self._transport,
            # The SDK fills gaps from the environment, and takes an empty one for none.
            environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
        )
        self._account = self._client.api.v2010.accounts(options.owner_sid)

    def __repr__(self) -> str:
        return f"TwilioProvider({self.name!r})"

    async def submit(self, contact: Contact) -> Result:
        """See :meth:`providers.base.Provider.submit`."""
        channel = _channel(contact)
        if channel not in self.capabilities.channels:
            return Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail="no sender for it")
        if (
            isinstance(contact, Message)
            and contact.send_at
            and not self.capabilities.schedule_ahead
        ):
            return CANNOT_SCHEDULE  # only a messaging service can
        if isinstance(contact, Message) and not is_text(contact.body):
            return NOT_A_TEXT
        try:
            resource = await self._create(contact)
            sid = resource.sid
            segments = receipts.integer(getattr(resource, "num_segments", None))
        except NotSent as error:
            return Throttled(self._pause, str(error))
        except TooManyRequests as error:
            return Throttled(error.retry_after or self._pause, "HTTP 429")
        except ServerFault as error:
            return Unknown(str(error), Cause.THEIR_FAULT)
        except MaybeSent as error:
            return Unknown(str(error))
        except (TwilioRestException, TwilioServiceException) as error:
            return self._declined(error)
        except _UNREADABLE as error:
            return Unknown(f"unreadable answer: {type(error).__name__}")
        if not _is_sid(channel, sid):
            return Unknown("an answer without an identifier")
        if isinstance(contact, Call):
            return Accepted(sid)
        # 0 while a messaging service has not chosen the sender yet.
        return Accepted(sid, segments or self.parts(contact.body))

    async def cancel(self, channel: Channel, provider_ref: str) -> Receipt:
        """See :meth:`providers.base.Provider.cancel`. A message can be taken back while it is
        scheduled, a call until it is answered."""
        if not _is_sid(channel, provider_ref):
            raise ProviderUnavailable("not an identifier of Twilio's")
        try:
            update = self._resources(channel)(provider_ref).update_async
            return _receipt(channel, await update(status="canceled"))
        except _UNAVAILABLE as error:
            raise ProviderUnavailable(_words(error)) from None
        except TwilioRestException as error:
            if error.status != 400:
                raise ProviderUnavailable(f"HTTP {error.status}") from None
        except _UNREADABLE as error:
            raise ProviderUnavailable(f"unreadable answer: {type(error).__name__}") from None
        # too late: what happened instead?
        present = await self.look_up(channel, provider_ref)
        if present is None:
            raise ProviderUnavailable("Twilio does not know it")
        return present

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """See :meth:`providers.base.Provider.look_up`."""
        if not _is_sid(channel, provider_ref):
            return None
        try:
            resource = await self._resources(channel)(provider_ref).fetch_async()
            return _receipt(channel, resource)
        except _UNAVAILABLE as error:
            raise ProviderUnavailable(_words(error)) from None
        except TwilioRestException as error:
            if error.status == 404 and error.code == 20404:
                return None
            raise ProviderUnavailable(f"HTTP {error.status}") from None
        except _UNREADABLE as error:
            raise ProviderUnavailable(f"unreadable answer: {type(error).__name__}") from None

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        """See :meth:`providers.base.Provider.list_sent`.

        Asks for the number alone. Twilio can filter by the date *sent*, which a message still
        queued and a call not yet dialled do not have: such a filter could hide what was taken.
        """
        found: dict[str, Listed] = {}
        count = 0
        try:
            stream = await self._resources(channel).stream_async(to=to, page_size=_PAGE_SIZE)
            async for resource in stream:
                count += 1
                if count > _MOST_LISTED:
                    raise ProviderUnavailable("the listing does not end")
                listed = _listed(channel, resource)
                if listed.to == to and listed.created_at >= since - CLOCK_SKEW:
                    found[listed.provider_ref] = listed
        except _UNAVAILABLE as error:
            raise ProviderUnavailable(_words(error)) from None
        except TwilioRestException as error:
            raise ProviderUnavailable(f"HTTP {error.status}") from None
        except _UNREADABLE as error:
            raise ProviderUnavailable(f"unreadable answer: {type(error).__name__}") from None
        return list(found.values())

    def parse_receipts(self, request: WebhookRequest, reference: str | None) -> Sequence[Receipt]:
        """See :meth:`providers.base.Provider.parse_receipts`; a request has one report."""
        self.verify(request)
        form = request.form
        if {"MessageSid", "MessageStatus"} <= form.keys():
            return [messages.from_form(form, reference)]
        if {"CallSid", "CallStatus"} <= form.keys():
            return [calls.from_form(form, reference)]
        raise ForgedReceipt("signed, but a report of neither a message nor a call")

    def verify(self, request: WebhookRequest) -> None:
        """See :meth:`providers.base.Provider.verify`."""
        receipts.verify(request, self._options.signing_secret)

    def read_message(self, request: WebhookRequest) -> InboundMessage:
        """See :meth:`providers.base.Provider.read_message`."""
        self.verify(request)
        if not {"MessageSid", "From"} <= request.form.keys() or "MessageStatus" in request.form:
            raise ForgedReceipt("signed, but not a message from somebody")
        return messages.inbound(request.form)

    def reply(self, text: str | None) -> Answer:
        """See :meth:`providers.base.Provider.reply`."""
        return Answer(200, twiml.CONTENT_TYPE, twiml.reply(text))

    def read_detection(self, request: WebhookRequest) -> Detected:
        """See :meth:`providers.base.Provider.read_detection`."""
        self.verify(request)
        if not {"CallSid", "AnsweredBy"} <= request.form.keys():
            raise ForgedReceipt("signed, but not a report of who answered")
        return calls.detected(request.form)

    async def instruct(self, provider_ref: str, instructions: Sequence[Instruction]) -> None:
        """See :meth:`providers.base.Provider.instruct`."""
        if not _is_sid(Channel.AUTO_CALL, provider_ref):
            raise ProviderUnavailable("not an identifier of Twilio's")
        _, document = self.render(instructions)
        try:
            await self._account.calls(provider_ref).update_async(twiml=document)
        except (*_UNAVAILABLE, *_UNREADABLE) as error:
            raise ProviderUnavailable(f"not instructed: {type(error).__name__}") from None

    async def line_type(self, number: str) -> LineType:
        """See :meth:`providers.base.Provider.line_type`."""
        if self._options.line_type_yen is None:
            raise NotSupported("line_type: the deployment names no price")
        try:
            found = await self._client.lookups.v2.phone_numbers(number).fetch_async(
                fields="line_type_intelligence"
            )
            kind = (found.line_type_intelligence or {}).get("type")
        except _UNAVAILABLE as error:
            raise ProviderUnavailable(_words(error)) from None
        except _UNREADABLE as error:
            raise ProviderUnavailable(f"unreadable answer: {type(error).__name__}") from None
        return _LINES.get(kind, LineType.OTHER if kind else LineType.UNKNOWN)

    def price(self, contact: Contact) -> Decimal | None:
        """See :meth:`providers.base.Provider.price`."""
        match contact:
            case Message(body=body):
                each, count = self._options.part_yen, self.parts(body)
            case Call():
                each, count = self._options.call_minute_yen, 1
        return None if each is None else Decimal(str(each)) * count

    def read_call(self, request: WebhookRequest) -> CallRequest:
        """See :meth:`providers.base.Provider.read_call`."""
        self.verify(request)
        if "CallSid" not in request.form:
            raise ForgedReceipt("signed, but not a request for a call's instructions")
        return calls.request(request.form)

    def read_ended(self, request: WebhookRequest) -> EndedCall:
        """See :meth:`providers.base.Provider.read_ended`: a status callback of the number's."""
        self.verify(request)
        try:
            return calls.ended(request.form)
        except (KeyError, ValueError) as error:
            raise ForgedReceipt(f"signed, but no call that is over: {error!r}") from None

    def render(self, instructions: Sequence[Instruction]) -> tuple[str, str]:
        """See :meth:`providers.base.Provider.render`."""
        options = self._options
        return twiml.CONTENT_TYPE, twiml.render(instructions, options.voice, options.from_number)

    async def health(self) -> str | None:
        """See :meth:`providers.base.Provider.health`."""
        try:
            account = await self._account.fetch_async()
            status = account.status
        except _UNAVAILABLE as error:
            return f"Twilio に接続できません / Twilio gives no answer: {_words(error)}"
        except TwilioRestException as error:
            return (
                f"Twilio がアカウントを受け付けません（HTTP {error.status}）。account_sid と "
                f"auth_token を確かめてください / Twilio does not accept the account "
                f"(HTTP {error.status}): check account_sid and auth_token"
            )
        except _UNREADABLE as error:
            kind = type(error).__name__
            return f"Twilio の応答を読めません / Twilio's answer cannot be read: {kind}"
        if status != "active":
            return f"アカウントが有効ではありません / the account is not active: {status}"
        return None

    async def close(self) -> None:
        """See :meth:`providers.base.Provider.close`."""
        await self._transport.close()

    async def _create(self, contact: Contact) -> Any:
        match contact:
            case Message():
                fields = messages.arguments(contact, self._options)
                return await self._account.messages.create_async(**fields)
            case Call():
                fields = calls.arguments(contact, self._options)
                return await self._account.calls.create_async(**fields)
            case _:
                assert_never(contact)

    def _declined(self, error: TwilioRestException | TwilioServiceException) -> Result:
        status = receipts.integer(error.status) or 0
        code = receipts.integer(error.code) or status
        if code in THROTTLES:
            return Throttled(self._pause, str(code))
        return refusal(status, code)

    def _resources(self, channel: Channel) -> Any:
        return self._account.calls if channel is Channel.AUTO_CALL else self._account.messages


def _channel(contact: Contact) -> Channel:
    return Channel.SMS if isinstance(contact, Message) else Channel.AUTO_CALL


def _is_sid(channel: Channel, value: object) -> bool:
    return isinstance(value, str) and _SIDS[channel].fullmatch(value) is not None


def _receipt(channel: Channel, resource: Any) -> Receipt:
    if not (_is_sid(channel, resource.sid) and isinstance(resource.status, str)):
        raise ValueError("a resource without an identifier or a status")
    if channel is Channel.AUTO_CALL:
        return calls.from_resource(resource)
    return messages.from_resource(resource)


def _listed(channel: Channel, resource: Any) -> Listed:
    receipt = _receipt(channel, resource)
    if not (isinstance(resource.to, str) and isinstance(resource.date_created, datetime)):
        raise ValueError("a resource without a number or a date")
    body = None if channel is Channel.AUTO_CALL else resource.body
    return Listed(receipt.provider_ref, resource.to, body, resource.date_created, receipt)


def _words(error: Exception) -> str:
    return f"HTTP {error}" if isinstance(error, TooManyRequests) else str(error)
