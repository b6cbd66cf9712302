"""The steps of a definition: what is done, when, for whom, and what follows."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

from pydantic import Field

from campaigns.parts import Duration, Name, Part, TimeOfDay
from campaigns.vocabulary import Channel, DayPart, Outcome


class Origin(StrEnum):
    """What the start of a step is counted from."""

    RUN = "run"  # the day the run starts
    DUE = "due"  # 納期限: the latest among the person's selected claims
    DEMAND = "demand"  # 督促発送日: the latest among the person's selected claims
    DATE = "date"  # a calendar date


class Start(Part):
    """When a step begins for somebody; a day that has passed when the run starts is its first."""

    origin: Origin = Field(default=Origin.RUN, alias="from")
    """What it is counted from. Who has no such date (no 督促, say) is not in the step."""
    on: date | None = None
    """The date, for ``from: date``."""
    after_days: int = Field(default=0, ge=0, le=365)
    """Calendar days after it; 0 is the day itself."""
    after_working_days: int = Field(default=0, ge=0, le=250)
    """Working days after that: Monday to Friday without holidays, year-end and black-out dates."""
    at: TimeOfDay = Field(default=time(9, 0), json_schema_extra={"default": "09:00"})
    """Time of day in Asia/Tokyo."""


class Retry(Part):
    """What to do after one outcome."""

    on: Outcome
    """The outcome that is tried again after."""
    after: Duration
    """How long to wait, at least; a closed office waits longer."""
    part_of_day: DayPart | None = None
    """In which part of the day only; absent: any."""
    most: int = Field(ge=1, le=5)
    """How many further tries this outcome may cause in the step."""


class Fallback(Part):
    """Another channel for whom the step's own did not reach; the step's last try."""

    on: tuple[Outcome, ...] = Field(min_length=1)
    """The outcomes of the step's own channel after which it follows, once no retry is left."""
    channel: Channel
    """The other channel."""
    after: Duration
    """How long to wait, at least."""
    message: Name | None = None
    """For SMS and letters: which of ``messages``."""
    script: Name | None = None
    """For auto-calls: which of ``scripts``."""


class PaidSince(Part):
    """A condition on what was paid on the person's claims in the campaign."""

    paid: bool
    """``false``: only who has paid nothing; ``true``: only who has paid a part."""
    since: Name | None = None
    """The step since whose contact payments count; absent: since the run's start."""


class Step(Part):
    """One wave of one channel."""

    name: Name
    """What reports call the step; part of every attempt's identifier."""
    channel: Channel
    """SMS, auto-call, the operators' list, or a letter: a file for the office's own mailing."""
    arms: tuple[Name, ...] = ()
    """Which arms it is for; empty: all but holdouts."""
    start: Start = Start()
    """When the step begins."""
    expires_after_days: int = Field(default=3, ge=1, le=90)
    """An attempt that has not gone out this long after the step's start never will."""
    per_half_hour: int | None = Field(default=None, ge=1, le=100_000)
    """How many contacts may fall due in each half-hour that is open."""
    best_hour: bool = False
    """For calls: prefer the hour at which the number was answered before, within the windows."""
    only: tuple[Outcome, ...] = ()
    """Only for whoever had one of these outcomes in an earlier step; empty: for all."""
    unless: tuple[Outcome, ...] = ()
    """Leave out whoever already had one of these outcomes in an earlier step."""
    only_after: dict[Name, tuple[Outcome, ...]] = Field(default={})
    """Only for whoever had one of the outcomes in the step named; in each, if several are."""
    unless_after: dict[Name, tuple[Outcome, ...]] = Field(default={})
    """Leave out whoever had one of the outcomes in the step named; in any, if several are."""
    payment: PaidSince | None = None
    """Only for whoever has, or has not, paid a part meanwhile. Who owes nothing never is."""
    retries: tuple[Retry, ...] = ()
    """What to try again, by cause; an outcome not named here is never tried again."""
    most_tries: int | None = Field(default=None, ge=1, le=20)
    """How many tries in all, the first and the fallback among them; absent: as retries allow."""
    fallback: Fallback | None = None
    """Another channel after outcomes that no retry mends."""
    message: Name | None = None
    """For SMS and letters: which of ``messages``. A letter without has the office's own form."""
    script: Name | None = None
    """For auto-calls: which of ``scripts``."""
