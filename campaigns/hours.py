"""When and how often people may be contacted: the parts of a definition about time."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from campaigns.parts import Part, TimeOfDay
from campaigns.vocabulary import Channel


def is_year_end(day: date) -> bool:
    """Offices are closed from 29 December to 3 January (地方自治法4条の2)."""
    return (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)


class Window(Part):
    """A time of day from ``opens`` to ``closes`` (not included)."""

    opens: TimeOfDay
    """The first minute in which a contact may be made."""
    closes: TimeOfDay
    """The first minute in which none may be made any more."""


class Session(Window):
    """An evening or Sunday session (夜間・日曜窓口): more hours on one date."""

    on: date
    """The date. It may be a Sunday or a public holiday, but no day of closure."""
    title: str = Field(default="", max_length=100)
    """What staff call it."""


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
    sessions: tuple[Session, ...] = ()
    """Sessions on single dates, besides the windows of the day."""
    closed_on: tuple[date, ...] = ()
    """Black-out dates, besides the year-end closure (29 December to 3 January)."""


class Caps(Part):
    """How often one person, and one number, may be contacted, over all campaigns and channels."""

    per_7_days: int = Field(default=3, ge=1, le=7)
    """Contacts in any 7 days."""
    per_30_days: int = Field(default=8, ge=1, le=30)
    """Contacts in any 30 days."""


class Quiet(Part):
    """How long somebody is left alone after something has happened, in calendar days."""

    after_conversation_days: int = Field(default=0, ge=0, le=90)
    """After a call in which the person was reached, by whichever side it was made."""
    after_promise_days: int = Field(default=0, ge=0, le=90)
    """After the day by which the person has promised to pay; until then in any case, if not 0."""
    after_payment_days: int = Field(default=0, ge=0, le=90)
    """After a payment on any of the person's claims, whatever is still owed."""


class CallBacks(Part):
    """How many calls to the telephone centre the campaign may cause."""

    per_half_hour: int | None = Field(default=None, ge=1, le=10_000)
    """Expected call-backs in each half-hour, at most; absent: what the office allows."""
    expected_rate: dict[Channel, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={Channel.SMS: 0.1, Channel.AUTO_CALL: 0.05, Channel.LETTER: 0.05}
    )
    """Share of contacts by each channel, from 0 to 1, that make somebody call back."""
