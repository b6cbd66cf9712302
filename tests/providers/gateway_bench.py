"""The carriers behind the ready-made declarations: each answers as its interface describes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import urlencode

from providers.base import Channel, Outcome, Provider, WebhookRequest
from providers.gateway.adapter import capabilities
from providers.gateway.source import find
from providers.registry import create
from tests.providers.bench import PATIENCE, SECRET_TEXT, SINCE, TO, HttpBench
from tests.providers.twilio_bench import waiting
from tests.providers.wire import Behaviour, Seen, answer

JST = timezone(timedelta(hours=9))
#: What the declarations name; a new one adds its own names here.
SECRETS = {
    "token": "bearer-nobody-may-see",
    "signing": "signing-nobody-may-see",
    "password": "password-nobody-may-see",
    "key": "query-key-nobody-may-see",
    "receipts": "receipt-key-nobody-may-see",
}
VALUES = {
    "tenant": "setagaya",
    "user": "ward",
    "shop": "12",
    "client": "c1",
    "sender": "0354321111",
    "sid": "sid1",
    "caller": "+81354321111",
}
DOMESTIC = "0" + TO[3:]


def options(declaration: str, origin: str, **more: object) -> dict[str, object]:
    return {
        "declaration": declaration,
        "addresses": {"api": origin},
        "secrets": SECRETS,
        "values": VALUES,
        **more,
    }


class GatewayBench(HttpBench):
    """What the benches have in common; each below is one interface."""

    declaration: ClassVar[str]
    waiting: ClassVar[str]
    done: ClassVar[tuple[str, Outcome]]
    undone: ClassVar[str] = ""
    secrets = tuple(SECRETS.values())

    def provider(self, origin: str, patience: float = PATIENCE) -> Provider:
        return create("gateway", "bench", options(self.declaration, origin, **waiting(patience)))

    def ref(self, channel: Channel, number: int) -> str:
        return f"{4_000_000 + number}"

    def under_way(self, channel: Channel) -> str:
        return self.waiting

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]:
        return self.done

    def canceled(self, channel: Channel) -> str:
        return self.undone

    def record(self, ref: str, status: str, at: datetime = SINCE, **more: Any) -> dict[str, Any]:
        """One contact as the carrier writes it."""
        raise NotImplementedError

    def forgeries(
        self, honest: WebhookRequest, another: WebhookRequest
    ) -> Sequence[WebhookRequest]:
        """By what proves a report: a signature over the body, a word in a header, or a key in the
        address, which is all there is."""
        receipts = find(self.declaration).receipts
        assert receipts is not None
        proof = honest.headers.get("authorization", "")
        match receipts.verify.kind:
            case "hmac":
                changed = (another.body, honest.body + b" ", honest.body[:-1], b"")
                return [replace(honest, body=body) for body in changed]
            case "key":
                url = honest.url
                wrong = (url + "x", url[:-1], url.replace("key=", "k="), url.partition("?")[0])
                return [replace(honest, url=one) for one in wrong]
            case _:
                words = (proof + "x", proof[:-2], proof.swapcase(), proof.partition(" ")[2], "")
                return [replace(honest, headers={"authorization": word}) for word in words]


def signed(
    body: object,
    header: str,
    *,
    prefix: str = "",
    encoding: str = "hex",
    url: str = "https://ward.example/receipts",
) -> WebhookRequest:
    content = json.dumps(body, ensure_ascii=False).encode()
    digest = hmac.digest(SECRETS["signing"].encode(), content, hashlib.sha256)
    said = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    return WebhookRequest(url, {header.lower(): prefix + said}, {}, content)


class AsynchronousWebhook(GatewayBench):
    declaration = "asynchronous-webhook"
    capabilities = capabilities(find(declaration))
    waiting, done, undone = "waiting/none", ("done/received", Outcome.DELIVERED), "canceled/none"

    def record(self, ref: str, status: str, at: datetime = SINCE, **more: Any) -> dict[str, Any]:
        state, _, sent = status.partition("/")
        return {
            "id": int(ref),
            "custom_key": "attempt-1",
            "status": state,
            "sent_result": sent or None,
            "to": DOMESTIC,
            "body": SECRET_TEXT,
            "charged_count": 1,
            "created_at": at.astimezone(JST).isoformat(),
            "sent_at": at.astimezone(JST).isoformat(),
            **more,
        } | ({"status": status, "sent_result": None} if status == "teleported" else {})

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return self.accepts_as(provider_ref, "waiting/none")

    def accepts_as(self, provider_ref: str, status: str) -> Behaviour:
        return answer(201, self.record(provider_ref, status))

    def scheduled(self) -> str:
        return "waiting/none"

    def send_at(self, seen: Seen) -> datetime | None:
        at = json.loads(seen.body).get("scheduled_at")
        return datetime.fromisoformat(at) if at is not None else None

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, self.record(provider_ref, status))

    def knows_none(self) -> Behaviour:
        return answer(404, {"error": {"code": "not_found", "message": "?"}})

    def has(self, reference: str, ref: str | None) -> Behaviour:
        records = [self.record(ref, self.waiting, custom_key=reference)] if ref else []
        return answer(200, {"messages": records})

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        last = len(pages) - 1
        return [
            answer(
                200,
                {
                    "messages": [self.record(ref, "done/received", at) for ref, at in page],
                    "next_cursor": None if number == last else f"c{number}",
                },
            )
            for number, page in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"name": "世田谷区"})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        return signed(self.record(provider_ref, status), "X-Signature", prefix="sha256=")


class PollingOnly(GatewayBench):
    declaration = "polling-only"
    capabilities = capabilities(find(declaration))
    waiting, done = "1", ("2", Outcome.DELIVERED)

    def record(self, ref: str, status: str, at: datetime = SINCE, **more: Any) -> dict[str, Any]:
        return {
            "message_id": ref,
            "client_id": "attempt-1",
            "status": int(status) if status.isdigit() else status,
            "phone": DOMESTIC,
            "text": SECRET_TEXT,
            "count": 1,
            "accepted_at": f"{at.astimezone(JST):%Y/%m/%d %H:%M:%S}",
            "done_at": f"{at.astimezone(JST):%Y/%m/%d %H:%M:%S}",
            **more,
        }

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return self._takes([("attempt-1", provider_ref)])

    def accepts_all(self, channel: Channel, refs: Sequence[str]) -> Sequence[Behaviour]:
        return [self._takes([(f"attempt-{number}", ref) for number, ref in enumerate(refs)])]

    def accepts_some(self, channel: Channel, ref: str) -> Behaviour:
        taken = {"client_id": "attempt-0", "message_id": ref, "result": "0", "count": 1}
        refused = {"client_id": "attempt-1", "message_id": None, "result": "101"}
        return answer(200, {"result": "0", "results": [refused, taken]})

    def _takes(self, pairs: Sequence[tuple[str, str]]) -> Behaviour:
        results = [
            {"client_id": reference, "message_id": ref, "result": "0", "count": 1}
            for reference, ref in pairs
        ]
        return answer(200, {"result": "0", "results": results})

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, {"result": "0", "results": [self.record(provider_ref, status)]})

    def knows_none(self) -> Behaviour:
        return answer(200, {"result": "404", "results": []})

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        last = len(pages) - 1
        return [
            answer(
                200,
                {
                    "results": [self.record(ref, "2", at) for ref, at in page],
                    "next_page": None if number == last else number + 2,
                },
            )
            for number, page in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"shop": "12"})]


class SeveralReceipts(GatewayBench):
    declaration = "several-receipts"
    capabilities = capabilities(find(declaration))
    waiting, done = "SENT", ("DELIVERED", Outcome.DELIVERED)

    def record(self, ref: str, status: str, at: datetime = SINCE, **more: Any) -> dict[str, Any]:
        return {
            "sms_id": ref,
            "request_id": "attempt-1",
            "result": status,
            "destination": TO,
            "text": SECRET_TEXT,
            "time": at.timestamp(),
            "created": int(at.timestamp()),
            "route": "A",
            "attempt": 2,
            **more,
        }

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return answer(202, {"data": {"sms_id": provider_ref, "segments": 1}})

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, self.record(provider_ref, status))

    def knows_none(self) -> Behaviour:
        return answer(404, {"error": "E_NOT_FOUND"})

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        last = len(pages) - 1
        return [
            answer(
                200,
                {
                    "requests": [self.record(ref, "DELIVERED", at) for ref, at in page],
                    "next": "" if number == last else f"p{number}",
                },
            )
            for number, page in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"status": "ok"})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        return self.several(channel, [(provider_ref, status)])

    def several(self, channel: Channel, pairs: Sequence[tuple[str, str]]) -> WebhookRequest:
        records = [self.record(ref, status) for ref, status in pairs]
        return signed({"receipts": records}, "X-Signature", encoding="base64")


class FormCp932(GatewayBench):
    declaration = "form-cp932"
    capabilities = capabilities(find(declaration))
    waiting, done = "10", ("20", Outcome.DELIVERED)

    def _form(self, status: int, fields: Mapping[str, str]) -> Behaviour:
        content = urlencode(fields, encoding="cp932").encode("ascii")
        return answer(status, content, content_type="text/plain; charset=Shift_JIS")

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return self._form(200, {"res": "0", "msgid": provider_ref, "cnt": "1", "memo": "受付"})

    def _fields(self, ref: str, status: str) -> dict[str, str]:
        return {
            "res": "0",
            "msgid": ref,
            "usrkey": "attempt-1",
            "stat": status,
            "tel": DOMESTIC,
            "date": f"{SINCE.astimezone(JST):%Y%m%d%H%M%S}",
            "career": "ドコモ",
        }

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return self._form(200, self._fields(provider_ref, status))

    def knows_none(self) -> Behaviour:
        return self._form(200, {"res": "5"})

    def healthy(self) -> Sequence[Behaviour]:
        return [self._form(200, {"point": "1000"})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        body = urlencode(self._fields(provider_ref, status), encoding="cp932").encode()
        url = f"https://ward.example/receipts?key={SECRETS['receipts']}"
        return WebhookRequest(url, {}, {}, body)


class RecordedCall(GatewayBench):
    declaration = "recorded-call"
    capabilities = capabilities(find(declaration))
    waiting, done = "RINGING", ("COMPLETED", Outcome.ANSWERED)

    def record(self, ref: str, status: str, at: datetime = SINCE, **more: Any) -> dict[str, Any]:
        return {
            "callid": ref,
            "client_key": "attempt-1",
            "status": status,
            "recipient": TO,
            "duration": 21,
            "created_at": at.astimezone(UTC).isoformat(),
            "ended_at": at.astimezone(UTC).isoformat(),
            "hangup_cause": "16",
            **more,
        }

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return answer(201, {"callid": provider_ref})

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, self.record(provider_ref, status))

    def knows_none(self) -> Behaviour:
        return answer(404, {"error": "not_found"})

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        last = len(pages) - 1
        return [
            answer(
                200,
                {
                    "calls": [self.record(ref, "COMPLETED", at) for ref, at in page],
                    "next": None if number == last else number + 2,
                },
            )
            for number, page in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"status": "active"})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        return signed(self.record(provider_ref, status), "X-Signature")
