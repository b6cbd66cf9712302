"""A short run of the chaos harness: the promises hold while things break."""

from __future__ import annotations

import json

import pytest

from tests.chaos.__main__ import main

PROMISES = (
    "accepted_twice", "forgotten", "outside_window", "restricted", "receipts_lost",
    "unknown_unsettled", "stops_felt_late",
)  # fmt: skip


def test_nobody_is_contacted_twice_or_forgotten_whatever_breaks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["--minutes", "0.25", "--attempts", "250", "--workers", "2", "--seed", "5"])
    printed = capsys.readouterr().out
    counts = json.loads(printed.strip().splitlines()[-1])
    assert status == 0, printed
    assert counts["attempts"] >= 250
    assert counts["faults"] > 10
    assert {name: counts[name] for name in PROMISES} == dict.fromkeys(PROMISES, 0)
