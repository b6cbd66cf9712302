"""What a campaign definition may say, as data.

A definition is read by ``campaigns.parse``, checked by ``campaigns.check`` and compiled to
SQL by ``contact_service.planning``. Times of day are Asia/Tokyo; money is yen.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from campaigns.duration import parse_duration, show_duration
from campaigns.vocabulary import Channel, ClaimKind, LegalClass, Outcome, Period

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, when_used="json"),
]
"""``5 min``, ``2 h``, ``3 days``."""


class Part(BaseModel):
    """Base of all parts: nothing unknown is passed over, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Part):
    """From ``min`` to ``max``, both included; an absent end is open."""

    min: int | None = None
    max: int | None = None


class Selection(Part):
    """Which claims, and whose. An absent field selects all.

    Restrictions always exclude; that cannot be said or unsaid here.
    """

    kinds: tuple[ClaimKind, ...] = ()
    legal_classes: tuple[LegalClass, ...] = ()
    period: Period | None = None
    fiscal_years: Range = Range()
    """調定年度."""
    days_since_due: Range = Range(min=1)
    claim_outstanding_yen: Range = Range(min=1)
    debtor_outstanding_yen: Range = Range()
    """Sum of the selected claims of everybody behind one telephone number."""


class Window(Part):
    """A time of day from ``opens`` to ``closes`` (not included)."""

    opens: time
    closes: time


class Hours(Part):
    """When people may be contacted."""

    monday: tuple[Window, ...] = ()
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
    per_30_days: int = Field(default=8, ge=1, le=30)


class Arm(Part):
    """One arm of the trial."""

    name: Name
    weight: int = Field(default=1, ge=1, le=100)
    holdout: bool = False
    """Left alone, to measure against."""
    title: str = ""


class Stratum(StrEnum):
    """By what the allocation is balanced."""

    KIND = "kind"
    PERIOD = "period"
    AMOUNT = "amount"
    NUMBER = "number"


class Allocation(Part):
    """How clusters (people who share a home or a number) get their arm."""

    seed: str = Field(min_length=1, max_length=80)
    strata: tuple[Stratum, ...] = (Stratum.KIND, Stratum.PERIOD, Stratum.AMOUNT, Stratum.NUMBER)


class Start(Part):
    """When a step begins, counted from the day the run starts."""

    after_days: int = Field(default=0, ge=0, le=365)
    at: time = time(9, 0)


class Retry(Part):
    """What to do after one outcome."""

    on: Outcome
    after: Duration
    most: int = Field(ge=1, le=5)
    """How many further tries this outcome may cause in the step."""


class Step(Part):
    """One wave of one channel."""

    name: Name
    channel: Channel
    arms: tuple[Name, ...] = ()
    """Which arms it is for; empty: all but holdouts."""
    start: Start = Start()
    expires_after_days: int = Field(default=3, ge=1, le=90)
    """An attempt that has not gone out this long after the step's start never will."""
    per_half_hour: int | None = Field(default=None, ge=1)
    """How many contacts may fall due in each half-hour that is open."""
    unless: tuple[Outcome, ...] = ()
    """Leave out whoever already had one of these outcomes in an earlier step."""
    retries: tuple[Retry, ...] = ()
    message: Name | None = None
    """For SMS: which of ``messages``."""
    script: Name | None = None
    """For auto-calls: which of ``scripts``."""


class Node(Part):
    """One place in an auto-call's script: speak, then branch, transfer or end."""

    say: str = Field(min_length=1, max_length=1000)
    keys: dict[Annotated[str, Field(pattern=r"^[0-9*#]$")], Name] = {}
    """Which key leads to which node."""
    otherwise: Name | None = None
    """Where to go when no key, or another key, was pressed."""
    then: Literal["keys", "transfer", "hang_up"] = "hang_up"
    outcome: Outcome | None = None
    """What reaching this node means."""


class Script(Part):
    """An auto-call as a graph of nodes; it begins at ``start``."""

    start: Name
    nodes: dict[Name, Node]


class PrimaryOutcome(StrEnum):
    """What the trial is decided by."""

    PAID_IN_FULL = "paid_in_full"
    PAID_SOMETHING = "paid_something"


class Trial(Part):
    """Frozen before launch."""

    primary_outcome: PrimaryOutcome = PrimaryOutcome.PAID_SOMETHING
    horizon_days: int = Field(default=28, ge=1, le=365)
    """How many days after the run's start payments count."""


class Costs(Part):
    """What a contact costs, in yen, for the report."""

    sms_part_yen: float = Field(default=12.0, ge=0)
    call_minute_yen: float = Field(default=18.0, ge=0)
    operator_hour_yen: float = Field(default=2800.0, ge=0)


class Definition(Part):
    """A whole campaign definition."""

    campaign: Name
    title: str = Field(min_length=1, max_length=100)
    purpose: str = Field(default="", max_length=1000)
    select: Selection
    hours: Hours
    caps: Caps = Caps()
    arms: tuple[Arm, ...] = Field(min_length=1)
    allocation: Allocation
    steps: tuple[Step, ...] = Field(min_length=1)
    messages: dict[Name, str] = {}
    """SMS texts. Placeholders only: ``{office}``, ``{centre_phone}``."""
    scripts: dict[Name, Script] = {}
    trial: Trial = Trial()
    costs: Costs = Costs()

    def step(self, name: str) -> Step:
        """The step called ``name``. Raises ``KeyError``."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def arms_of(self, step: Step) -> tuple[str, ...]:
        """The names of the arms that ``step`` is for."""
        return step.arms or tuple(arm.name for arm in self.arms if not arm.holdout)
