"""Twilio passes the contract."""

from __future__ import annotations

from tests.providers.contract import contract
from tests.providers.twilio_bench import TwilioBench


class TestTwilio(*contract(TwilioBench.capabilities)):  # type: ignore[misc]  # chosen at run time
    bench = TwilioBench()
