"""Every ready-made declaration passes the contract."""

from __future__ import annotations

from providers.gateway.source import library
from tests.providers import gateway_bench as benches
from tests.providers.contract import contract


class TestAsynchronousWebhook(*contract(benches.AsynchronousWebhook.capabilities)):  # type: ignore[misc]
    bench = benches.AsynchronousWebhook()


class TestPollingOnly(*contract(benches.PollingOnly.capabilities)):  # type: ignore[misc]
    bench = benches.PollingOnly()


class TestSeveralReceipts(*contract(benches.SeveralReceipts.capabilities)):  # type: ignore[misc]
    bench = benches.SeveralReceipts()


class TestFormCp932(*contract(benches.FormCp932.capabilities)):  # type: ignore[misc]
    bench = benches.FormCp932()


class TestRecordedCall(*contract(benches.RecordedCall.capabilities)):  # type: ignore[misc]
    bench = benches.RecordedCall()


def test_each_declaration_is_on_the_bench() -> None:
    tested = {bench.declaration for bench in benches.GatewayBench.__subclasses__()}
    assert tested == set(library())
