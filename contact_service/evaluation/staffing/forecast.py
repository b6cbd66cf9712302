"""How many calls to expect, by half-hour: what comes anyway, and what campaigns will cause.

What comes anyway is the mean of the same half-hour of the same weekday over the last weeks, of
calls from numbers that no campaign had contacted within three days. What campaigns cause are the
contacts made and planned, times the share that calls back (stated by the definition), spread over
the hours after. The interval is that of a negative binomial: the predictive distribution of a
Poisson count whose mean is known from so many weeks only (Jeffreys' prior), widened by nothing
else: an illness or a mailing of somebody else's is not in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from campaigns.hours import is_year_end
from contact_service.clock import TOKYO
from contact_service.domain.windows import is_holiday
from contact_service.evaluation.counts import Counts
from contact_service.planning.definitions import definitions_of
from contact_service.planning.expectation import call_backs

CONFIDENCE = 0.95
#: Contacts as long ago as this still cause calls.
_ECHO = timedelta(days=1)


class NothingToForecast(Exception):
    """No working day with calls lies before the first day."""


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One half-hour of the forecast. Calls."""

    at: datetime
    anyway: float
    caused: float
    low: float
    high: float
    actual: int | None
    """What came; ``None``: it is not over yet."""

    @property
    def expected(self) -> float:
        """Both together."""
        return self.anyway + self.caused


@dataclass(frozen=True, slots=True)
class Forecast:
    """The half-hours of some working days, and how well those that are over were met."""

    half_hours: Sequence[HalfHour]
    weeks: int
    """Weeks that the mean is taken over."""

    @property
    def error(self) -> float | None:
        """Sum of absolute errors as a share of the calls that came (WAPE)."""
        past = [one for one in self.half_hours if one.actual is not None]
        came = sum(one.actual or 0 for one in past)
        off = sum(abs(one.expected - (one.actual or 0)) for one in past)
        return off / came if came else None

    @property
    def covered(self) -> float | None:
        """The share of half-hours that are over whose count lay in the interval."""
        past = [one for one in self.half_hours if one.actual is not None]
        inside = sum(one.low <= (one.actual or 0) <= one.high for one in past)
        return inside / len(past) if past else None


def is_worked(day: date) -> bool:
    """Whether the centre works on a day: Monday to Friday, no holiday, no year-end closure."""
    return day.weekday() < 5 and not is_holiday(day) and not is_year_end(day)


@dataclass(frozen=True, slots=True)
class Past:
    """What the weeks before a day were like: all that a forecast takes of the call log."""

    worked: Mapping[int, int]
    """Days with calls on which the centre worked, by weekday."""
    anyway: Mapping[tuple[int, int], int]
    """Calls on them that no campaign had caused, by weekday and half-hour of the day."""
    log: tuple[int, int]
    """What the log held: how many calls, and the newest row."""

    def as_figures(self) -> dict[str, Any]:
        """To be kept as JSON."""
        return {
            "worked": sorted(self.worked.items()),
            "anyway": [(*at, calls) for at, calls in sorted(self.anyway.items())],
            "log": self.log,
        }

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Past:
        """From :meth:`as_figures`."""
        calls, newest = figures["log"]
        return cls(
            dict(figures["worked"]),
            {(day, slot): many for day, slot, many in figures["anyway"]},
            (calls, newest),
        )


def log_before(connection: Connection, first: date, weeks: int) -> tuple[int, int]:
    """What the call log holds of the weeks before ``first``: other calls, another answer."""
    row = Counts(connection).rows("forecast_known", **_weeks_before(first, weeks))[0]
    return row["calls"], row["newest"] or 0


def past_of(connection: Connection, first: date, weeks: int) -> Past:
    """The weeks before ``first``. Each call is held against the contacts with its number: with
    tens of thousands of calls that takes most of a second."""
    log = log_before(connection, first, weeks)  # first: what comes meanwhile is counted anew
    rows = Counts(connection).rows("forecast_calls", **_weeks_before(first, weeks))
    worked: defaultdict[int, int] = defaultdict(int)
    for day in {row["day"] for row in rows}:
        worked[day.weekday()] += is_worked(day)
    anyway: defaultdict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        if is_worked(row["day"]):
            anyway[row["day"].weekday(), row["slot"]] += row["calls"] - row["called_back"]
    return Past(worked, anyway, log)


def _weeks_before(first: date, weeks: int) -> dict[str, datetime]:
    begins = datetime.combine(first, time.min, TOKYO)
    return {"since": begins - timedelta(weeks=weeks), "until": begins}


def forecast(
    connection: Connection,
    first: date,
    days: int,
    weeks: int,
    now: datetime,
    past: Past | None = None,
) -> Forecast:
    """The working days among ``days`` days from ``first`` on; only what was known before
    ``first`` is used for what comes anyway: ``past``, where it was counted already. Raises
    :class:`NothingToForecast`."""
    counts = Counts(connection)
    begins = datetime.combine(first, time.min, TOKYO)
    ends = begins + timedelta(days=days)
    past = past or past_of(connection, first, weeks)
    if not any(past.worked.values()):
        raise NothingToForecast(
            f"{first} の前の {weeks} 週間に受電の記録がありません。通話の記録を取り込んでください"
            f" / no incoming calls are recorded in the {weeks} weeks before {first}: import them"
        )
    came = {
        (row["day"], row["slot"]): row["calls"]
        for row in counts.rows("forecast_came", since=begins, until=min(ends, max(now, begins)))
    }
    caused = _caused(connection, counts, begins, ends)
    slots = sorted({slot for _, slot in past.anyway} | {slot for _, slot in came})
    found = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        worked = past.worked.get(day.weekday(), 0)
        if not is_worked(day) or not worked:
            continue
        for slot in slots:
            at = datetime.combine(day, time(slot // 2, slot % 2 * 30), TOKYO)
            over = at + timedelta(minutes=30) <= now
            found.append(
                _half_hour(
                    at, past.anyway.get((day.weekday(), slot), 0), worked, caused.get(at, 0.0),
                    came.get((day, slot), 0) if over else None,
                )
            )  # fmt: skip
    return Forecast(found, weeks)


def _half_hour(at: datetime, calls: int, days: int, caused: float, actual: int | None) -> HalfHour:
    """``calls`` came in ``days`` such half-hours; ``caused`` more are expected of campaigns."""
    from scipy import stats  # a second of start-up that only a forecast is worth

    mean = calls / days
    # predictive: mean (calls + 1/2) / days, variance mean · (1 + 1 / days); the caused ones Poisson
    predicted = (calls + 0.5) / days + caused
    variance = (calls + 0.5) / days * (1 + 1 / days) + caused
    share = predicted / variance
    low, high = stats.nbinom.interval(CONFIDENCE, predicted * share / (1 - share), share)
    return HalfHour(at, mean, caused, float(low), float(high), actual)


def _caused(
    connection: Connection, counts: Counts, begins: datetime, ends: datetime
) -> Mapping[datetime, float]:
    rows = counts.rows("forecast_contacts", since=begins - _ECHO, until=ends)
    total: defaultdict[datetime, float] = defaultdict(float)
    for run_id, definition in definitions_of(connection, {row["run_id"] for row in rows}).items():
        contacts: defaultdict[datetime, float] = defaultdict(float)
        for row in rows:
            if row["run_id"] == run_id:
                rate = definition.call_backs.expected_rate.get(row["channel"], 0.0)
                contacts[row["slot"]] += row["contacts"] * rate
        for slot, calls in call_backs(contacts, definition.hours).items():
            total[slot] += calls
    return total
