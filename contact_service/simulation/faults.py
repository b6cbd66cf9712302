"""What goes wrong on request, drawn from a seeded stream and counted."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from contact_service.simulation.draws import Draws

Probability = Field(default=0.0, ge=0.0, le=1.0)


class FaultPlan(BaseModel):
    """Probabilities per request or per callback; everything left out does not happen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(default=0, ge=0)
    """Faults begin once this many further requests have come."""
    latency_ms: float = Field(default=0.0, ge=0.0)
    """Real milliseconds before every answer of the API."""
    refuse_401: bool = False
    rate_429: float = Probability
    error_500_before: float = Probability
    """A server error, and nothing was taken."""
    reset_before: float = Probability
    """The connection is closed without an answer, and nothing was taken."""
    error_500_after_accepting: float = Probability
    hang_after_accepting: float = Probability
    hang_seconds: float = Field(default=30.0, ge=0.0)
    """Real seconds until a hanging connection is closed without an answer."""
    reset_after_accepting: float = Probability
    drop_callbacks: float = Probability
    double_callbacks: float = Probability
    late_callbacks: float = Probability
    late_seconds: float = Field(default=600.0, ge=0.0)
    """Seconds of the service's clock by which a late callback is late."""
    reorder_callbacks: float = Probability
    """The callback comes after its successor; never drawn for the last of an item."""


class Faults:
    """The plan in force."""

    def __init__(self, draws: Draws) -> None:
        self.plan = FaultPlan()
        self.injected: Counter[str] = Counter()
        self._draws = draws
        self._asked: Counter[str] = Counter()
        self._requests = 0

    def set(self, plan: FaultPlan) -> None:
        """Put a plan in force in place of the former."""
        self.plan = plan
        self._requests = 0

    def request_arrives(self) -> None:
        """Count a request towards the plan's ``after``."""
        self._requests += 1

    @property
    def begun(self) -> bool:
        """Whether the plan's quiet requests are over."""
        return self._requests > self.plan.after

    def strikes(self, kind: str) -> bool:
        """Whether the fault ``kind`` (a field of the plan) happens now."""
        probability = float(getattr(self.plan, kind))
        if probability <= 0.0 or not self.begun:
            return False
        self._asked[kind] += 1
        if not self._draws.happens(probability, "fault", kind, self._asked[kind]):
            return False
        self.injected[kind] += 1
        return True
