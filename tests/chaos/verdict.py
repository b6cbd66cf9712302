"""What the carrier counted against what the ledger says."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.chaos.faults import in_hours
from tests.chaos.world import World

#: A contact that was leased in its hours may still be on its way to the carrier this long.
ON_ITS_WAY = timedelta(seconds=5)
#: Why an attempt may end without having been sent.
PUT_ASIDE = {"paid", "restricted", "already_reached", "contact_cap"}
NUMBERS = (
    "attempts", "faults", "accepted_twice", "forgotten", "outside_window", "restricted",
    "receipts_lost", "unknown_unsettled",
)  # fmt: skip


@dataclass
class Verdict:
    """The counts of a run, and each violation in words."""

    attempts: int = 0
    faults: int = 0
    accepted_twice: int = 0
    forgotten: int = 0
    outside_window: int = 0
    restricted: int = 0
    receipts_lost: int = 0
    unknown_unsettled: int = 0
    stops_felt_late: int = 0
    violations: list[str] = field(default_factory=list)

    def found(self, kind: str, what: str) -> None:
        """Count a violation."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.violations.append(f"{kind}: {what}")

    @property
    def numbers(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name != "violations"}


@dataclass(frozen=True)
class Mark:
    """From an instant of the database's clock on, this person must not be contacted."""

    debtor_id: int
    what: str
    at: datetime


def attempt_of(entry: dict[str, Any]) -> UUID:
    """Which attempt the carrier took, by the address that it reports to."""
    return UUID(str(entry["status_callback"]).rpartition("/")[2])


def judge(world: World, marks: list[Mark], faults: int, late_stops: list[str]) -> Verdict:
    """Count. Nothing may be under way any more."""
    taken = world.journal("accepted")
    verdict = Verdict(faults=faults)
    attempts = {
        row.id: row
        for row in world.rows(
            "SELECT a.id, a.state, a.reason, a.outcome, a.provider_ref, a.needs_person, a.step, "
            "a.try_number, t.addressee_id FROM attempt a JOIN target t ON t.id = a.target_id"
        )
    }
    verdict.attempts = len(attempts)
    for said in late_stops:
        verdict.found("stops_felt_late", said)
    counted = Counter(attempt_of(entry) for entry in taken)
    for attempt, times in counted.items():
        if times > 1:
            verdict.found("accepted_twice", f"{attempt} {times} times: {attempts.get(attempt)}")
    # also who said no more, or whose number the carrier does not know
    spoken = world.rows(
        "SELECT DISTINCT dp.debtor_id FROM restriction r JOIN debtor_phone dp "
        "ON dp.phone_id = r.phone_id WHERE r.origin = 'resident'"
    )
    known = {mark.debtor_id for mark in marks} | {row.debtor_id for row in spoken}
    _forgotten(verdict, attempts, counted, known)
    leases = world.rows(
        "SELECT attempt_id, lease_number, began, service_at FROM chaos_lease ORDER BY began"
    )
    _window(verdict, world, taken, leases)
    _restricted(verdict, marks, attempts, counted, leases)
    _receipts(verdict, world)
    return verdict


def _forgotten(
    verdict: Verdict, attempts: dict[UUID, Any], counted: Counter[UUID], marked: set[int]
) -> None:
    for attempt, row in attempts.items():
        sent = counted[attempt] > 0
        if row.state in ("unknown", "leased") and not row.needs_person:
            verdict.found("unknown_unsettled", f"{row}")
        elif row.state in ("planned", "accepted"):
            verdict.found("forgotten", f"not finished: {row}")
        elif row.state == "skipped":
            unmarked = row.reason in ("paid", "restricted") and row.addressee_id not in marked
            if row.reason not in PUT_ASIDE or unmarked:
                verdict.found("forgotten", f"put aside without cause: {row}")
            if sent:
                verdict.found("forgotten", f"sent, yet put aside: {row}")
        elif row.state == "finished" and sent != (row.provider_ref is not None):
            verdict.found("forgotten", f"carrier has it {counted[attempt]} times: {row}")
    for attempt in counted.keys() - attempts.keys():
        verdict.found("forgotten", f"the carrier took {attempt}, which we do not know")


def _window(verdict: Verdict, world: World, taken: list[dict[str, Any]], leases: list[Any]) -> None:
    leased: dict[UUID, list[datetime]] = {}
    for lease in leases:
        leased.setdefault(lease.attempt_id, []).append(lease.service_at)
    for entry in taken:
        attempt, at = attempt_of(entry), datetime.fromisoformat(entry["at"])
        began = leased.get(attempt, [])
        if not any(in_hours(instant) for instant in began):
            verdict.found("outside_window", f"{attempt} leased at {began}")
        elif not in_hours(at) and not _on_its_way(world, began, at):
            verdict.found("outside_window", f"{attempt} taken at {at}, leased at {began}")


def _on_its_way(world: World, leased: list[datetime], at: datetime) -> bool:
    """Whether hours closed, or the clock was moved, while the request was under way."""
    if any(timedelta(0) <= at - began <= ON_ITS_WAY for began in leased if in_hours(began)):
        return True
    return any(
        abs(gone - began) <= ON_ITS_WAY and timedelta(0) <= at - came <= ON_ITS_WAY
        for gone, came in world.jumps
        for began in leased
    )


def _restricted(
    verdict: Verdict,
    marks: list[Mark],
    attempts: dict[UUID, Any],
    counted: Counter[UUID],
    leases: list[Any],
) -> None:
    since = {mark.debtor_id: mark for mark in reversed(marks)}
    for lease in leases:
        row = attempts[lease.attempt_id]
        mark = since.get(row.addressee_id)
        if mark is not None and lease.began > mark.at and counted[lease.attempt_id]:
            verdict.found("restricted", f"{mark} leased at {lease.began}: {row}")


def _receipts(verdict: Verdict, world: World) -> None:
    known = {(r.provider_ref, r.status) for r in world.rows(
        "SELECT provider_ref, status FROM event")}  # fmt: skip
    for entry in world.journal("acknowledged"):
        if (entry["sid"], entry["status"]) not in known:
            verdict.found("receipts_lost", f"acknowledged, not stored: {entry}")
    silent = world.rows(
        "SELECT id, provider_ref, outcome, reason FROM attempt a WHERE state = 'finished' "
        "AND provider_ref IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event e "
        "WHERE e.provider_ref = a.provider_ref AND e.final)"
    )
    for row in silent:
        verdict.found("receipts_lost", f"no final report: {row}")
