"""What was measured: samples by name, and the lines that a benchmark promises."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Samples:
    """Measurements by name, in the order in which they were made."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float) -> None:
        """Keep one more measurement, and say it: a benchmark takes minutes."""
        self.values[name].append(value)
        print(f"  {name}: {value:,.1f}", flush=True)

    def median(self, name: str) -> float:
        """The median of what was measured under a name. Raises ``KeyError``."""
        if name not in self.values:
            raise KeyError(name)
        return median(self.values[name])


@dataclass(frozen=True)
class Line:
    """One promise: a figure, its goal, and what it means."""

    name: str
    goal: float
    at_least: bool
    meaning: str

    def met(self, value: float) -> bool:
        """Whether a figure reaches the goal."""
        return value >= self.goal if self.at_least else value <= self.goal

    @property
    def shown_goal(self) -> str:
        """The goal with its direction."""
        return f"{'≥' if self.at_least else '≤'} {self.goal:g}"


LINES = (
    Line("dispatch_vs_classic", 15, True,
         "messages/s, due attempt to recorded acceptance, over the classic pipeline's"),
    Line("dispatch_vs_bare_client", 0.6, True,
         "the same over those of the same adapter without database and queue"),
    Line("dispatch_at_latency", 0.75, True,
         "with 100 ms at the carrier: over 100 requests in flight a worker ÷ latency"),
    Line("lease_growth", 1.3, False,
         "time to lease 500 of 1,000,000 with 90 % done over that with 10 % done"),
    Line("memory_growth", 1.2, False,
         "peak of a worker over 1,000,000 attempts, over that of 10,000"),
    Line("receipts_vs_bare_endpoint", 1.2, True,
         "webhooks/s over a bare endpoint that validates, inserts and commits each"),
    Line("receipts_p99_ms", 50, False,
         "milliseconds within which 99 % are answered at the bare endpoint's utmost rate"),
)  # fmt: skip
