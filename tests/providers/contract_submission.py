"""Handing over: every adapter, whatever it can do."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import get_args

import pytest

from providers.base import (
    Accepted,
    Cause,
    Channel,
    Message,
    Outcome,
    Provider,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from tests.providers.bench import SECRET_TEXT, TO, Base, contact, meaning
from tests.providers.wire import answer, refusing_origin, reset_unanswered, then_close


class Submission(Base):
    """Every adapter: four results that cannot be mistaken for one another."""

    def test_a_result_is_one_of_four_and_never_two(self) -> None:
        each: list[Result] = [
            Accepted("ref"),
            Refused(Cause.UNKNOWN, Outcome.OTHER),
            Throttled(timedelta(seconds=1)),
            Unknown(),
        ]
        assert {type(result) for result in each} == set(get_args(Result))
        assert [meaning(one) for one in each] == ["accepted", "refused", "throttled", "unknown"]
        with pytest.raises(AssertionError):
            meaning("accepted")  # type: ignore[arg-type]  # what is none of the four

    def test_taken(self, channel: Channel) -> None:
        ref = self.bench.ref(channel, 1)
        result, carrier = self.submit(channel, self.bench.accepts(channel, ref))
        assert isinstance(result, Accepted)
        assert result.provider_ref == ref
        assert result.parts == 1
        assert len(carrier.seen) == 1

    def test_refused_connection_is_provably_not_taken(self, channel: Channel) -> None:
        async def conversation() -> Result:
            provider = self.bench.provider(self.bench.refusing())
            try:
                return await provider.submit(contact(channel))
            finally:
                await provider.close()

        result = asyncio.run(conversation())
        assert isinstance(result, Throttled)
        assert timedelta() < result.retry_after <= timedelta(minutes=1)

    def test_what_may_have_been_taken_is_unknown(self, channel: Channel, fault: str) -> None:
        result, carrier = self.submit(channel, self.bench.may_have_been_taken[fault])
        assert meaning(result) == "unknown", result
        assert len(carrier.seen) == 1, "sent again on a guess"

    def test_a_fault_of_the_carrier_is_called_so(self, channel: Channel) -> None:
        result, _ = self.submit(channel, self.bench.their_fault())
        assert isinstance(result, Unknown)
        assert result.cause is Cause.THEIR_FAULT

    def test_throttled(self, channel: Channel) -> None:
        result, _ = self.submit(channel, self.bench.throttles())
        assert isinstance(result, Throttled)
        assert timedelta() < result.retry_after <= timedelta(hours=1)

    def test_our_credentials(self, channel: Channel) -> None:
        for behaviour in self.bench.rejects_us():
            result, _ = self.submit(channel, behaviour)
            assert isinstance(result, Refused)
            assert result.cause is Cause.OUR_CREDENTIALS

    def test_an_unheard_of_refusal_is_other(self, channel: Channel) -> None:
        for behaviour in self.bench.refuses_for_reasons_unheard_of():
            result, _ = self.submit(channel, behaviour)
            assert isinstance(result, Refused)
            assert (result.cause, result.outcome) == (Cause.UNKNOWN, Outcome.OTHER)

    def test_results_and_logs_hold_nothing_personal(
        self, channel: Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        seen = [
            repr(self.submit(channel, behaviour)[0])
            for behaviour in (
                self.bench.accepts(channel, self.bench.ref(channel, 1)),
                *self.bench.talks_about_people(),
            )
        ]
        provider = self.bench.provider(self.bench.refusing())
        seen += [repr(provider), str(provider), caplog.text]
        asyncio.run(provider.close())
        for private in (TO[3:], SECRET_TEXT, *self.bench.secrets):
            assert not [text for text in seen if private in text]

    def test_at_once(self, channel: Channel) -> None:
        async def many(provider: Provider) -> list[Result]:
            return await asyncio.gather(
                *(provider.submit(contact(channel, number)) for number in range(50))
            )

        refs = [self.bench.ref(channel, number) for number in range(50)]
        results, _ = self.ask(many, *self.bench.accepts_all(channel, refs))
        assert sorted(one.provider_ref for one in results if isinstance(one, Accepted)) == refs

    def test_half_a_surrogate_pair_is_refused_before_anything_leaves(self) -> None:
        if Channel.SMS not in self.bench.capabilities.channels:
            return
        broken = Message("attempt-1", TO, "区役所\ud842です")

        async def conversation() -> tuple[Result, int]:
            async with self.bench.serve() as carrier:
                provider = self.bench.provider(carrier.origin)
                try:
                    return await provider.submit(broken), len(carrier.seen)
                finally:
                    await provider.close()

        result, requests = asyncio.run(conversation())
        assert requests == 0
        assert isinstance(result, Refused)
        assert result.cause is Cause.NEVER_THIS_CONTENT

    def test_parts_never_fall_below_one_or_shrink(self) -> None:
        provider = self.bench.provider(self.bench.refusing())
        counts = [provider.parts("あ" * length) for length in range(700)]
        asyncio.run(provider.close())
        assert counts[0] == 1
        assert counts == sorted(counts)

    def test_health(self) -> None:
        said, _ = self.ask(lambda provider: provider.health(), *self.bench.healthy())
        assert said is None

    def test_ill_health_in_words(self) -> None:
        for behaviour in self.bench.ill():
            said, _ = self.ask(lambda provider: provider.health(), behaviour)
            assert said is not None
            assert " / " in said, "in Japanese and in English"

    def test_a_price_is_in_yen_and_grows_with_the_parts(self) -> None:
        provider = self.bench.provider(refusing_origin())
        asyncio.run(provider.close())
        if Channel.SMS in self.bench.capabilities.channels:
            one, two = (provider.price(Message("r", TO, "あ" * length)) for length in (70, 71))
            assert (one is None) == (two is None)
            assert one is None or (two is not None and 0 < one < two)


class OverHttp(Base):
    """What only HTTP has."""

    def test_a_reused_connection_that_breaks_is_unknown(self, channel: Channel) -> None:
        """The second request leaves on the connection of the first and is read whole."""

        async def twice(provider: Provider) -> tuple[Result, Result]:
            return await provider.submit(contact(channel)), await provider.submit(contact(channel))

        accepted = self.bench.accepts(channel, self.bench.ref(channel, 1))
        (first, second), carrier = self.ask(twice, accepted, reset_unanswered)
        assert carrier.connections == 1
        assert (meaning(first), meaning(second)) == ("accepted", "unknown")
        assert len(carrier.seen) == 2, "sent again on a guess"

    def test_a_connection_closed_while_idle_sends_nothing_twice(self, channel: Channel) -> None:
        """The carrier closes after its first answer; the second request may find out late."""

        async def twice(provider: Provider) -> tuple[Result, Result]:
            return await provider.submit(contact(channel)), await provider.submit(contact(channel))

        accepted = self.bench.accepts(channel, self.bench.ref(channel, 1))
        again = self.bench.accepts(channel, self.bench.ref(channel, 2))
        (first, second), carrier = self.ask(twice, then_close(accepted), again)
        assert meaning(first) == "accepted"
        assert (meaning(second), len(carrier.seen)) in {("accepted", 2), ("unknown", 1)}

    def test_throttled_as_long_as_asked(self, channel: Channel) -> None:
        result, _ = self.submit(channel, answer(429, {}, headers={"Retry-After": "17"}))
        assert isinstance(result, Throttled)
        assert result.retry_after == timedelta(seconds=17)

    @pytest.mark.parametrize("value", [None, "", "soon", "-3", "0", "0x10", "9" * 40])
    def test_throttled_for_a_time_of_our_choice(self, channel: Channel, value: str | None) -> None:
        headers = {} if value is None else {"Retry-After": value}
        result, _ = self.submit(channel, answer(429, b"", headers=headers))
        assert isinstance(result, Throttled)
        assert timedelta() < result.retry_after <= timedelta(hours=1)

    def test_proxies_of_the_environment_are_not_used(
        self, channel: Channel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, refusing_origin())
        accepted = self.bench.accepts(channel, self.bench.ref(channel, 1))
        result, _ = self.submit(channel, accepted)
        assert meaning(result) == "accepted"
