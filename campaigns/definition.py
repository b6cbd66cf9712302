"""What a campaign definition may say, as data.

A definition is read by ``campaigns.parse``, checked by ``campaigns.check`` and compiled to
SQL by ``contact_service.planning``. Times of day are Asia/Tokyo; money is yen.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from campaigns.conditions import Condition, Selection, put_in
from campaigns.duration import parse_duration, show_duration
from campaigns.parts import Name, Part
from campaigns.parts import Range as Range
from campaigns.trial import Allocation as Allocation
from campaigns.trial import PrimaryOutcome as PrimaryOutcome
from campaigns.trial import Stratum as Stratum
from campaigns.trial import Trial as Trial
from campaigns.vocabulary import Channel, Outcome


def _whole_minutes(value: time) -> time:
    """A time of day on a clock in Tokyo. Raises ``ValueError`` for seconds or an offset."""
    if value.tzinfo is None and value.second == 0 and value.microsecond == 0:
        return value
    raise ValueError("時刻は日本時間の 09:00 の形で / write a time of day, in Japan, as 09:00")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["5 min", "2 h", "3 days"]}),
]
"""``5 min``, ``2 h``, ``3 days``."""
TimeOfDay = Annotated[
    time,
    AfterValidator(_whole_minutes),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["09:00"], "pattern": "^[0-2][0-9]:[0-5][0-9]$"}),
]
"""``09:00``, in Asia/Tokyo."""


class Window(Part):
    """A time of day from ``opens`` to ``closes`` (not included)."""

    opens: TimeOfDay
    """The first minute in which a contact may be made."""
    closes: TimeOfDay
    """The first minute in which none may be made any more."""


class Hours(Part):
    """When people may be contacted."""

    monday: tuple[Window, ...] = ()
    """Windows of each Monday that is no holiday; empty: closed. The other days likewise."""
    tuesday: tuple[Window, ...] = ()
    wednesday: tuple[Window, ...] = ()
    thursday: tuple[Window, ...] = ()
    friday: tuple[Window, ...] = ()
    saturday: tuple[Window, ...] = ()
    sunday: tuple[Window, ...] = ()
    holidays: tuple[Window, ...] = ()
    """Used instead of the weekday's on Japanese public holidays."""
    closed_on: tuple[date, ...] = ()
    """Black-out dates, besides the year-end closure (29 December to 3 January)."""


class Caps(Part):
    """How often one number may be contacted, over all campaigns and channels."""

    per_7_days: int = Field(default=3, ge=1, le=7)
    """Contacts in any 7 days."""
    per_30_days: int = Field(default=8, ge=1, le=30)
    """Contacts in any 30 days."""


class Arm(Part):
    """One arm of the trial."""

    name: Name
    """What steps call the arm."""
    weight: int = Field(default=1, ge=1, le=100)
    """Its share: 2 beside 1 and 1 is half of all."""
    holdout: bool = False
    """Left alone, to measure against."""
    title: str = Field(default="", max_length=100)
    """What reports call it."""


class Start(Part):
    """When a step begins, counted from the day the run starts."""

    after_days: int = Field(default=0, ge=0, le=365)
    """Calendar days; 0 is the day the run starts."""
    at: TimeOfDay = Field(default=time(9, 0), json_schema_extra={"default": "09:00"})
    """Time of day in Asia/Tokyo."""


class Retry(Part):
    """What to do after one outcome."""

    on: Outcome
    """The outcome that is tried again after."""
    after: Duration
    """How long to wait, at least; a closed office waits longer."""
    most: int = Field(ge=1, le=5)
    """How many further tries this outcome may cause in the step."""


