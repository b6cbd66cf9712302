"""Adapters whose carrier reports over the connection that contacts go out on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from providers.base import Channel, Collected, Provider
from tests.providers.bench import TO, Base

SOON = timedelta(seconds=5)


class Collecting(Base):
    """Nothing is acknowledged before whoever collects it says that it is on disk."""

    def collect(self, *plan: Any, acknowledge: bool = True) -> tuple[Sequence[Collected], Any]:
        async def act(provider: Provider) -> Sequence[Collected]:
            found = await provider.collect(100, SOON)
            again = await provider.collect(100, SOON)
            assert found == again, "it comes again until it is acknowledged"
            if acknowledge:
                await provider.acknowledge([one.handle for one in found])
                assert await provider.collect(100, timedelta()) == []
            return found

        return self.ask(act, *plan)

    def test_collected_then_acknowledged(self, channel: Channel) -> None:
        ref, (status, outcome) = self.bench.ref(channel, 3), self.bench.succeeded(channel)
        found, carrier = self.collect(self.bench.brings(channel, [(ref, status)]))
        (receipt,) = [receipt for one in found for receipt in one.receipts]
        assert (receipt.provider_ref, receipt.outcome, receipt.final) == (ref, outcome, True)
        assert receipt.raw
        assert TO[3:] not in repr(receipt)
        assert carrier.acknowledged == [0]

    def test_what_is_not_on_disk_is_not_acknowledged(self, channel: Channel) -> None:
        ref, status = self.bench.ref(channel, 3), self.bench.under_way(channel)
        found, carrier = self.collect(
            self.bench.brings(channel, [(ref, status)]), acknowledge=False
        )
        assert len(found) == 1
        assert carrier.acknowledged == []

    def test_doubled_and_late_ones(self, channel: Channel) -> None:
        ref, (done, _) = self.bench.ref(channel, 3), self.bench.succeeded(channel)
        pairs = [(ref, done), (ref, done), (ref, self.bench.under_way(channel))]

        async def act(provider: Provider) -> Sequence[Collected]:
            found: list[Collected] = []
            while len(found) < 3:
                some = await provider.collect(2, SOON)
                assert 0 < len(some) <= 2
                await provider.acknowledge([one.handle for one in some])
                found += some
            return found

        found, _ = self.ask(act, self.bench.brings(channel, pairs))
        keys = [receipt.deduplication_key for one in found for receipt in one.receipts]
        assert keys[0] == keys[1] != keys[2]

    def test_a_connection_that_breaks_takes_its_unacknowledged_ones_along(
        self, channel: Channel
    ) -> None:
        """The carrier brings them again over the next one."""
        ref, (status, _) = self.bench.ref(channel, 3), self.bench.succeeded(channel)
        brings = self.bench.brings(channel, [(ref, status)])

        async def act(provider: Provider) -> tuple[int, int]:
            first = await provider.collect(100, SOON)
            await self.bench.cut()
            await provider.acknowledge([one.handle for one in first])
            second = await provider.collect(100, SOON)
            await provider.acknowledge([one.handle for one in second])
            return len(first), len(second)

        counts, carrier = self.ask(act, brings, brings)
        assert counts == (1, 1)
        assert carrier.acknowledged == [0]
        assert carrier.connections == 2

    def test_nothing_to_collect(self, channel: Channel) -> None:
        found, _ = self.ask(lambda provider: provider.collect(100, timedelta(milliseconds=20)))
        assert list(found) == []
