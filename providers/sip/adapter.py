"""A SIP trunk as a :class:`providers.base.Provider`.

The adapter runs in workers and web and places no call itself: it hands calls to the media
process (:mod:`providers.sip.media`), which outlives batches and workers, and asks it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from providers.base import (
    Accepted,
    Call,
    CallRequest,
    Capabilities,
    Cause,
    Channel,
    Contact,
    EndedCall,
    ForgedReceipt,
    Instruction,
    Listed,
    Message,
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
from providers.sip import instructions as wording
from providers.sip import reports
from providers.sip.client import MaybeSent, NotSent, Reply, client, exchange
from providers.sip.detection import AnsweredBy
from providers.sip.options import SipOptions

#: The media process and the workers share a clock, or nearly.
CLOCK_SKEW = timedelta(seconds=10)
#: A request that the media process has read but not written down yet takes no longer. Were it
#: placed later all the same, its reference would still stand for one call only.
JOURNAL_DELAY = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=1)
_REF = re.compile(r"TR[0-9a-f]{32}")
_MOST_PAGES = 1000


def capabilities(options: SipOptions) -> Capabilities:
    """What a trunk can do."""
    return Capabilities(
        channels=frozenset({Channel.AUTO_CALL}),
        webhook_receipts=True,
        polling=True,
        # its journal is written before a call is placed
        listing_complete_after=JOURNAL_DELAY,
        calls_at_once=options.calls_at_once,
        per_second=options.calls_per_second,
        key_presses=True,
        machine_detection=options.machine_detection,
        voicemail_drop=options.machine_detection,
        transfer=True,
        # with REFER the trunk itself calls whoever is wanted
        whisper=options.transfer == "bridge",
        queue=True,
        extensions=options.extensions,
        fetches_instructions=True,
    )


class SipProvider(Provider):
    """One trunk, by way of its media process."""

    def __init__(self, name: str, options: SipOptions) -> None:
        self.name = name
        self.capabilities = capabilities(options)
        self.options = options
        self._secret = options.secret.get_secret_value()
        self._token = {"Authorization": f"Bearer {wording.control_token(self._secret)}"}
        self._client = client(
            options.connect_timeout_seconds, options.total_timeout_seconds, options.trusted
        )
        self._pause = timedelta(seconds=options.throttle_pause_seconds)

    def __repr__(self) -> str:
        return f"SipProvider({self.name!r})"

    async def submit(self, contact: Contact) -> Result:
        """See :meth:`providers.base.Provider.submit`."""
        if isinstance(contact, Message):
            return Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, detail="a trunk has no SMS")
        try:
            reply = await self._ask("/calls", _document(contact))
        except NotSent as error:
            return Throttled(self._pause, f"media process: {error}")
        except MaybeSent as error:
            return Unknown(str(error))
        return self._read_result(reply)

    def _read_result(self, reply: Reply) -> Result:
        status = reply.status
        if status == 429:
            return Throttled(_pause_of(reply.retry_after) or self._pause, _detail(reply))
        if status in (401, 403):
            return Refused(Cause.OUR_CREDENTIALS, Outcome.OTHER, str(status), _detail(reply))
        if 200 <= status < 300:
            ref = _document_of(reply).get("ref")
            if isinstance(ref, str) and _REF.fullmatch(ref):
                return Accepted(ref)
            return Unknown("an answer without an identifier")
        if 400 <= status < 500 and status != 408:
            return _refusal(reply)
        return Unknown(f"HTTP {status}", Cause.THEIR_FAULT)

    async def look_up(self, channel: Channel, provider_ref: str) -> Receipt | None:
        """See :meth:`providers.base.Provider.look_up`."""
        if channel is not Channel.AUTO_CALL or not _REF.fullmatch(provider_ref):
            return None
        document = await self._question("/calls/find", {"ref": provider_ref})
        if document.get("known") is False:
            return None
        return _receipt(document.get("call"))

    async def list_sent(self, channel: Channel, to: str, since: datetime) -> Sequence[Listed]:
        """See :meth:`providers.base.Provider.list_sent`."""
        found: dict[str, Listed] = {}
        after = ""
        earliest = since - CLOCK_SKEW
        for _ in range(_MOST_PAGES):
            document = await self._question(
                "/calls/list", {"to": to, "since": earliest.isoformat(), "after": after}
            )
            calls, after = document.get("calls"), document.get("after", "")
            if not isinstance(calls, list) or not isinstance(after, str):
                raise ProviderUnavailable("unreadable answer: a listing of another shape")
            for one in calls:
                listed = _listed(one, to)
                if listed.created_at >= earliest:
                    found[listed.provider_ref] = listed
            if not after:
                return list(found.values())
        raise ProviderUnavailable("the listing does not end")

    async def _question(self, path: str, document: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            reply = await self._ask(path, document)
        except (NotSent, MaybeSent) as error:
            raise ProviderUnavailable(str(error)) from None
        if reply.status != 200:
            raise ProviderUnavailable(f"HTTP {reply.status}")
        answered = _document_of(reply)
        if not answered:
            raise ProviderUnavailable("unreadable answer")
        return answered

    def parse_receipts(self, request: WebhookRequest, reference: str | None) -> Sequence[Receipt]:
        """See :meth:`providers.base.Provider.parse_receipts`."""
        self.verify(request)
        try:
            return [reports.receipt_of(request.form, reference)]
        except ValueError as error:
            raise ForgedReceipt(f"signed, but no report: {error}") from None

    def verify(self, request: WebhookRequest) -> None:
        """See :meth:`providers.base.Provider.verify`."""
        given = request.headers.get(wording.SIGNATURE, "")
        if not wording.signed(self._secret, request.url, request.form, given):
            raise ForgedReceipt("the signature does not fit" if given else "no signature")

    def read_call(self, request: WebhookRequest) -> CallRequest:
        """See :meth:`providers.base.Provider.read_call`."""
        self.verify(request)
        if "CallRef" not in request.form:
            raise ForgedReceipt("signed, but not a request for a call's instructions")
        machine = request.form.get("AnsweredBy") == AnsweredBy.MACHINE
        connected = request.form.get("Transferred")
        return CallRequest(
            request.form["CallRef"],
            request.form.get("Key", ""),
            machine,
            caller=request.form.get("From"),
            connected=None if connected is None else connected == "yes",
        )

    def read_ended(self, request: WebhookRequest) -> EndedCall:
        """See :meth:`providers.base.Provider.read_ended`."""
        self.verify(request)
        try:
            return reports.ended(request.form)
        except (KeyError, ValueError) as error:
            raise ForgedReceipt(f"signed, but no call that is over: {error!r}") from None

    def render(self, instructions: Sequence[Instruction]) -> tuple[str, str]:
        """See :meth:`providers.base.Provider.render`."""
        return wording.CONTENT_TYPE, wording.render(instructions)

    async def instruct(self, provider_ref: str, instructions: Sequence[Instruction]) -> None:
        """See :meth:`providers.base.Provider.instruct`."""
        said = {"ref": provider_ref, "instructions": wording.listed(instructions)}
        answered = await self._question("/calls/instruct", said)
        if answered.get("known") is not True:
            raise ProviderUnavailable("the call is over")

    async def health(self) -> str | None:
        """See :meth:`providers.base.Provider.health`."""
        where = self.options.media_url
        try:
            reply = await exchange(self._client, "GET", f"{where}/health", headers=self._token)
        except (NotSent, MaybeSent) as error:
            return (
                f"通話プロセスが {where} で応答しません。contact-service trunk {self.name} を起動"
                f"してください / the media process does not answer at {where}; start "
                f"contact-service trunk {self.name} ({error})"
            )
        document = _document_of(reply)
        if reply.status != 200 or "trunk" not in document:
            return (
                f"通話プロセスの応答を読めません（HTTP {reply.status}）。secret が同じか確かめて"
                f"ください / the media process's answer cannot be read (HTTP {reply.status}): "
                "check that secret is the same"
            )
        fault = document["trunk"]
        if fault is not None:
            return (
                f"回線（{self.options.trunk}）を使えません: {fault}。ネットワークと user・"
                f"password を確かめてください / the trunk cannot be used: {fault}; "
                "check the network, user and password"
            )
        return None

    async def close(self) -> None:
        """See :meth:`providers.base.Provider.close`."""
        await self._client.close()

    async def _ask(self, path: str, document: Mapping[str, object]) -> Reply:
        url = f"{self.options.media_url}{path}"
        return await exchange(self._client, "POST", url, headers=self._token, document=document)


def _document(call: Call) -> dict[str, object]:
    return {
        "reference": call.reference,
        "to": call.to,
        "instructions_url": call.instructions_url,
        "receipts_url": call.receipts_url,
        "ring_seconds": call.ring_timeout.total_seconds(),
    }


def _refusal(reply: Reply) -> Refused:
    document = _document_of(reply)
    try:
        cause, outcome = Cause(document["cause"]), Outcome(document["outcome"])
    except (KeyError, ValueError, TypeError):
        cause, outcome = Cause.UNKNOWN, Outcome.OTHER
    return Refused(cause, outcome, _code(document, reply), _detail(reply))


def _code(document: Mapping[str, Any], reply: Reply) -> str:
    code = document.get("code")
    return str(code) if isinstance(code, int) else str(reply.status)


def _detail(reply: Reply) -> str:
    """Chosen words only: what a stranger answered might quote a number."""
    fault = _document_of(reply).get("fault")
    known = {"busy", "pace", "late", "trunk", "credentials", "codecs", "number", "ports"}
    return fault if isinstance(fault, str) and fault in known else f"HTTP {reply.status}"


def _document_of(reply: Reply) -> Mapping[str, Any]:
    """The answer's JSON object; an empty one when it is none."""
    try:
        document = reply.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _pause_of(value: str | None) -> timedelta | None:
    if value is None or not (value.isascii() and value.isdigit()) or int(value[:9]) == 0:
        return None
    return min(timedelta(seconds=int(value[:9])), _LONGEST_PAUSE)


def _receipt(call: object) -> Receipt:
    if not isinstance(call, dict):
        raise ProviderUnavailable("unreadable answer: no call")
    form = {name: str(value) for name, value in call.items()}
    try:
        receipt = reports.receipt_of(form, None)
    except ValueError as error:
        raise ProviderUnavailable(f"unreadable answer: {error}") from None
    if not _REF.fullmatch(receipt.provider_ref):
        raise ProviderUnavailable("unreadable answer: no identifier")
    return receipt


def _listed(one: object, to: str) -> Listed:
    receipt = _receipt(one)
    assert isinstance(one, dict)
    try:
        created_at = datetime.fromisoformat(str(one.get("CreatedAt")))
    except ValueError:
        raise ProviderUnavailable("unreadable answer: no instant") from None
    if created_at.tzinfo is None:
        raise ProviderUnavailable("unreadable answer: an instant without a zone")
    return Listed(receipt.provider_ref, to, None, created_at, receipt)
