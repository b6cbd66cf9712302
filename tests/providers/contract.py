"""What every adapter must do: one suite, chosen by the capabilities an adapter declares.

An adapter's test module supplies a :class:`tests.providers.bench.Bench` and inherits what
:func:`contract` gives:

    class TestMyCarrier(*contract(MyBench.capabilities)):
        bench = MyBench()
"""

from __future__ import annotations

from providers.base import Capabilities, Channel
from tests.providers.bench import Base
from tests.providers.contract_questions import Listing, Polling
from tests.providers.contract_reports import CallInstructions, Receipts
from tests.providers.contract_submission import Submission


def contract(capabilities: Capabilities) -> tuple[type[Base], ...]:
    """The suites for an adapter with these capabilities."""
    suites: list[type[Base]] = [Submission]
    if capabilities.polling:
        suites.append(Polling)
    if capabilities.listing_complete_after is not None:
        suites.append(Listing)
    if capabilities.webhook_receipts:
        suites.append(Receipts)
    if Channel.AUTO_CALL in capabilities.channels:
        suites.append(CallInstructions)
    names = [name for suite in suites for name in vars(suite) if name.startswith("test_")]
    assert len(names) == len(set(names)), "of two tests with one name only one would run"
    return tuple(suites)
