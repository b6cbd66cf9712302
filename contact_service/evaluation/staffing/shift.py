"""The plan's question: what if operators dial less and answer more?

From the call log, the load of an average working day by half-hour; then, for outbound cut step
by step, the operators that are left to dial and those who answer at the service level.
A calculation, not a forecast: that residents call more or less often because fewer are dialled,
or because messages are sent instead, goes in as a stated change of inbound calls.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from math import ceil
from typing import Any

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.erlang import offered_load
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.load import HALF_HOUR_SECONDS, Origin, load_figures
from contact_service.evaluation.report import NoCalls
from contact_service.evaluation.staffing.performance import (
    Standard,
    agents_needed,
    performance,
    rostered,
)
from contact_service.store import audit

#: The shares by which outbound dialling is cut.
CUTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_HALF_HOUR = HALF_HOUR_SECONDS / 3600

Figures = dict[str, Any]


class NothingToStaff(Exception):
    """The period has no working day with calls, or nobody who called was ever answered."""


def shift_figures(
    service: Service,
    actor: Actor,
    start: date | None,
    end: date | None,
    standard: Standard,
    inbound_change: float = 0.0,
) -> Figures:
    """The present load and what remains of it, from ``start`` to ``end``, both included; left
    out, the first and last day of the call log.

    ``inbound_change`` is relative (0.05: 5 % more inbound calls), at least −1, and the same at
    every cut. Reads counts only. Raises :class:`NotAllowed`, :class:`NoCalls`,
    :class:`NothingToStaff`.
    """
    require(actor, *READERS)
    at = service.clock.now()
    snapshot = service.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        known = Counts(connection).rows("call_days")[0]
        if not known["calls"]:
            raise NoCalls(
                "通話記録がありません。intake calls で取り込んでください / "
                "the call log is empty: import one with intake calls"
            )
        first, last = start or known["first_day"], end or known["last_day"]
        load = load_figures(connection, first, None, last)
        audit.record(connection, at, actor, "centre.shift", f"{first}/{last}")
    return shift(load, standard, inbound_change)


def shift(load: Figures, standard: Standard, inbound_change: float) -> Figures:
    """The same from figures of :func:`load_figures` that have no day of change."""
    days = load["working_days"]["after"]
    present = present_day(load)
    return {
        "from": load["from"],
        "to": load["to"],
        "working_days": days,
        "working_days_without_records": load["working_days_without_records"],
        "assumptions": {
            **asdict(standard),
            "model": "erlang_c" if standard.patience_seconds is None else "erlang_a",
            "inbound_change": inbound_change,
        },
        "present": {**_per_day(present, days), "by_half_hour": present},
        "scenarios": [_scenario(present, days, standard, cut, inbound_change) for cut in CUTS],
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
            "この期間の平日に通話がありません。--from と --to を変えてください / "
            "no call on a working day of the period: choose other days with --from and --to"
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
        "service_level": performance(load, answering, aht, standard).service_level,
        "outbound_agent_hours": row["outbound_agent_hours"],
    }
