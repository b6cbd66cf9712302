"""The trunk's adapter passes the contract suite: its media process speaks HTTP to the workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from providers.base import Channel, Outcome, Provider, WebhookRequest
from providers.sip.adapter import SipProvider, capabilities
from tests.providers.bench import TO, HttpBench
from tests.providers.contract import contract
from tests.providers.sip.service import SECRET, options, request
from tests.providers.wire import Behaviour, answer

_CAPABILITIES = capabilities(options(Path("unused"), 5060))


class SipBench(HttpBench):
    capabilities = _CAPABILITIES
    secrets: Sequence[str] = (SECRET,)

    def provider(self, origin: str, patience: float = 5.0) -> Provider:
        return SipProvider(
            "trunk",
            options(
                Path("unused"),
                5060,
                media_url=origin,
                connect_timeout_seconds=patience / 2,
                total_timeout_seconds=patience,
            ),
        )

    def accepts(self, channel: Channel, provider_ref: str) -> Behaviour:
        return answer(201, {"ref": provider_ref})

    def ref(self, channel: Channel, number: int) -> str:
        return f"TR{number:032x}"

    def reports(self, channel: Channel, provider_ref: str, status: str) -> Behaviour:
        return answer(200, {"known": True, "call": self._told(provider_ref, status)})

    def _told(self, ref: str, status: str, at: str = "2026-10-26T01:00:03+00:00") -> dict[str, str]:
        return {"CallRef": ref, "CallStatus": status, "At": at, "CreatedAt": at, "To": TO}

    def knows_none(self) -> Behaviour:
        return answer(200, {"known": False})

    def lists(
        self, channel: Channel, pages: Sequence[Sequence[tuple[str, datetime]]]
    ) -> Sequence[Behaviour]:
        return [
            answer(
                200,
                {
                    "calls": [self._told(ref, "completed", at.isoformat()) for ref, at in page],
                    "after": "more" if number < len(pages) - 1 else "",
                },
            )
            for number, page in enumerate(pages)
        ]

    def healthy(self) -> Sequence[Behaviour]:
        return [answer(200, {"trunk": None, "calls": 0})]

    def receipt(self, channel: Channel, provider_ref: str, status: str) -> WebhookRequest:
        return request("https://ward.example/receipts?a=1", self._told(provider_ref, status))

    def asks(self, provider_ref: str, key: str) -> WebhookRequest:
        form = {"CallRef": provider_ref, **({"Key": key} if key else {})}
        return request("https://ward.example/voice?a=1", form)

    def under_way(self, channel: Channel) -> str:
        return "answered"

    def succeeded(self, channel: Channel) -> tuple[str, Outcome]:
        return "completed", Outcome.ANSWERED


class TestSip(*contract(_CAPABILITIES)):  # type: ignore[misc]
    bench = SipBench()
