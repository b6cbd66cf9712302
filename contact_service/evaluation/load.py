"""The centre's load: inbound, operators' outbound and auto-calls, before and after a day.

Before and after are compared over working days, by segmented regression: see
:mod:`contact_service.evaluation.trial.before_after`. That is still no trial: whatever else
changed that day is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from contact_service.domain.windows import is_holiday, is_year_end
from contact_service.evaluation import erlang
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.trial.before_after import BeforeAfter, before_after

SERVICE_LEVEL = 0.8
WITHIN_SECONDS = 20
HALF_HOUR_SECONDS = 1800


class Origin(StrEnum):
    """Who placed a call: the streams that are never added up as counts."""

    RESIDENT = "resident"  # inbound (受電)
    OPERATOR = "operator"  # outbound by a person (架電)
    AUTO_CALL = "auto_call"  # outbound by machine


#: What is compared per working day: name → (origins, column, divisor).
MEASURES: dict[str, tuple[tuple[Origin, ...], str, int]] = {
    "inbound_calls": ((Origin.RESIDENT,), "calls", 1),
    "inbound_answered": ((Origin.RESIDENT,), "talked", 1),
    "inbound_abandoned": ((Origin.RESIDENT,), "abandoned", 1),
    "inbound_agent_hours": ((Origin.RESIDENT,), "agent_seconds", 3600),
    "operator_calls": ((Origin.OPERATOR,), "calls", 1),
    "operator_agent_hours": ((Origin.OPERATOR,), "agent_seconds", 3600),
    "auto_calls": ((Origin.AUTO_CALL,), "calls", 1),
    "auto_call_agent_hours": ((Origin.AUTO_CALL,), "agent_seconds", 3600),
    "agent_hours": (tuple(Origin), "agent_seconds", 3600),
}
#: The campaign itself makes these: known exactly, nothing to estimate.
MADE_BY_CAMPAIGN = frozenset({"auto_calls", "auto_call_agent_hours"})
_SUMS = ("calls", "talked", "abandoned", "handle_seconds", "agent_seconds", "wait_seconds", "waits")


def is_working_day(day: date) -> bool:
    """Monday to Friday, neither a public holiday nor the year-end closure."""
    return day.weekday() < 5 and not is_holiday(day) and not is_year_end(day)


def load_figures(
    connection: Connection,
    start: date,
    change: date | None,
    end: date,
    *,
    training: bool = False,
) -> dict[str, Any]:
    """Load from ``start`` to ``end``, both included; ``change`` is the first day "after".

    Without ``change`` everything is "after" and nothing is compared. Working days on which the
    log has no call at all are not counted as days without work, but left out and said. A
    stream without a call on most days "after" is not compared: its records may be incomplete.
    ``training`` says that what follows ``change`` is simulated.
    Uses temporary tables: call once in a transaction.
    """
    counts = Counts(connection)
    counts.prepare("prepare_calls", start=start, change=change, end=end)
    by_day = counts.rows("load_days")
    recorded = {row["day"] for row in by_day}
    working = [day for day in _days(start, end) if is_working_day(day)]
    used = [day for day in working if day in recorded]
    before = [day for day in used if change is not None and day < change]
    after = [day for day in used if change is None or day >= change]
    size = {"before": len(before), "after": len(after)}
    found = counts.rows("load_slots", working_days=used)
    mean_day = [_slot(row, size[row["period"]]) for row in found]
    incomplete = _incomplete(by_day, after) if before else {}
    due = [row["due_on"] for row in counts.rows("due_days", start=start, end=end)]
    return {
        "from": start.isoformat(),
        "change": change.isoformat() if change else None,
        "to": end.isoformat(),
        "training": training,
        "working_days": size,
        "working_days_without_records": len(working) - len(used),
        "totals": _totals(by_day),
        "days_without_calls_after": incomplete,
        "due_days": [day.isoformat() for day in due],
        "comparison": [
            _compared(name, by_day, before, after, incomplete, due) for name in MEASURES
        ],
        "by_half_hour": [_slot(row, row["open_days"]) for row in found],
        "mean_day": mean_day,
        "by_weekday": _by_weekday(by_day, before, after),
        "by_day": [
            {**row, "day": row["day"].isoformat(), "working_day": is_working_day(row["day"]),
             "agent_hours": row["agent_seconds"] / 3600,
             "period": "before" if change and row["day"] < change else "after"}
            for row in by_day
        ],
        "by_week": _by_week(by_day),
        "staffing": _staffing(mean_day),
        "counted_by": ["prepare_calls", "load_days", "load_slots", "due_days"],
        "sources": counts.asked,
    }  # fmt: skip


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _totals(by_day: list[Row]) -> list[Row]:
    totals = _grouped(by_day, lambda row: (row["origin"],))
    return [
        {"origin": origin, **sums, "agent_hours": sums["agent_seconds"] / 3600,
         "erlang_hours": sums["handle_seconds"] / 3600,
         "average_wait_seconds": sums["wait_seconds"] / sums["waits"] if sums["waits"] else None}
        for (origin,), sums in totals.items()
    ]  # fmt: skip


def _incomplete(by_day: list[Row], after: list[date]) -> dict[str, int]:
    """Streams of people's calls that have none on most days "after": on how many."""
    found: dict[str, set[date]] = {}
    for row in by_day:
        found.setdefault(row["origin"], set()).add(row["day"])
    missing = {
        origin: sum(day not in days for day in after)
        for origin, days in found.items()
        if origin != Origin.AUTO_CALL
    }
    return {origin: n for origin, n in missing.items() if n * 2 > len(after)}


