"""What only some carriers can do: batches, questions by our own identifier, taking back."""

from __future__ import annotations

import asyncio

import pytest

from providers.base import (
    Accepted,
    Channel,
    ForgedReceipt,
    Listed,
    Outcome,
    ProviderUnavailable,
    Receipt,
    Refused,
    Result,
    Throttled,
)
from tests.providers.bench import TO, Base, contact, meaning
from tests.providers.wire import Behaviour, answer, reset_unanswered


class Batches(Base):
    """Adapters whose carrier takes several contacts in one request."""

    def send(self, channel: Channel, count: int, *plan: Behaviour) -> tuple[list[Result], int]:
        contacts = [contact(channel, number) for number in range(count)]
        results, carrier = self.ask(lambda provider: provider.submit_batch(contacts), *plan)
        assert len(results) == count
        return list(results), len(carrier.seen)

    def test_all_taken_in_one_request(self, channel: Channel) -> None:
        refs = [self.bench.ref(channel, number) for number in range(7)]
        results, requests = self.send(channel, 7, *self.bench.accepts_all(channel, refs))
        assert [one.provider_ref for one in results if isinstance(one, Accepted)] == refs
        assert requests == 1

    def test_more_than_one_request_takes(self, channel: Channel) -> None:
        size = self.bench.capabilities.batch_size
        refs = [self.bench.ref(channel, number) for number in range(size + 1)]
        plan = [
            *self.bench.accepts_all(channel, refs[:size]),
            *self.bench.accepts_all(channel, refs),  # names more than was asked
        ]
        results, requests = self.send(channel, size + 1, *plan)
        assert requests == 2
        assert all(isinstance(one, Accepted) for one in results)

    def test_some_taken_some_refused_and_one_not_mentioned(self, channel: Channel) -> None:
        ref = self.bench.ref(channel, 0)
        mixed = self.bench.accepts_some(channel, ref)  # attempt-0; refuses attempt-1
        results, _ = self.send(channel, 3, mixed)
        assert [meaning(one) for one in results] == ["accepted", "refused", "unknown"]
        assert isinstance(results[1], Refused)
        assert results[1].outcome is Outcome.INVALID_NUMBER

    def test_a_fault_counts_for_all_of_them(self, channel: Channel, fault: str) -> None:
        results, requests = self.send(channel, 3, self.bench.may_have_been_taken[fault])
        assert [meaning(one) for one in results] == ["unknown"] * 3
        assert requests == 1, "sent again on a guess"

    def test_too_many_counts_for_all_of_them(self, channel: Channel) -> None:
        results, _ = self.send(channel, 3, self.bench.throttles())
        assert all(isinstance(one, Throttled) for one in results)

    def test_what_cannot_be_written_stays_out_of_the_request(self, channel: Channel) -> None:
        from dataclasses import replace

        contacts = [contact(channel, number) for number in range(2)]
        contacts[1] = replace(contacts[1], to="+12025550123")
        plan = self.bench.accepts_all(channel, [self.bench.ref(channel, 0)])
        results, carrier = self.ask(lambda provider: provider.submit_batch(contacts), *plan)
        assert [meaning(one) for one in results] == ["accepted", "refused"]
        assert "2025550123" not in carrier.seen[0].body


class SeveralReceipts(Base):
    """Adapters whose carrier brings many reports in one request."""

    def test_each_counts_in_its_order(self, channel: Channel) -> None:
        under_way, (done, outcome) = self.bench.under_way(channel), self.bench.succeeded(channel)
        pairs = [
            (self.bench.ref(channel, 1), under_way),
            (self.bench.ref(channel, 2), done),
            (self.bench.ref(channel, 1), done),
        ]
        provider = self.bench.provider("http://127.0.0.1:1")
        asyncio.run(provider.close())
        receipts = provider.parse_receipts(self.bench.several(channel, pairs), None)
        assert [(one.provider_ref, one.status) for one in receipts] == pairs
        assert [one.outcome for one in receipts] == [None, outcome, outcome]
        assert len({one.deduplication_key for one in receipts}) == 3

    def test_none_is_none(self, channel: Channel) -> None:
        provider = self.bench.provider("http://127.0.0.1:1")
        asyncio.run(provider.close())
        assert list(provider.parse_receipts(self.bench.several(channel, []), None)) == []

    def test_one_that_cannot_be_read_spoils_the_request(self, channel: Channel) -> None:
        """Stored by halves it would be acknowledged, and the rest lost."""
        pairs = [(self.bench.ref(channel, 1), self.bench.under_way(channel)), ("", "")]
        provider = self.bench.provider("http://127.0.0.1:1")
        asyncio.run(provider.close())
        with pytest.raises(ForgedReceipt):
            provider.parse_receipts(self.bench.several(channel, pairs), None)


class ByReference(Base):
    """Adapters that can ask by our own identifier."""

    def find(self, channel: Channel, *plan: Behaviour) -> Listed | None:
        return self.ask(lambda provider: provider.look_up_reference(channel, "attempt-1"), *plan)[0]

    def test_what_was_taken_is_found(self, channel: Channel) -> None:
        ref = self.bench.ref(channel, 7)
        found = self.find(channel, self.bench.has("attempt-1", ref))
        assert found is not None
        assert (found.provider_ref, found.to) == (ref, TO)
        assert found.receipt.reference == "attempt-1"

    def test_what_was_not_taken_is_not(self, channel: Channel) -> None:
        assert self.find(channel, self.bench.has("attempt-1", None)) is None

    def test_somebody_elses_is_not_ours(self, channel: Channel) -> None:
        assert self.find(channel, self.bench.has("attempt-9", self.bench.ref(channel, 7))) is None

    def test_no_usable_answer_by_reference(self, channel: Channel, silence: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.find(channel, self.bench.no_usable_answer[silence])


class Cancelling(Base):
    """Adapters whose carrier lets one take back what has not gone out."""

    def cancel(self, channel: Channel, *plan: Behaviour) -> Receipt:
        ref = self.bench.ref(channel, 7)
        return self.ask(lambda provider: provider.cancel(channel, ref), *plan)[0]

    def test_taken_back(self, channel: Channel) -> None:
        status = self.bench.canceled(channel)
        ref = self.bench.ref(channel, 7)
        receipt = self.cancel(channel, self.bench.reports(channel, ref, status))
        assert (receipt.outcome, receipt.final) == (Outcome.CANCELED, True)

    def test_too_late(self, channel: Channel) -> None:
        """The carrier's account says what happened instead."""
        ref, (status, outcome) = self.bench.ref(channel, 7), self.bench.succeeded(channel)
        receipt = self.cancel(channel, self.bench.reports(channel, ref, status))
        assert (receipt.outcome, receipt.final) == (outcome, True)

    def test_nobody_can_tell(self, channel: Channel) -> None:
        for behaviour in (answer(500, {}), reset_unanswered, self.bench.knows_none()):
            with pytest.raises(ProviderUnavailable):
                self.cancel(channel, behaviour)
