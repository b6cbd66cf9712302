"""What a carrier brings to our door, and what it is told to say."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from providers.base import (
    CallRequest,
    Channel,
    ForgedReceipt,
    HangUp,
    Menu,
    Outcome,
    Receipt,
    Say,
    Transfer,
    WebhookRequest,
)
from tests.providers.bench import TO, Base


class Receipts(Base):
    """Adapters whose carrier reports by webhook."""

    def read(self, request: WebhookRequest, reference: str | None = "attempt-1") -> Receipt:
        provider = self.bench.provider("http://127.0.0.1:1")
        try:
            (receipt,) = provider.parse_receipts(request, reference)
            return receipt
        finally:
            asyncio.run(provider.close())

    def signed(self, channel: Channel, status: str | None = None) -> WebhookRequest:
        status = status or self.bench.succeeded(channel)[0]
        return self.bench.receipt(channel, self.bench.ref(channel, 3), status)

    def test_a_receipt_of_what_is_done(self, channel: Channel) -> None:
        status, outcome = self.bench.succeeded(channel)
        receipt = self.read(self.signed(channel))
        assert (receipt.channel, receipt.provider_ref) == (channel, self.bench.ref(channel, 3))
        assert (receipt.status, receipt.outcome, receipt.final) == (status, outcome, True)
        assert receipt.reference == "attempt-1"

    def test_a_receipt_of_what_is_under_way(self, channel: Channel) -> None:
        receipt = self.read(self.signed(channel, self.bench.under_way(channel)))
        assert (receipt.outcome, receipt.final) == (None, False)

    def test_a_receipt_with_a_status_unheard_of_is_other(self, channel: Channel) -> None:
        assert self.read(self.signed(channel, self.bench.unheard_of())).outcome is Outcome.OTHER

    def test_the_kept_report_holds_nothing_personal(self, channel: Channel) -> None:
        request = self.signed(channel)
        said = str(request.form) + request.body.decode("utf-8", "replace")
        assert TO[3:] in said, "the test would prove nothing"
        receipt = self.read(request)
        assert receipt.raw
        assert TO[3:] not in repr(receipt)

    def test_doubled_or_replayed_says_the_same_thing(self, channel: Channel) -> None:
        first, again = self.read(self.signed(channel)), self.read(self.signed(channel))
        assert first.deduplication_key == again.deduplication_key
        assert first == again

    def test_late_is_told_apart_from_what_came_before_it(self, channel: Channel) -> None:
        late = self.read(self.signed(channel, self.bench.under_way(channel)))
        done = self.read(self.signed(channel))
        assert late.deduplication_key != done.deduplication_key
        assert (late.final, done.final) == (False, True)

    def test_an_honest_report_played_to_another_address_names_its_own_contact(
        self, channel: Channel
    ) -> None:
        honest = self.signed(channel)
        elsewhere = replace(honest, url=honest.url.replace("receipts", "elsewhere"))
        assert elsewhere != honest
        with suppress(ForgedReceipt):
            assert self.read(elsewhere, "attempt-2").reference == "attempt-1"

    def test_an_unsigned_receipt(self, channel: Channel) -> None:
        plain = self.signed(channel).url.partition("?")[0]
        with pytest.raises(ForgedReceipt):
            self.read(replace(self.signed(channel), headers={}, url=plain))

    def test_a_receipt_forged_in_any_part(self, channel: Channel) -> None:
        honest = self.signed(channel)
        another = self.signed(channel, self.bench.under_way(channel))
        forgeries = [
            *self.bench.forgeries(honest, another),
            *(
                replace(honest, headers=headers)
                for headers in (
                    {name: value[::-1] for name, value in honest.headers.items()},
                    dict.fromkeys(honest.headers, "é"),
                )
                if honest.headers
            ),
        ]
        assert forgeries
        for forgery in forgeries:
            with pytest.raises(ForgedReceipt):
                self.read(forgery)

    def test_a_signature_alone_is_verified_too(self, channel: Channel) -> None:
        provider = self.bench.provider("http://127.0.0.1:1")
        try:
            provider.verify(self.signed(channel))
            another = self.signed(channel, self.bench.under_way(channel))
            for forgery in self.bench.forgeries(self.signed(channel), another):
                with pytest.raises(ForgedReceipt):
                    provider.verify(forgery)
        finally:
            asyncio.run(provider.close())


class CallInstructions(Base):
    """Adapters that place auto-calls."""

    def test_every_instruction_is_rendered(self) -> None:
        provider = self.bench.provider("http://127.0.0.1:1")
        content_type, body = provider.render(
            [
                Say("区役所です & <お知らせ>"),
                Menu(Say("1を押してください"), frozenset("12"), "https://ward.example/v?a=1&b=2"),
                Transfer("+81354321111", "https://ward.example/after"),
                HangUp(),
            ]
        )
        asyncio.run(provider.close())
        assert content_type
        assert "区役所です" in body
        assert "1を押してください" in body
        assert "+81354321111" in body

    @pytest.mark.parametrize("key", ["", "1", "#"])
    def test_which_call_and_which_key(self, key: str) -> None:
        ref = self.bench.ref(Channel.AUTO_CALL, 9)
        provider = self.bench.provider("http://127.0.0.1:1")
        try:
            assert provider.read_call(self.bench.asks(ref, key)) == CallRequest(ref, key)
        finally:
            asyncio.run(provider.close())

    def test_a_forged_key_press(self) -> None:
        ref = self.bench.ref(Channel.AUTO_CALL, 9)
        honest, other = self.bench.asks(ref, "1"), self.bench.asks(ref, "2")
        provider = self.bench.provider("http://127.0.0.1:1")
        try:
            for forgery in (replace(honest, form=other.form), replace(honest, headers={})):
                with pytest.raises(ForgedReceipt):
                    provider.read_call(forgery)
        finally:
            asyncio.run(provider.close())
