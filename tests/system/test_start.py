"""What a process loads when it starts."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Seconds of start-up, and a quarter of a gigabyte, that only a report is worth.
STATISTICS = ("pandas", "scipy.stats", "statsmodels")


@pytest.mark.parametrize("part", ["contact_service.web.app", "contact_service.worker"])
def test_it_starts_without_the_statistics(part: str) -> None:
    asked = f"import sys, {part}; print([m for m in {STATISTICS!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
