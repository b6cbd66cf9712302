"""When the centre is open and how many are on duty."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

from contact_service.clock import TOKYO
from contact_service.domain.windows import at_tokyo, is_holiday, is_year_end
from contact_service.simulation.centre.profile import CLOSES, EVENING, OPENS

_SATURDAY = 5


class Duty:
    """Weekdays from 08:30 to 17:15 with everybody, until 20:00 with a few."""

    def __init__(self, operators: int, evening_share: float) -> None:
        self._operators = operators
        self._evening = min(operators, max(1, math.floor(operators * evening_share)))

    def opens_on(self, day: date) -> bool:
        """Whether the centre works on a day in Tokyo."""
        return day.weekday() < _SATURDAY and not is_holiday(day) and not is_year_end(day)

    def on_duty(self, at: datetime) -> int:
        """Operators present; none while the centre is closed."""
        local = at.astimezone(TOKYO)
        clock_time = local.time()
        if not self.opens_on(local.date()) or not OPENS <= clock_time < CLOSES:
            return 0
        return self._operators if clock_time < EVENING else self._evening

    def next_change(self, at: datetime) -> datetime:
        """When the number on duty may change next."""
        today = at.astimezone(TOKYO).date()
        changes = (
            at_tokyo(day, clock_time)
            for day in (today, today + timedelta(days=1))
            for clock_time in (OPENS, EVENING, CLOSES)
        )
        return next(change for change in changes if change > at)

    def next_opening(self, at: datetime) -> date:
        """The first day from ``at`` on whose opening has not passed and on which it opens."""
        local = at.astimezone(TOKYO)
        day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
        while not self.opens_on(day):
            day += timedelta(days=1)
        return day
