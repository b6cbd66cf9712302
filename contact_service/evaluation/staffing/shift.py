"""The plan's question: what if operators dial less and answer more?

From the call log, the load of an average working day by half-hour; then, for outbound cut step
by step, the operators that are left to dial and those who answer at the service level.
Messages and auto-calls take the place of what is cut, in the mix of a trial's arm, and cause the
calls that the trial found, with its uncertainty (:mod:`.replacement`). A calculation, not a
forecast: whatever else makes residents call more or less often goes in as a stated change.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from math import ceil
from typing import Any
from uuid import UUID

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.erlang import offered_load
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.load import HALF_HOUR_SECONDS, Origin, load_figures
from contact_service.evaluation.report import run_report
from contact_service.evaluation.staffing.broken_down import logged_days
from contact_service.evaluation.staffing.performance import (
    Standard,
    agents_needed,
    performance,
    rostered,
)
from contact_service.evaluation.staffing.replacement import NoSuchArm, Replacement, replacement
from contact_service.store import audit

#: The shares by which outbound dialling is cut.
CUTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_HALF_HOUR = HALF_HOUR_SECONDS / 3600

Figures = dict[str, Any]


class NothingToStaff(Exception):
    """The period has no working day with calls, or nobody who called was ever answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is thought of in place of dialling."""

    trial: UUID | None = None
    """The run whose arm takes the place; ``None``: nothing does."""
    arm: str | None = None
    """``None``: the arm with most automatic contacts a household."""
    contacts_per_call: float = 1.0
    """Messages and auto-calls for each call that is not dialled any more."""
    inbound_change: float = 0.0
    """Relative change of inbound calls besides (0.05: 5 % more), at least −1, at every cut."""


def shift_figures(
    service: Service,
    actor: Actor,
    start: date | None,
    end: date | None,
    standard: Standard,
    thought: Plan = Plan(),
) -> Figures:
    """The present load and what remains of it, from ``start`` to ``end``, both included; left
    out, the first and last day of the call log.

    Reads counts only. Raises :class:`NotAllowed`, :class:`NoCalls`, :class:`NothingToStaff`,
    :class:`NoSuchRun`, :class:`NoSuchArm`.
    """
    require(actor, *READERS)
    if thought.arm and not thought.trial:
        raise NoSuchArm(
            f"--arm {thought.arm}: 群は試行のものです。試行も選んでください / "
            f"--arm {thought.arm}: an arm is of a trial: choose one, too"
        )
    at = service.clock.now()
    trial = run_report(service, actor, thought.trial, "ja")[1] if thought.trial else None
    snapshot = service.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        first, last = logged_days(Counts(connection), start, end)
        load = load_figures(connection, first, None, last)
        instead = replacement(connection, trial, thought.arm) if trial else None
        audit.record(connection, at, actor, "centre.shift", f"{first}/{last}")
    return shift(load, standard, thought, instead)


def shift(
    load: Figures, standard: Standard, thought: Plan, instead: Replacement | None = None
) -> Figures:
    """The same from figures of :func:`load_figures` that have no day of change."""
    days = load["working_days"]["after"]
    present = present_day(load)
    per_day = _per_day(present, days)
    if not per_day["inbound_calls_per_day"]:
        instead = None  # nobody calls: there is no day to which calls could be added
    return {
        "from": load["from"],
        "to": load["to"],
        "working_days": days,
        "working_days_without_records": load["working_days_without_records"],
        "assumptions": {
            **asdict(standard),
            "model": "erlang_c" if standard.patience_seconds is None else "erlang_a",
            "inbound_change": thought.inbound_change,
            "contacts_per_call": thought.contacts_per_call if instead else None,
        },
        "replacement": instead.as_dict() if instead else None,
        "present": {**per_day, "by_half_hour": present},
        "scenarios": [
            _replaced(present, days, per_day, standard, cut, thought, instead) for cut in CUTS
        ],
        "sources": load["sources"],
    }


def present_day(load: Figures) -> list[Row]:
    """Calls of a working day by half-hour: means over the ``open_days``, the days on which that
    half-hour lay between the day's first and last call.

    Where no inbound call of a half-hour was answered, handle time is the mean of the log.
    Raises :class:`NothingToStaff`.
    """
    usual = _usual_handle_time(load)
    slots: dict[str, dict[str, Row]] = {}
    for row in load["by_half_hour"]:
        if row["origin"] != Origin.AUTO_CALL:  # keeps lines busy, not operators
            slots.setdefault(row["slot"], {})[row["origin"]] = row
    if not slots:
        raise NothingToStaff(
            "この期間の平日に通話の記録がありません。通話記録を取り込むか、ほかの期間を選んで"
            "ください / no call on a working day of the period: import the call log, or choose "
            "other days"
        )
    return [_present_slot(slot, rows, usual) for slot, rows in sorted(slots.items())]


def _present_slot(slot: str, rows: dict[str, Row], usual: float) -> Row:
    inbound, outbound = rows.get(Origin.RESIDENT), rows.get(Origin.OPERATOR)
    calls = inbound["calls_per_day"] if inbound else 0.0
    aht = (inbound["aht_seconds"] if inbound else 0.0) or usual
    return {
        "slot": slot,
        "open_days": max(row["open_days"] for row in rows.values()),
        "inbound_calls": calls,
        "inbound_aht_seconds": aht,
        "inbound_erlangs": offered_load(calls, aht, HALF_HOUR_SECONDS),
        "outbound_calls": outbound["calls_per_day"] if outbound else 0.0,
        "outbound_agent_hours": outbound["erlangs"] * _HALF_HOUR if outbound else 0.0,
    }


def _usual_handle_time(load: Figures) -> float:
    totals = [row for row in load["totals"] if row["origin"] == Origin.RESIDENT]
    calls = sum(row["calls"] for row in totals)
    handled = calls - sum(row["abandoned"] for row in totals)
    seconds = sum(row["handle_seconds"] for row in totals)
    if calls and not seconds:
        raise NothingToStaff(
            "応答した受電がなく、処理時間が分かりません。期間を広げてください / "
            "no inbound call was answered, so handle time is not known: choose a longer period"
        )
    return float(seconds / handled) if handled else 0.0


def _per_day(present: list[Row], days: int) -> Row:
    """Sums of an average working day: half-hours that are not open every day count in part.

    ``inbound_erlang_hours``: work offered, callers who gave up counted as if answered.
    """

    def mean(column: str) -> float:
        return float(sum(row[column] * row["open_days"] for row in present) / days)

    return {
        "inbound_calls_per_day": mean("inbound_calls"),
        "inbound_erlang_hours_per_day": mean("inbound_erlangs") * _HALF_HOUR,
        "outbound_calls_per_day": mean("outbound_calls"),
        "outbound_agent_hours_per_day": mean("outbound_agent_hours"),
    }


def _replaced(
    present: list[Row],
    days: int,
    per_day: Row,
    standard: Standard,
    cut: float,
    thought: Plan,
    instead: Replacement | None,
) -> Row:
    """One cut, with what takes its place. ``low`` and ``high``: the same at the ends of the
    trial's interval; ``None`` where nothing takes the place. What comes besides comes over the
    day as calls do now."""
    if instead is None:
        found = _scenario(present, days, standard, cut, thought.inbound_change)
        return {**found, "contacts_per_day": {}, "caused_calls_per_day": None,
                "low": None, "high": None}  # fmt: skip
    contacts = cut * per_day["outbound_calls_per_day"] * thought.contacts_per_call

    def with_calls(per_contact: float) -> Row:
        caused = contacts * per_contact
        change = thought.inbound_change + caused / per_day["inbound_calls_per_day"]
        found = _scenario(present, days, standard, cut, max(-1.0, change))
        return {**found, "caused_calls_per_day": caused}

    return {
        **with_calls(instead.calls_per_contact),
        "contacts_per_day": {c: contacts * share for c, share in instead.mix.items()},
        "low": with_calls(instead.low),
        "high": with_calls(instead.high),
    }


def _scenario(
    present: list[Row], days: int, standard: Standard, cut: float, inbound_change: float
) -> Row:
    """Operators at one cut.

    ``operator_hours``: whole operators, half-hour by half-hour. ``pooled_operator_hours``: whole
    operators for inbound only, for dialling can wait and be gathered into whole hours; small
    cuts show there that rounding hides in the other.
    """
    more, less = 1 + inbound_change, 1 - cut
    changed = [
        {**row, "inbound_calls": row["inbound_calls"] * more,
         "inbound_erlangs": row["inbound_erlangs"] * more,
         "outbound_calls": row["outbound_calls"] * less,
         "outbound_agent_hours": row["outbound_agent_hours"] * less}
        for row in present
    ]  # fmt: skip
    slots = [_operators(row, standard) for row in changed]
    totals = _per_day(changed, days)

    def hours(column: str) -> float:
        in_all = sum(
            slot[column] * row["open_days"] for slot, row in zip(slots, changed, strict=True)
        )
        return float(in_all / days * _HALF_HOUR)

    peak = max(slot["operators"] for slot in slots)
    return {
        "outbound_cut": cut,
        **totals,
        "peak_operators": peak,
        "peak_rostered": rostered(peak, standard.shrinkage),
        "operator_hours_per_day": hours("operators"),
        "inbound_operator_hours_per_day": hours("inbound_operators"),
        "pooled_operator_hours_per_day": hours("inbound_operators")
        + totals["outbound_agent_hours_per_day"],
        "by_half_hour": slots,
    }


def _operators(row: Row, standard: Standard) -> Row:
    """Whole operators for one half-hour. Who answers does not dial: a dialled conversation
    cannot be broken off for a caller."""
    load, aht = row["inbound_erlangs"], row["inbound_aht_seconds"]
    answering = agents_needed(load, aht, standard)
    # rounded first, or 1.0000000000000002 operators would make two
    dialling = ceil(round(row["outbound_agent_hours"] / _HALF_HOUR, 9))
    return {
        "slot": row["slot"],
        "inbound_operators": answering,
        "outbound_operators": dialling,
        "operators": answering + dialling,
        "inbound_calls": row["inbound_calls"],
        "inbound_erlangs": load,
        "outbound_calls": row["outbound_calls"],
        "service_level": performance(load, answering, aht, standard).service_level,
        "outbound_agent_hours": row["outbound_agent_hours"],
    }
