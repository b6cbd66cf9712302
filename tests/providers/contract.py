"""What every adapter must do: one suite, chosen by the capabilities an adapter declares.

An adapter's test module supplies a :class:`tests.providers.bench.Bench` and inherits what
:func:`contract` gives:

    class TestMyCarrier(*contract(MyBench.capabilities)):
        bench = MyBench()
"""

from __future__ import annotations

from collections.abc import Callable

from providers.base import Capabilities, Channel
from tests.providers.bench import Base
from tests.providers.contract_collecting import Collecting
from tests.providers.contract_more import Batches, ByReference, Cancelling, SeveralReceipts
from tests.providers.contract_questions import Listing, Polling
from tests.providers.contract_reports import CallInstructions, Receipts
from tests.providers.contract_scheduling import AtOnceOnly, Scheduling
from tests.providers.contract_submission import OverHttp, Submission

#: Which suite an adapter gets for what it declares.
FOR: tuple[tuple[type[Base], Callable[[Capabilities], bool]], ...] = (
    (Submission, lambda declared: True),
    (Polling, lambda declared: declared.polling),
    (Listing, lambda declared: declared.listing),
    (ByReference, lambda declared: declared.look_up_by_reference),
    (Receipts, lambda declared: declared.webhook_receipts),
    (SeveralReceipts, lambda declared: declared.several_receipts),
    (Batches, lambda declared: declared.batch_size > 1),
    (Cancelling, lambda declared: declared.cancel),
    (Scheduling, lambda declared: declared.schedule_ahead is not None),
    (AtOnceOnly, lambda declared: Channel.SMS in declared.channels and not declared.schedule_ahead),
    (Collecting, lambda declared: declared.connection_receipts),
    (CallInstructions, lambda declared: declared.fetches_instructions),
)


def contract(capabilities: Capabilities, *, http: bool = True) -> tuple[type[Base], ...]:
    """The suites for an adapter with these capabilities."""
    suites = [suite for suite, wanted in FOR if wanted(capabilities)]
    if http:
        suites.append(OverHttp)
    names = [name for suite in suites for name in vars(suite) if name.startswith("test_")]
    assert len(names) == len(set(names)), "of two tests with one name only one would run"
    return tuple(suites)