def _compared(
    name: str,
    by_day: list[Row],
    before: list[date],
    after: list[date],
    incomplete: dict[str, int],
    due: list[date],
) -> Row:
    """Sums and means per working day, and the change as a ratio; none is estimated of what the
    campaign makes itself, nor where records are incomplete."""
    origins, column, divisor = MEASURES[name]
    sums: Counter[date] = Counter()
    for row in by_day:
        if row["origin"] in origins:
            sums[row["day"]] += row[column]
    comparable = name not in MADE_BY_CAMPAIGN and not incomplete.keys() & set(origins)
    found = None
    days = before + after
    values = [sums[day] / divisor for day in days]
    if comparable and before and after and any(values):
        found = before_after(name, days, values, after[0], due)
    return {
        "measure": name,
        "unit": "hours" if divisor == 3600 else "calls",
        "total_before": sum(sums[day] for day in before) / divisor,
        "total_after": sum(sums[day] for day in after) / divisor,
        "made_by_campaign": name in MADE_BY_CAMPAIGN,
        "before": sum(sums[day] for day in before) / divisor / len(before) if before else None,
        "after": sum(sums[day] for day in after) / divisor / len(after) if after else None,
        **_change(found),
    }


def _change(found: BeforeAfter | None) -> Row:
    """What the regression found, and what it finds at dates at which nothing was changed."""
    if found is None:
        nothing = dict.fromkeys(("change", "slope_per_week", "p_value", "placebo_p"))
        return nothing | {"excludes_one": False, "placebos": [], "placebos_against": 0, "notes": []}
    level, slope = found.level, found.slope_per_week
    return {
        "change": level.as_dict() if level else None,
        "slope_per_week": slope.as_dict() if slope else None,
        "p_value": found.p_value,
        "excludes_one": level.excludes(1) if level else False,
        "placebos": [
            {"on": one.on, "ratio": one.ratio.as_dict(), "p_value": one.p_value}
            for one in found.placebos
        ],
        "placebos_against": found.placebos_against,
        "placebo_p": found.placebo_p,
        "notes": [dict(one) for one in found.notes],
    }


def _slot(row: Row, days: int) -> Row:
    """One half-hour of the day: calls per day of ``days``, average handle time of the calls that
    were handled, and erlangs. Auto-calls keep lines busy, not agents.

    ``mean_day`` divides by all working days with records, so that an edge that few days reach
    is not overstated; ``by_half_hour`` by the days open then, for who plans such a day."""
    aht = row["handle_seconds"] / row["handled"] if row["handled"] else 0.0
    per_day = row["calls"] / days
    return {
        "period": row["period"],
        "origin": row["origin"],
        "slot": row["slot"].strftime("%H:%M"),
        "days": days,
        "open_days": row["open_days"],
        "calls": row["calls"],
        "calls_per_day": per_day,
        "aht_seconds": aht,
        "erlangs": erlang.offered_load(per_day, aht, HALF_HOUR_SECONDS),
    }


def _by_weekday(by_day: list[Row], before: list[date], after: list[date]) -> list[Row]:
    """Means per working day of each weekday (0 = Monday)."""
    rows = []
    for period, days in (("before", before), ("after", after)):
        size = Counter(day.weekday() for day in days)
        chosen = set(days)
        own = [row for row in by_day if row["day"] in chosen]
        for (weekday, origin), sums in sorted(
            _grouped(own, lambda row: (row["day"].weekday(), row["origin"])).items()
        ):
            rows.append(
                {
                    "period": period,
                    "weekday": weekday,
                    "origin": origin,
                    "days": size[weekday],
                    "calls_per_day": sums["calls"] / size[weekday],
                    "agent_hours_per_day": sums["agent_seconds"] / 3600 / size[weekday],
                }
            )
    return rows


def _by_week(by_day: list[Row]) -> list[Row]:
    """Sums per week; ``week`` is its Monday."""
    weeks = _grouped(
        by_day, lambda row: (row["day"] - timedelta(days=row["day"].weekday()), row["origin"])
    )
    return [
        {"week": week.isoformat(), "origin": origin, "calls": sums["calls"],
         "agent_hours": sums["agent_seconds"] / 3600}
        for (week, origin), sums in sorted(weeks.items())
    ]  # fmt: skip


def _staffing(slots: list[Row]) -> list[Row]:
    """Operators that the busiest inbound half-hour of each period needs, by Erlang C."""
    result = []
    for period in ("before", "after"):
        own = [row for row in slots if (row["period"], row["origin"]) == (period, Origin.RESIDENT)]
        peak = max(own, key=lambda row: float(row["erlangs"]), default=None)
        if peak is None or peak["erlangs"] == 0:
            continue
        load, aht = peak["erlangs"], peak["aht_seconds"]
        agents = erlang.operators_needed(load, aht, SERVICE_LEVEL, WITHIN_SECONDS)
        result.append(
            {
                "period": period,
                "slot": peak["slot"],
                "calls_per_half_hour": peak["calls_per_day"],
                "aht_seconds": aht,
                "offered_erlangs": load,
                "target_level": SERVICE_LEVEL,
                "within_seconds": WITHIN_SECONDS,
                "agents": agents,
                "service_level": erlang.service_level(load, agents, aht, WITHIN_SECONDS),
                "asa_seconds": erlang.average_wait(load, agents, aht),
                "occupancy": load / agents,
            }
        )
    return result


def _grouped(rows: Iterable[Row], key: Any) -> dict[Any, Row]:
    groups: dict[Any, Row] = {}
    for row in rows:
        sums = groups.setdefault(key(row), dict.fromkeys(_SUMS, 0))
        for column in _SUMS:
            sums[column] += row[column] or 0
    return groups
