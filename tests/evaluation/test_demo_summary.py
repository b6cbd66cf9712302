"""What the demo prints last, where small numbers are withheld."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from contact_service.demo.run import Finished
from contact_service.demo.summary import summary
from contact_service.evaluation.disclosure import HIDDEN

FILES = ("claims", "restrictions", "payments", "calls")


def test_withheld_numbers_are_printed_as_withheld() -> None:
    report: Any = SimpleNamespace(counts=SimpleNamespace(accepted=1234, rejected=0))
    figures: dict[str, Any] = {
        "flow": {
            "arms": [{"clusters": 100}],
            "assessed_debtors": 1000,
            "randomised_debtors": 900,
            "excluded_debtors": 100,
        },
        "payment": {"comparisons": [{"arm": "sms", "risk_difference": None}]},
        "contacts": {
            "outcomes": [
                {
                    "channel": "sms",
                    "made": 1000,
                    "unknown": HIDDEN,
                    "outcomes": {"undelivered": HIDDEN, "delivered": 900, "invalid_number": 95},
                }
            ]
        },
        "load": {"comparison": [{"measure": "inbound_calls", "before": 1.0, "after": 2.0}]},
    }
    lines = summary(
        Finished(Path("report.html"), figures, dict.fromkeys(FILES, report), 995, 1, 60)
    )
    assert any(f"不明 {HIDDEN}" in line and "900" in line and "95" in line for line in lines)
    assert any("人数が少ない" in line for line in lines)
