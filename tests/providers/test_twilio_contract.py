"""Twilio passes the contract."""

from __future__ import annotations

from tests.providers.contract import contract
from tests.providers.contract_scheduling import Scheduling
from tests.providers.twilio_bench import TwilioBench, TwilioServiceBench


class TestTwilio(*contract(TwilioBench.capabilities)):  # type: ignore[misc]  # chosen at run time
    bench = TwilioBench()


class TestTwilioWithAMessagingService(Scheduling):
    """What it can do besides."""

    bench = TwilioServiceBench()