class Step(Part):
    """One wave of one channel."""

    name: Name
    """What reports call the step; part of every attempt's identifier."""
    channel: Channel
    """SMS, auto-call or the operators' list."""
    arms: tuple[Name, ...] = ()
    """Which arms it is for; empty: all but holdouts."""
    start: Start = Start()
    """When the step begins."""
    expires_after_days: int = Field(default=3, ge=1, le=90)
    """An attempt that has not gone out this long after the step's start never will."""
    per_half_hour: int | None = Field(default=None, ge=1, le=100_000)
    """How many contacts may fall due in each half-hour that is open."""
    unless: tuple[Outcome, ...] = ()
    """Leave out whoever already had one of these outcomes in an earlier step."""
    retries: tuple[Retry, ...] = ()
    """What to try again, by cause; an outcome not named here is never tried again."""
    message: Name | None = None
    """For SMS: which of ``messages``."""
    script: Name | None = None
    """For auto-calls: which of ``scripts``."""


AUDIO_NAME = r"^[a-z0-9][a-z0-9_-]{0,59}\.wav$"
"""What a recording's file may be called."""


class Node(Part):
    """One place in an auto-call's script: speak, then branch, transfer or end."""

    say: str = Field(min_length=1, max_length=1000)
    """What is spoken. Placeholders only: ``{office}``, ``{centre_phone}``."""
    audio: Annotated[str, Field(pattern=AUDIO_NAME)] | None = None
    """A recording of ``say`` (a WAV file in the office's audio folder), played instead."""
    keys: dict[Annotated[str, Field(pattern=r"^[0-9*#]$")], Name] = Field(default={})
    """Which key leads to which node."""
    otherwise: Name | None = None
    """Where to go when no key, or another key, was pressed."""
    then: Literal["keys", "transfer", "hang_up"] = "hang_up"
    """What follows the words: wait for a key, connect to the telephone centre, or end."""
    outcome: Outcome | None = None
    """What reaching this node means."""


class Script(Part):
    """An auto-call as a graph of nodes; it begins at ``start``."""

    start: Name
    """The node that is spoken when somebody, or a machine, picks up."""
    nodes: dict[Name, Node]
    """The nodes by name."""


class Costs(Part):
    """What a contact costs, in yen, for the report."""

    sms_part_yen: float = Field(default=12.0, ge=0)
    """One billed part of an SMS."""
    call_minute_yen: float = Field(default=18.0, ge=0)
    """One minute of an auto-call."""
    operator_hour_yen: float = Field(default=2800.0, ge=0)
    """One hour of an operator."""


class Definition(Part):
    """A whole campaign definition."""

    campaign: Name
    """The campaign's short name, for files and addresses."""
    title: str = Field(min_length=1, max_length=100)
    """What staff and reports call it."""
    purpose: str = Field(default="", max_length=1000)
    """Why it is done, in a sentence or two."""
    whom: Selection = Field(alias="select")
    """Which claims."""
    selections: dict[Name, Condition] = Field(default={})
    """Conditions with names, for ``use``."""
    hours: Hours
    """When, by day of the week."""
    caps: Caps = Caps()
    """How often, at most."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    """The groups that are compared."""
    allocation: Allocation
    """How people come into the groups."""
    steps: tuple[Step, ...] = Field(min_length=1)
    """What is done, in order of start."""
    messages: dict[Name, str] = Field(default={})
    """SMS texts. Placeholders only: ``{office}``, ``{centre_phone}``."""
    scripts: dict[Name, Script] = Field(default={})
    """Auto-calls."""
    trial: Trial = Trial()
    """What the trial is decided by."""
    costs: Costs = Costs()
    """What contacts cost."""

    @property
    def select(self) -> Selection:
        """Which claims, with the named selections put in: what planning compiles."""
        return put_in(self.whom, self.selections)

    def step(self, name: str) -> Step:
        """The step called ``name``. Raises ``KeyError``."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def arms_of(self, step: Step) -> tuple[str, ...]:
        """The names of the arms that ``step`` is for."""
        return step.arms or tuple(arm.name for arm in self.arms if not arm.holdout)
