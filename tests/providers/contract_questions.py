"""Asking the carrier: about one contact, and what it has for a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from providers.base import (
    Channel,
    Listed,
    Outcome,
    ProviderUnavailable,
    Receipt,
)
from tests.providers.bench import SECRET_TEXT, SINCE, TO, Base
from tests.providers.wire import Behaviour, Wire


class Polling(Base):
    """Adapters that can be asked about one contact."""

    def look_up(self, channel: Channel, *plan: Behaviour) -> Receipt | None:
        ref = self.bench.ref(channel, 7)
        return self.ask(lambda provider: provider.look_up(channel, ref), *plan)[0]

    def test_a_look_up_of_what_is_under_way(self, channel: Channel) -> None:
        ref, status = self.bench.ref(channel, 7), self.bench.under_way(channel)
        receipt = self.look_up(channel, self.bench.reports(channel, ref, status))
        assert receipt is not None
        assert (receipt.channel, receipt.provider_ref) == (channel, ref)
        assert (receipt.status, receipt.outcome, receipt.final) == (status, None, False)

    def test_a_look_up_of_what_is_done(self, channel: Channel) -> None:
        ref, (status, outcome) = self.bench.ref(channel, 7), self.bench.succeeded(channel)
        receipt = self.look_up(channel, self.bench.reports(channel, ref, status))
        assert receipt is not None
        assert (receipt.outcome, receipt.final) == (outcome, True)
        assert receipt.occurred_at is not None
        assert receipt.occurred_at.tzinfo is not None
        assert TO[3:] not in repr(receipt)
        assert SECRET_TEXT not in repr(receipt)

    def test_a_look_up_of_a_status_unheard_of_is_other(self, channel: Channel) -> None:
        ref = self.bench.ref(channel, 7)
        receipt = self.look_up(channel, self.bench.reports(channel, ref, self.bench.unheard_of()))
        assert receipt is not None
        assert (receipt.status, receipt.outcome) == (self.bench.unheard_of(), Outcome.OTHER)

    def test_a_look_up_of_what_the_carrier_does_not_know(self, channel: Channel) -> None:
        assert self.look_up(channel, self.bench.knows_none()) is None

    def test_no_usable_answer_to_a_look_up(self, channel: Channel, silence: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.look_up(channel, self.bench.no_usable_answer[silence])


class Listing(Base):
    """Adapters whose listing proves what was taken and what was not."""

    def list_sent(self, channel: Channel, *plan: Behaviour) -> tuple[Sequence[Listed], Wire]:
        return self.ask(lambda provider: provider.list_sent(channel, TO, SINCE), *plan)

    def test_complete_over_all_pages(self, channel: Channel) -> None:
        refs = [self.bench.ref(channel, number) for number in range(5)]
        at = SINCE + timedelta(seconds=1)
        pages = [[(ref, at) for ref in refs[:2]], [(ref, at) for ref in refs[2:4]], [(refs[4], at)]]
        listed, carrier = self.list_sent(channel, *self.bench.lists(channel, pages))
        assert sorted(one.provider_ref for one in listed) == sorted(refs)
        assert len(carrier.seen) == 3
        for one in listed:
            assert (one.to, one.created_at) == (TO, at)
            assert one.body == (SECRET_TEXT if channel is Channel.SMS else None)
            assert one.receipt.channel is channel

    def test_shows_a_record_twice_but_counts_it_once(self, channel: Channel) -> None:
        record = (self.bench.ref(channel, 1), SINCE)
        listed, _ = self.list_sent(channel, *self.bench.lists(channel, [[record], [record]]))
        assert len(listed) == 1

    def test_earlier_ones_are_left_out(self, channel: Channel) -> None:
        instants = [SINCE - timedelta(days=1), SINCE - timedelta(hours=1), SINCE]
        page = [(self.bench.ref(channel, number), at) for number, at in enumerate(instants)]
        listed, _ = self.list_sent(channel, *self.bench.lists(channel, [page]))
        assert [one.created_at for one in listed] == [SINCE]

    def test_a_carriers_clock_may_be_a_little_behind(self, channel: Channel) -> None:
        page = [(self.bench.ref(channel, 1), SINCE - timedelta(seconds=3))]
        listed, _ = self.list_sent(channel, *self.bench.lists(channel, [page]))
        assert len(listed) == 1

    def test_an_empty_listing(self, channel: Channel) -> None:
        listed, _ = self.list_sent(channel, *self.bench.lists(channel, [[]]))
        assert list(listed) == []

    def test_half_a_listing_is_no_listing(self, channel: Channel, silence: str) -> None:
        record = (self.bench.ref(channel, 1), SINCE)
        first, _ = self.bench.lists(channel, [[record], []])
        with pytest.raises(ProviderUnavailable):
            self.list_sent(channel, first, self.bench.no_usable_answer[silence])

    def test_no_listing(self, channel: Channel, silence: str) -> None:
        with pytest.raises(ProviderUnavailable):
            self.list_sent(channel, self.bench.no_usable_answer[silence])
