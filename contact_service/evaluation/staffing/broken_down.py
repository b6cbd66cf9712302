"""The centre's load broken down: by half-hour, weekday, day, week, campaign and kind of claim.

Three streams stand side by side and are never added up as counts: incoming calls, operators' calls
out, and what machines send (messages, auto-calls) with the incoming calls that followed. A call is
said to be caused by the last contact with its number within 72 hours before; some of these would
have come anyway: what a method really adds is for a trial to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, require
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.erlang import offered_load
from contact_service.evaluation.forms import READERS
from contact_service.evaluation.load import HALF_HOUR_SECONDS
from contact_service.evaluation.report import NoCalls
from contact_service.planning.definitions import without_others_names
from contact_service.store import audit

Figures = dict[str, Any]

#: Spans after a contact, in hours, for which call-backs are counted.
SPANS = (1, 24, 72)


class By(StrEnum):
    """What the load is broken down by."""

    HALF_HOUR = "half_hour"  # of the day, Tokyo
    WEEKDAY = "weekday"  # 1 = Monday
    DAY = "day"
    WEEK = "week"  # its Monday
    CAMPAIGN = "campaign"  # a run of one
    KIND = "kind"  # of claim


class Sent(StrEnum):
    """Contacts that may cause a call: by machine, and by an operator."""

    SMS = "sms"
    AUTO_CALL = "auto_call"
    OPERATOR = "operator"


#: The longest period that is counted, and the last year of one.
LONGEST, LAST_YEAR = timedelta(days=5 * 366), 2999


def load_broken_down(
    service: Service, actor: Actor, start: date | None, end: date | None
) -> Figures:
    """The load from ``start`` to ``end``, both included; left out, the first and last day of the
    call log. Reads counts only; reading is recorded. Raises :class:`NotAllowed`,
    :class:`NoCalls`."""
    require(actor, *READERS)
    now = service.clock.now()
    snapshot = service.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        first, last = logged_days(Counts(connection), start, end)
        figures = broken_down(connection, first, last, now)
        figures["by_campaign"] = without_others_names(
            connection, actor, figures["by_campaign"], "key"
        )
        audit.record(connection, now, actor, "centre.load", f"{first}/{last}")
    return figures


def logged_days(counts: Counts, start: date | None, end: date | None) -> tuple[date, date]:
    """The period asked for; where an end is left out, that of the call log.
    Raises :class:`NoCalls`."""
    known = counts.rows("call_days")[0]
    if not known["calls"]:
        raise NoCalls(
            "通話記録がありません。intake calls で取り込んでください / "
            "the call log is empty: import one with intake calls"
        )
    first, last = start or known["first_day"], end or known["last_day"]
    if first > last:
        raise NoCalls(
            f"通話記録は {known['first_day']}～{known['last_day']} です。期間を変えてください / "
            f"the call log is of {known['first_day']} to {known['last_day']}: choose other days"
        )
    # each day of a period is counted by itself, calls or none: one of ten centuries would keep the
    # service busy, and a day after the last of all there is not
    if last - first > LONGEST or last.year > LAST_YEAR:
        raise NoCalls(
            f"期間が長すぎます（{LONGEST.days // 365}年まで）。"
            f"通話記録は {known['first_day']}～{known['last_day']} です / "
            f"the period is too long: {LONGEST.days // 365} years at most; "
            f"the call log is of {known['first_day']} to {known['last_day']}"
        )
    return first, last


def broken_down(connection: Connection, start: date, end: date, now: datetime) -> Figures:
    """The same from a connection. Uses temporary tables: call once in a transaction."""
    counts = Counts(connection)
    over = datetime.combine(end + timedelta(days=1), time.min, TOKYO)
    until = min(over, now)
    counts.prepare("prepare_centre_contacts", start=start, end=end)
    counts.prepare("prepare_centre_calls", start=start, end=end)
    counts.prepare("prepare_centre_kinds")
    counts.prepare("prepare_centre_slots", start=start, end=end, now=now)
    watched = {"start": start, "until": until}
    calls = counts.rows("centre_calls") + counts.rows("centre_calls_by_kind")
    slots = {(row["by"], row["key"]): row for row in counts.rows("centre_slots")}
    busy = {row["slot"].strftime("%H:%M"): row for row in counts.rows("centre_busy")}
    sent = _sent(
        counts.rows("centre_call_backs", hours=list(SPANS), **watched)
        + counts.rows("centre_call_backs_by_kind", hours=list(SPANS), **watched)
    )
    runs = [row["key"] for row in calls if row["by"] == By.CAMPAIGN and row["key"]]
    runs += [key for by, key in sent if by == By.CAMPAIGN and key]
    named = {str(row["id"]): row for row in counts.rows("centre_runs", runs=sorted(set(runs)))}
    whole = slots["total", None]
    answer: dict[str, list[Row]] = {by: [] for by in (*By, "total")}
    for by, key in _keys(calls, sent, slots):
        found = next((row for row in calls if (row["by"], row["key"]) == (by, key)), _NONE)
        # a run or a kind has no hours of its own: its share of all operators' time is told
        open_then = slots.get((by, key), _CLOSED) if by in _TIMES else whole
        label = key[:5] if by == By.HALF_HOUR and key else key
        answer[by].append(
            {
                "key": label,
                **({"campaign": _named(named, key)} if by == By.CAMPAIGN else {}),
                "days": open_then["days"],
                **_load(
                    found, open_then, busy.get(label or "", _IDLE) if by == By.HALF_HOUR else None
                ),
                **sent.get((by, key), {}),
            }
        )
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "training": any(row["training"] for row in named.values()),
        "total": answer.pop("total")[0],
        **{f"by_{by}": rows for by, rows in answer.items()},
        "call_back_curve": _curve(counts.rows("centre_call_back_curve", **watched), sent),
        "counted_by": list(counts.asked),
        "sources": counts.asked,
    }


_TIMES = (By.HALF_HOUR, By.WEEKDAY, By.DAY, By.WEEK)
_COLUMNS = ("offered", "answered", "abandoned", "wait_seconds", "waits", "handle_seconds",
            "dialled", "reached", "talk_seconds", "after_call_seconds")  # fmt: skip
_NONE: Row = dict.fromkeys(_COLUMNS, 0)
_IDLE: Row = {"busy_seconds": 0.0, "carried_over_seconds": 0.0}
_CLOSED: Row = {"open_half_hours": 0, "days": 0, "staffed_seconds": 0}


def _keys(
    calls: list[Row], sent: dict[tuple[str, str | None], Row], slots: Iterable[Any]
) -> list[tuple[str, str | None]]:
    """Every group with calls, contacts or operators at work, in order; unknown ones last."""
    found = {(row["by"], row["key"]) for row in calls} | set(sent) | set(slots)
    return sorted(found, key=lambda group: (group[0], group[1] is None, group[1] or ""))


def _load(row: Row, at_work: Row, in_slot: Row | None) -> Row:
    """The figures of one group. Offered erlangs: who gave up counts as if answered, over the time
    in which the centre was open. Occupancy: operators' busy time, both ways, over the time they
    were there; ``None`` where nobody's presence is known. ``in_slot``: the time in which they were
    busy in this half-hour, whenever its calls began; calls are counted where they began."""
    known = {column: row[column] or 0 for column in _COLUMNS}
    handle = known["handle_seconds"] / known["answered"] if known["answered"] else None
    opened, staffed = at_work["open_half_hours"], at_work["staffed_seconds"] or 0.0
    out = known["talk_seconds"] + known["after_call_seconds"]
    busy = known["handle_seconds"] + out if in_slot is None else in_slot["busy_seconds"]
    carried = 0.0 if in_slot is None else in_slot["carried_over_seconds"]
    return {
        "inbound": {
            "offered": known["offered"],
            "answered": known["answered"],
            "abandoned": known["abandoned"],
            "average_wait_seconds": known["wait_seconds"] / known["waits"]
            if known["waits"]
            else None,
            "waits_known": known["waits"],
            "average_handle_seconds": handle,
            "offered_erlangs": offered_load(known["offered"], handle, opened * HALF_HOUR_SECONDS)
            if handle is not None and opened
            else None,
        },
        "outbound": {
            "dialled": known["dialled"],
            "right_party_reached": known["reached"],
            "talk_seconds": known["talk_seconds"],
            "after_call_seconds": known["after_call_seconds"],
            "agent_hours": out / 3600,
        },
        "open_half_hours": opened,
        "staffed_hours": staffed / 3600,
        "busy_hours": busy / 3600,
        "carried_over_hours": carried / 3600,
        # nothing began: without a word of it, no call and busy operators look like a fault
        "carried_over_only": carried > 0 and not known["offered"] and not known["dialled"],
        "occupancy": busy / staffed if staffed else None,
    }


def _sent(rows: list[Row]) -> dict[tuple[str, str | None], Row]:
    """Contacts and the calls that followed, by group and channel; ``contacts`` of a span are those
    since which it is over."""
    found: dict[tuple[str, str | None], Row] = {}
    for row in rows:
        group = found.setdefault((row["by"], row["key"]), {})
        spans = group.setdefault("sent", {}).setdefault(row["channel"], [])
        spans.append(
            {
                "within_hours": row["hours"],
                "contacts": row["contacts"],
                "calls": row["calls"] or 0,
                "per_100_contacts": 100 * (row["calls"] or 0) / row["contacts"],
            }
        )
    return found


def _curve(rows: list[Row], sent: dict[tuple[str, str | None], Row]) -> list[Row]:
    """Calls per 100 contacts, cumulated over the hours since the contact, 0 to 72."""
    watched = {
        channel: spans[-1]["contacts"]
        for channel, spans in sent.get(("total", None), {}).get("sent", {}).items()
        if spans[-1]["within_hours"] == SPANS[-1]
    }
    curve = []
    for channel, contacts in watched.items():
        by_hour = {row["hour"]: row["calls"] for row in rows if row["channel"] == channel}
        so_far = by_hour.get(0, 0)
        for hour in range(SPANS[-1] + 1):
            so_far += by_hour.get(hour, 0) if hour else 0
            curve.append(
                {
                    "channel": channel,
                    "hour": hour,
                    "calls": so_far,
                    "per_100_contacts": 100 * so_far / contacts,
                }
            )
    return curve


def _named(named: dict[str, Row], key: str | None) -> str | None:
    return f"{named[key]['title'] or named[key]['campaign']}" if key in named else None


def channels(rows: Iterable[Row]) -> list[Sent]:
    """The channels by which anything was sent, in their usual order."""
    found = {channel for row in rows for channel in row.get("sent", {})}
    return [channel for channel in Sent if channel in found]
