"""How the centre works, as its call records of September 2026 show it.

Computed from the sample ward's file (4,390 calls on 22 days, 1,679 of them inbound): counts
by half-hour, and means and deviations of the logarithm of the seconds spoken and of
after-call work, separately by direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

DAYS = 22
#: Inbound calls of the month by the half-hour in which they came.
INBOUND_BY_HALF_HOUR: Mapping[time, int] = {
    time(8, 30): 12,
    time(9, 0): 61,
    time(9, 30): 92,
    time(10, 0): 92,
    time(10, 30): 85,
    time(11, 0): 105,
    time(11, 30): 95,
    time(12, 0): 92,
    time(12, 30): 114,
    time(13, 0): 88,
    time(13, 30): 91,
    time(14, 0): 112,
    time(14, 30): 83,
    time(15, 0): 109,
    time(15, 30): 107,
    time(16, 0): 116,
    time(16, 30): 118,
    time(17, 0): 23,
    time(17, 30): 24,
    time(18, 0): 15,
    time(18, 30): 12,
    time(19, 0): 17,
    time(19, 30): 16,
}
#: Working hours: the office's own, then an evening session, which the file shows every weekday.
OPENS, EVENING, CLOSES = time(8, 30), time(17, 15), time(20, 0)


@dataclass(frozen=True, slots=True)
class Spread:
    """A lognormal length of time: mean in seconds, deviation of the logarithm."""

    mean: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Lengths and limits of the centre's work."""

    inbound_talk: Spread = Spread(154.6, 0.588)
    inbound_wrap: Spread = Spread(70.3, 0.488)
    outbound_talk: Spread = Spread(164.3, 0.612)
    outbound_wrap: Spread = Spread(70.1, 0.469)
    voicemail: Spread = Spread(13.8, 0.567)
    wrong_number: Spread = Spread(13.5, 0.607)
    patience_seconds: float = 150.0
    """Mean of the exponential time after which a waiting caller hangs up."""
    evening_share: float = 0.34
    """Of the operators stay for the evening session, at least one."""
    outbound_share: float = 0.6
    """At most this share of the operators on duty is on outbound calls at once, so that
    somebody is there for those who call."""
    preparation_seconds: float = 15.0
    """From asking for the next person to dialling."""
    pause_seconds: float = 600.0
    """Before the centre asks again, once nobody is left on the list."""
    no_answer_seconds: float = 28.0
    busy_seconds: float = 6.0
    """How long a call that fails keeps an operator."""
