"""SMPP passes the contract."""

from __future__ import annotations

from tests.providers.contract import contract
from tests.providers.smpp_bench import SmppBench


class TestSmpp(*contract(SmppBench.capabilities, http=False)):  # type: ignore[misc]  # chosen at run time
    bench = SmppBench()
