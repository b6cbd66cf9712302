"""The year's campaigns: what is on when, who would hear from two, what the centre would hear.

People are counted in SQL. A run that is frozen counts by its attempts; one that only waits for
its day by its definition's selection on the ledger as it is, so an upper end: restrictions,
numbers and shares left to holdouts are judged when it starts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.windows import at_tokyo, open_slots
from contact_service.planning.definitions import definitions_of, without_others_names
from contact_service.planning.expectation import call_backs
from contact_service.planning.pacing import Pace
from contact_service.planning.selection import compile_selection
from contact_service.planning.steps import expires_at, first_day_of, starts_at

READERS = (Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.EVALUATOR)
#: Without calls in the log: how long an inbound call takes, wrap-up included.
TYPICAL_SECONDS = 300.0
#: The log is believed from this many calls on.
ENOUGH_CALLS = 30
#: Nobody answers every second of a half-hour.
MOST_OCCUPIED = 0.85

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on the calendar, both days included."""

    run_id: UUID
    key: str
    title: str
    state: str
    frozen: bool
    definition: Definition
    first: date
    last: date

    def as_dict(self, people: int) -> Figures:
        return {
            "run": self.run_id, "campaign": self.key, "title": self.title, "state": self.state,
            "first_day": self.first, "last_day": self.last, "people": people,
            "frozen": self.frozen,
        }  # fmt: skip


def campaign_calendar(
    connection: Connection, actor: Actor, start: date, end: date, operators: int
) -> Figures:
    """What is on from ``start`` to ``end``, both included; ``operators`` answer the telephone.

    Uses a temporary table: call in a transaction. Raises ``NotAllowed``.
    """
    require(actor, *READERS)
    runs = _runs(connection, start, end)
    people = _people(connection, runs)
    caused: defaultdict[datetime, float] = defaultdict(float)
    for run in runs:
        contacts = _frozen(connection, run) if run.frozen else _expected(run, people[run.run_id])
        for slot, calls in call_backs(contacts, run.definition.hours).items():
            caused[slot] += calls
    seconds = _handle_seconds(connection)
    capacity = operators * 1800 / seconds * MOST_OCCUPIED
    usual = _usual(connection)
    figures = {
        "from": start,
        "to": end,
        "runs": [run.as_dict(people[run.run_id]) for run in runs],
        "same_people": _same_people(connection, runs),
        "centre": {
            "operators": operators,
            "handle_seconds": round(seconds, 1),
            "calls_per_half_hour": round(capacity, 2),
            "above": _above(caused, usual, capacity),
        },
        "call_backs": _by_day(caused),
    }
    return calendar_for(connection, actor, figures)


def calendar_for(connection: Connection, actor: Actor, figures: Figures) -> Figures:
    """The calendar as the actor's office may read it: what others' campaigns are called is left
    out, here as in the centre's load."""
    runs = without_others_names(connection, actor, figures["runs"])
    named = {run["run"]: run for run in runs}
    return figures | {
        "runs": runs,
        "same_people": [
            clash | {
                "campaigns": [named[run]["campaign"] for run in clash["runs"]],
                "titles": [named[run]["title"] for run in clash["runs"]],
            }
            for clash in figures["same_people"]
        ],
    }  # fmt: skip


def _runs(connection: Connection, start: date, end: date) -> list[_Run]:
    rows = connection.execute(
        text("""
        SELECT r.id, v.key, coalesce(v.definition ->> 'title', v.key) AS title, r.state, r.as_of,
            r.frozen_at IS NOT NULL AS frozen,
            (SELECT max(s.expires_at) FROM run_step s WHERE s.run_id = r.id) AS expires_at
        FROM run r JOIN campaign_version v ON v.id = r.campaign_version_id
        WHERE r.state <> 'cancelled' AND r.as_of <= :end ORDER BY r.as_of, v.key, r.id
        """),
        {"end": end},
    ).all()
    definitions = definitions_of(connection, [row.id for row in rows])
    runs = []
    for row in rows:
        definition = definitions[row.id]
        over = row.expires_at or max(
            expires_at(step, first_day_of(step, definition.hours, row.as_of))
            for step in definition.steps
        )
        last = (over - timedelta(seconds=1)).astimezone(TOKYO).date()
        runs.append(
            _Run(row.id, row.key, row.title, row.state, row.frozen, definition, row.as_of, last)
        )
    return [run for run in runs if run.last >= start]


def _people(connection: Connection, runs: list[_Run]) -> dict[UUID, int]:
    """Fill ``calendar_person (run_id, debtor_id)``; how many people each run is about."""
    connection.execute(
        text("CREATE TEMP TABLE calendar_person (run_id uuid, debtor_id bigint) ON COMMIT DROP")
    )
    for run in runs:
        values: dict[str, Any] = {}
        if run.frozen:
            source = (
                "target t JOIN target_claim tc ON tc.target_id = t.id"
                " JOIN claim c ON c.id = tc.claim_id WHERE t.run_id = :run_id"
            )
        else:
            definition = run.definition
            condition, values = compile_selection(
                definition.select, run.first, definition.default_language
            )
            source = f"claim c WHERE {condition}"
        connection.execute(
            text(f"INSERT INTO calendar_person SELECT DISTINCT CAST(:run_id AS uuid), c.debtor_id"
                 f" FROM {source}"),
            {"run_id": run.run_id} | values,
        )  # fmt: skip
    connection.execute(text("CREATE INDEX ON calendar_person (debtor_id)"))
    connection.execute(text("ANALYZE calendar_person"))
    counted = connection.execute(
        text("SELECT run_id, count(*) AS people FROM calendar_person GROUP BY 1")
    )
    return {run.run_id: 0 for run in runs} | {row.run_id: row.people for row in counted}


