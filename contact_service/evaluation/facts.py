"""What a run is, before anything is counted: its definition, arms, horizon, and how much of
the horizon's payments the office can know of yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from campaigns.definition import Arm, Definition
from campaigns.vocabulary import PAYMENT_LAG_DAYS
from contact_service.evaluation.counts import Counts

#: Convenience-store and bank data reach an office up to about two weeks late; a trial's
#: definition may say otherwise.
PAYMENT_LAG = timedelta(days=PAYMENT_LAG_DAYS)


class NoSuchRun(Exception):
    """There is no run with this identifier."""


class Completeness(StrEnum):
    """How far the payments of the horizon can be known."""

    FINAL = "final"  # the horizon is over, and the lag after it
    PROVISIONAL = "provisional"  # over, but late payments may still arrive
    INTERIM = "interim"  # the horizon is not over
    UNKNOWN = "unknown"  # no payments file has come since the start


@dataclass(frozen=True)
class RunFacts:
    """One run. Days are Tokyo's; ``horizon_end`` is the first day that no longer counts."""

    id: UUID
    campaign: str
    version: int
    definition_sha256: str
    definition: Definition
    as_of: date
    seed: str
    state: str
    start_day: date
    planned_at: datetime
    approved_at: datetime | None
    training: bool
    assessed_debtors: int
    assessed_claims: int
    known_until: date | None
    payment_files: int

    @property
    def horizon_end(self) -> date:
        """The day after the last one whose payments count."""
        return self.start_day + timedelta(days=self.definition.trial.horizon_days)

    @property
    def payment_lag(self) -> timedelta:
        """How late payments may reach the office: convenience stores and banks take weeks."""
        return timedelta(days=self.definition.trial.payment_lag_days)

    @property
    def days_complete(self) -> int:
        """How many days of the horizon have surely all their payments."""
        if self.complete_until is None:
            return 0
        passed = (self.complete_until - self.start_day).days + 1
        return max(0, min(self.definition.trial.horizon_days, passed))

    @property
    def complete_until(self) -> date | None:
        """The last day whose payments have surely arrived."""
        return self.known_until - self.payment_lag if self.known_until else None

    @property
    def days_observed(self) -> int:
        """How many days of the horizon the latest payments file can tell of."""
        if self.known_until is None:
            return 0
        passed = (self.known_until - self.start_day).days + 1
        return max(0, min(self.definition.trial.horizon_days, passed))

    @property
    def completeness(self) -> Completeness:
        """How far the payments of the horizon can be known."""
        if self.known_until is None or self.days_observed == 0:
            return Completeness.UNKNOWN
        if self.known_until < self.horizon_end - timedelta(days=1):
            return Completeness.INTERIM
        if self.known_until - self.payment_lag < self.horizon_end - timedelta(days=1):
            return Completeness.PROVISIONAL
        return Completeness.FINAL

    @property
    def control(self) -> Arm | None:
        """The holdout that the others are compared with; ``None`` when nobody is left alone."""
        return next((arm for arm in self.definition.arms if arm.holdout), None)

    def in_order(self, arms: set[str]) -> list[str]:
        """Arms in the definition's order; any others after them."""
        defined = [arm.name for arm in self.definition.arms]
        return [a for a in defined if a in arms] + sorted(arms - set(defined))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything needed to find and replay the run."""
        trial = self.definition.trial
        return {
            "id": str(self.id),
            "campaign": self.campaign,
            "title": self.definition.title,
            "purpose": self.definition.purpose,
            "definition_version": self.version,
            "definition_sha256": self.definition_sha256,
            "seed": self.seed,
            "as_of": self.as_of.isoformat(),
            "state": self.state,
            "training": self.training,
            "start_day": self.start_day.isoformat(),
            "planned_at": self.planned_at.isoformat(),
            "approved_at": self.approved_at.isoformat() if self.approved_at else None,
            "primary_outcome": trial.primary_outcome.value,
            "horizon_days": trial.horizon_days,
            "horizon_last_day": (self.horizon_end - timedelta(days=1)).isoformat(),
            "payments_known_until": self.known_until.isoformat() if self.known_until else None,
            "payments_complete_until": (
                self.complete_until.isoformat() if self.complete_until else None
            ),
            "payment_files": self.payment_files,
            "days_observed": self.days_observed,
            "completeness": self.completeness.value,
            "control": self.control.name if self.control else None,
            "arms": [
                {
                    "name": arm.name,
                    "title": arm.title or arm.name,
                    "holdout": arm.holdout,
                    "weight": arm.weight,
                }
                for arm in self.definition.arms
            ],
            "steps": [
                {"name": s.name, "channel": s.channel.value, "after_days": s.start.after_days,
                 "arms": list(self.definition.arms_of(s))}
                for s in self.definition.steps
            ],
        }  # fmt: skip


def run_facts(counts: Counts, run_id: UUID) -> RunFacts:
    """Read a run. Raises :class:`NoSuchRun`."""
    found = counts.rows("run", run_id=run_id)
    if not found:
        raise NoSuchRun(
            f"実施 {run_id} はありません。一覧で識別子を確かめてください / there is no run {run_id}"
        )
    row = found[0]
    known = counts.rows("payments_known")[0]
    return RunFacts(
        id=row["id"],
        campaign=row["campaign"],
        version=row["version"],
        definition_sha256=row["definition_sha256"],
        definition=Definition.model_validate(row["definition"]),
        as_of=row["as_of"],
        seed=row["seed"],
        state=row["state"],
        start_day=row["start_day"],
        planned_at=row["planned_at"],
        approved_at=row["approved_at"],
        training=row["training"],
        assessed_debtors=row["assessed_debtors"],
        assessed_claims=row["assessed_claims"],
        known_until=known["known_until"],
        payment_files=known["files"],
    )
