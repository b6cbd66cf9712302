"""Everything about the simulated residents that is assumed, in one place.

The effects on payment are *known*: a trial run on these residents has a true answer to find.
Magnitudes are plausible rather than measured; Japanese publications on SMS and auto-calls in
arrears have no control group, and the published field experiments (text messages to people
who owe court fines: 5 % paid without, 23 to 33 % with one) are of another kind of debtor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_ANSWERED_FROM_8_TO_20 = (
    *(0.24, 0.30, 0.31, 0.33, 0.39, 0.33, 0.31, 0.31, 0.34),  # 8 to 16 o'clock
    *(0.42, 0.50, 0.52, 0.45),  # 17 to 20 o'clock
)


@dataclass(frozen=True, slots=True)
class Payment:
    """Whether, when and how a household pays.

    One uniform number per household, the same whatever happens to it, decides: it pays within
    the horizon if the number is below ``baseline`` plus the effects of the contacts that it
    had. Each effect counts once per household and they add up.
    """

    horizon_days: int = 28
    """From the simulation's start."""
    baseline: float = 0.16
    """Pay unasked: paper reminders go out all the time and people remember."""
    sms_delivered: float = 0.07
    """A text reaches most people who only forgot."""
    call_confirmed: float = 0.06
    """Confirmed who they are and heard the recording."""
    call_unconfirmed: float = 0.01
    """Picked up and pressed nothing: at most recalls that there is something."""
    promise: float = 0.15
    """Promised an operator a date and an amount."""
    lag_days: float = 4.0
    """Mean of the exponential time from the contact to the payment it causes; cut off at the
    horizon's end, so that the shares above are exact."""
    in_full: float = 0.8
    """Pays everything that is owed; otherwise one claim."""
    methods: Mapping[str, float] = field(
        default_factory=lambda: {
            "コンビニ": 0.46,
            "窓口": 0.14,
            "口座振替": 0.12,
            "キャッシュレス": 0.20,
            "ペイジー": 0.08,
        }
    )
    """Shares of the ways to pay."""
    slow_method: str = "コンビニ"
    """Convenience stores report through an agent: up to ten days later."""
    slow_days: tuple[float, float] = (3.0, 10.0)
    fast_days: tuple[float, float] = (1.0, 3.0)
    """Days from a payment until the office has its data."""


@dataclass(frozen=True, slots=True)
class Telephone:
    """What a number does when it is dialled or texted."""

    not_in_use: float = 0.03
    """Of numbers; ledgers age."""
    wrong_person: float = 0.03
    """Of numbers: now somebody else's."""
    switched_off: float = 0.04
    """Of contacts with a mobile."""
    filtered: float = 0.002
    """Of messages: stopped by the carrier's own filter."""
    unsubscribed: float = 0.005
    """Of numbers: unsubscribe at the carrier after their first message."""
    busy_fixed: float = 0.05
    busy_mobile: float = 0.03
    machine_fixed: float = 0.35
    """Of calls that no person answers."""
    machine_mobile: float = 0.45
    answers_by_hour: Mapping[int, float] = field(
        default_factory=lambda: dict(enumerate(_ANSWERED_FROM_8_TO_20, start=8))
    )
    """A person picks up, by hour in Tokyo: best at lunch and in the evening. With machines
    about half of all calls are answered, as offices report of their auto-calls."""
    answers_otherwise: float = 0.15
    weekend_bonus: float = 0.08
    ring_seconds: tuple[float, float] = (4.0, 22.0)
    machine_seconds: tuple[float, float] = (14.0, 24.0)


@dataclass(frozen=True, slots=True)
class Keys:
    """Who presses what. A menu's keys cannot be read from TwiML, so they are agreed here."""

    confirm: str = "1"
    centre: str = "1"
    wrong_person: str = "3"
    stop: str = "9"
    confirms: float = 0.60
    """Of the right people who pick up."""
    connects: float = 0.15
    """Of those who confirmed: go on to the telephone centre."""
    stops: float = 0.015
    """Of the right people who pick up: want no more calls."""
    hangs_up: float = 0.5
    """Of those who press nothing: hang up during the question."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """Who calls the centre after a contact, and who calls anyway."""

    after_sms: float = 0.10
    after_call: float = 0.08
    """After an auto-call that a person or a machine answered, unless it was transferred."""
    delay_hours: float = 19.93
    """Mean of the exponential delay: 70 % within 24 hours (24 / -ln 0.3)."""
    withheld: float = 0.22
    """Callers who show no number, as in the centre's file of September 2026."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What comes of a talk with an operator; of the right people who were reached."""

    conclusions: Mapping[str, float] = field(
        default_factory=lambda: {
            "promised": 0.50,
            "instalments": 0.14,
            "refused": 0.13,
            "complaint": 0.01,
            "paid_already": 0.10,
            "hardship": 0.08,
            "opted_out": 0.03,
            "deceased": 0.01,
        }
    )
    promise_days: tuple[int, int] = (3, 14)


@dataclass(frozen=True, slots=True)
class Parameters:
    """All of the above."""

    payment: Payment = field(default_factory=Payment)
    telephone: Telephone = field(default_factory=Telephone)
    keys: Keys = field(default_factory=Keys)
    call_back: CallBack = field(default_factory=CallBack)
    talk: Talk = field(default_factory=Talk)