def _same_people(connection: Connection, runs: list[_Run]) -> list[Figures]:
    """Pairs of runs with days in common that are about the same people."""
    by_id = {run.run_id: run for run in runs}
    rows = connection.execute(
        text("""
        SELECT a.run_id AS one, b.run_id AS other, count(*) AS people
        FROM calendar_person a JOIN calendar_person b
            ON b.debtor_id = a.debtor_id AND b.run_id > a.run_id
        GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
        """)
    )
    clashes = []
    for row in rows:
        one, other = sorted((by_id[row.one], by_id[row.other]), key=lambda run: run.first)
        first, last = max(one.first, other.first), min(one.last, other.last)
        if first <= last:
            clashes.append(
                {
                    "runs": [one.run_id, other.run_id],
                    "campaigns": [one.key, other.key],
                    "titles": [one.title, other.title],
                    "people": row.people,
                    "first_day": first,
                    "last_day": last,
                }
            )
    return clashes


def _frozen(connection: Connection, run: _Run) -> dict[datetime, float]:
    """Expected calls by the half-hour of the contact, of attempts made and to be made."""
    rows = connection.execute(
        text("""
        SELECT channel, to_timestamp(floor(extract(epoch FROM coalesce(submitted_at, due_at))
            / 1800) * 1800) AS slot, count(*) AS contacts
        FROM attempt WHERE run_id = :id AND state <> 'skipped' GROUP BY 1, 2
        """),
        {"id": run.run_id},
    )
    rates = run.definition.call_backs.expected_rate
    found: defaultdict[datetime, float] = defaultdict(float)
    for row in rows:
        found[row.slot.astimezone(TOKYO)] += row.contacts * rates.get(Channel(row.channel), 0.0)
    return found


def _expected(run: _Run, people: int) -> dict[datetime, float]:
    """The same for a run that waits: everybody selected, by arms' weights, at each step's pace."""
    definition = run.definition
    weights = {arm.name: arm.weight for arm in definition.arms}
    pace = Pace(definition.call_backs.per_half_hour)
    found: defaultdict[datetime, float] = defaultdict(float)
    for step in definition.steps:
        pace.begin_step()
        arms = sum(weights[name] for name in definition.arms_of(step))
        share = round(people * arms / sum(weights.values()))
        day = first_day_of(step, definition.hours, run.first)
        ends = expires_at(step, day)
        slots = open_slots(definition.hours, starts_at(step, day), step.expires_after_days)
        rate = definition.call_backs.expected_rate.get(step.channel, 0.0)
        open_ones = (slot for slot in slots if slot < ends)
        placed, _ = pace.place(share, open_ones, step.per_half_hour, rate)
        for slot, contacts in placed:
            found[slot] += contacts * rate
    return found


def _handle_seconds(connection: Connection) -> float:
    found = connection.execute(
        text("""
        SELECT count(*) AS calls, avg(talk_seconds + wrap_seconds) AS seconds FROM call
        WHERE direction = 'inbound' AND result IN ('talked', 'complaint')
        """)
    ).one()
    enough = found.calls >= ENOUGH_CALLS and found.seconds
    return float(found.seconds) if enough else TYPICAL_SECONDS


def _usual(connection: Connection) -> dict[time, float]:
    """Inbound calls of an average recorded working day, by half-hour."""
    rows = connection.execute(
        text("""
        WITH c AS (
            SELECT started_at AT TIME ZONE 'Asia/Tokyo' AS at FROM call
            WHERE direction = 'inbound' AND extract(isodow FROM started_at
                AT TIME ZONE 'Asia/Tokyo') < 6
        )
        SELECT (date_trunc('hour', at) + floor(extract(minute FROM at) / 30)
            * interval '30 minutes')::time AS slot,
            count(*)::float / (SELECT count(DISTINCT at::date) FROM c) AS calls
        FROM c GROUP BY 1
        """)
    )
    return {row.slot: row.calls for row in rows}


def _above(
    caused: Mapping[datetime, float], usual: Mapping[time, float], capacity: float
) -> list[Figures]:
    """Half-hours in which the usual calls and the call-backs are more than can be answered."""
    found = []
    for slot, calls in sorted(caused.items()):
        at = slot.astimezone(TOKYO)
        base = usual.get(at.time().replace(minute=30 if at.minute >= 30 else 0), 0.0)
        if calls >= 0.5 and base + calls > capacity:
            found.append(
                {"slot": at, "usual": round(base, 2), "call_backs": round(calls, 2),
                 "calls": round(base + calls, 2)}
            )  # fmt: skip
    return found


def _by_day(caused: Mapping[datetime, float]) -> list[Figures]:
    days: defaultdict[date, float] = defaultdict(float)
    for slot, calls in caused.items():
        days[slot.astimezone(TOKYO).date()] += calls
    return [{"day": day, "calls": round(calls, 2)} for day, calls in sorted(days.items()) if calls]


def fiscal_year_of(day: date) -> tuple[date, date]:
    """The first and last day of the fiscal year that ``day`` lies in."""
    year = at_tokyo(day, time(0, 0)).year - (day.month < 4)
    return date(year, 4, 1), date(year + 1, 3, 31)
