"""Messages with a time of their own: sent later by the carrier, or refused, never at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from providers.base import Accepted, Cause, Channel, Message, Outcome, Refused, Result
from tests.providers.bench import Base, contact
from tests.providers.wire import Wire

#: An instant, said in Tokyo's time: the carrier may write it in another.
AT = datetime(2026, 12, 7, 9, 30, tzinfo=timezone(timedelta(hours=9)))


def later() -> Message:
    message = contact(Channel.SMS)
    assert isinstance(message, Message)
    return replace(message, send_at=AT)


class Scheduling(Base):
    """Adapters whose carrier sends later by itself."""

    def schedule(self, message: Message) -> tuple[Result, Wire]:
        status, ref = self.bench.scheduled(), self.bench.ref(Channel.SMS, 7)
        taken = self.bench.accepts_as(ref, status)
        return self.ask(lambda provider: provider.submit(message), taken)

    def test_a_message_names_its_instant(self) -> None:
        result, carrier = self.schedule(later())
        assert isinstance(result, Accepted)
        assert self.bench.send_at(carrier.seen[0]) == AT

    def test_a_message_without_a_time_names_none(self) -> None:
        _, carrier = self.schedule(replace(later(), send_at=None))
        assert self.bench.send_at(carrier.seen[0]) is None

    def test_what_is_scheduled_is_under_way_and_can_be_taken_back(self) -> None:
        """The whole of it: taken, asked about, taken back, asked about again."""
        ref = self.bench.ref(Channel.SMS, 7)
        waiting, undone = self.bench.scheduled(), self.bench.canceled(Channel.SMS)
        plan = [
            self.bench.accepts_as(ref, waiting),
            self.bench.reports(Channel.SMS, ref, waiting),
            self.bench.reports(Channel.SMS, ref, undone),
            self.bench.reports(Channel.SMS, ref, undone),
        ]

        async def act(provider):  # type: ignore[no-untyped-def]
            assert isinstance(await provider.submit(later()), Accepted)
            present = await provider.look_up(Channel.SMS, ref)
            taken_back = await provider.cancel(Channel.SMS, ref)
            return present, taken_back, await provider.look_up(Channel.SMS, ref)

        (present, taken_back, afterwards), _ = self.ask(act, *plan)
        assert (present.outcome, present.final) == (None, False)
        assert (taken_back.outcome, taken_back.final) == (Outcome.CANCELED, True)
        assert (afterwards.outcome, afterwards.final) == (Outcome.CANCELED, True)


class AtOnceOnly(Base):
    """Adapters whose carrier would send at once what was meant for tomorrow."""

    def test_a_message_with_a_time_of_its_own_is_refused_and_nothing_sent(self) -> None:
        async def conversation() -> tuple[list[Result], int]:
            async with self.bench.serve() as carrier:
                provider = self.bench.provider(carrier.origin)
                try:
                    one = await provider.submit(later())
                    several = await provider.submit_batch([later()])
                    return [one, *several], len(carrier.seen)
                finally:
                    await provider.close()

        results, requests = asyncio.run(conversation())
        assert requests == 0
        for result in results:
            assert isinstance(result, Refused)
            assert result.cause is Cause.OUR_CREDENTIALS
