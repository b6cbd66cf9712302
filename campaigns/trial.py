"""What a definition says of its trial: the allocation into arms, and what is decided how.

All of it is frozen and hashed before anybody is contacted (:mod:`campaigns.protocol`).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from campaigns.parts import Name, Part


class Stratum(StrEnum):
    """By what the allocation is balanced."""

    KIND = "kind"
    PERIOD = "period"
    AMOUNT = "amount"
    NUMBER = "number"
    EARLIER_CONTACT = "earlier_contact"


class PermanentHoldout(Part):
    """People whom no campaign that names this seed ever contacts: what all of them together do
    can be measured against these, year after year."""

    share: float = Field(gt=0, le=0.2)
    """Their share of all clusters, 0.05 being one in twenty."""
    seed: str = Field(min_length=1, max_length=80)
    """Any text, the same in all campaigns of the office: it decides who."""


class Allocation(Part):
    """How clusters (people who share a home or a number) get their arm."""

    seed: str = Field(min_length=1, max_length=80)
    """Any text; the same seed and the same people give the same arms."""
    strata: tuple[Stratum, ...] = (Stratum.KIND, Stratum.PERIOD, Stratum.AMOUNT, Stratum.NUMBER)
    """Within each combination of these the arms are balanced."""
    permanent_holdout: PermanentHoldout | None = None
    """Who is left out of this and of every other campaign that says the same."""


class PrimaryOutcome(StrEnum):
    """What the trial is decided by."""

    PAID_IN_FULL = "paid_in_full"
    PAID_SOMETHING = "paid_something"


class SecondaryOutcome(StrEnum):
    """What is looked at beside it, without deciding."""

    PAID_IN_FULL = "paid_in_full"
    PAID_SOMETHING = "paid_something"
    PAID_YEN = "paid_yen"
    DAYS_TO_PAYMENT = "days_to_payment"
    PROMISE_KEPT = "promise_kept"
    INBOUND_CALL = "inbound_call"
    COMPLAINT = "complaint"
    OPT_OUT = "opt_out"


class Subgroup(StrEnum):
    """By what the effect is looked at."""

    KIND = "kind"
    LEGAL_CLASS = "legal_class"
    PERIOD = "period"
    AMOUNT = "amount_band"
    AGE = "age_band"
    HOUR = "hour"


class TooSmall(StrEnum):
    """What happens to a run with fewer people than its expected effect takes."""

    WARN = "warn"
    REFUSE = "refuse"


class Compared(Part):
    """One comparison of arms."""

    arm: Name
    """The arm whose effect is asked for."""
    against: Name
    """The arm that it is measured against."""


class Trial(Part):
    """Frozen before launch."""

    primary_outcome: PrimaryOutcome = PrimaryOutcome.PAID_SOMETHING
    """What counts as success, fixed before anybody is contacted."""
    secondary_outcomes: tuple[SecondaryOutcome, ...] = tuple(SecondaryOutcome)
    """What else is reported, without deciding."""
    horizon_days: int = Field(default=28, ge=1, le=365)
    """How many days after the run's start payments count."""
    payment_lag_days: int = Field(default=14, ge=0, le=90)
    """How late payments may reach the office's files: until then nothing is final."""
    comparisons: tuple[Compared, ...] = ()
    """What is compared; empty: every arm with the first holdout."""
    looks: tuple[int, ...] = ()
    """Days after the start on which the results are looked at before the horizon's end. Each
    look costs: bounds follow O'Brien and Fleming."""
    subgroups: tuple[Subgroup, ...] = tuple(Subgroup)
    """By what the effect is looked at, to explore."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Two-sided, for all comparisons together."""
    power: float = Field(default=0.8, gt=0.5, lt=1)
    """The chance of finding the expected effect that is aimed at."""
    expected_control: float | None = Field(default=None, gt=0, lt=1)
    """The share of the holdout that is expected to reach the primary outcome unasked."""
    expected_effect: float | None = Field(default=None, gt=0, lt=1)
    """The rise in that share that is worth finding, 0.03 being three points."""
    too_small: TooSmall = TooSmall.WARN
    """What happens when the run is too small to find it."""
    may_share_people_with: tuple[Name, ...] = ()
    """Campaigns whose trials may have the same people at the same time; else nobody is in two."""
