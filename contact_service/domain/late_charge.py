"""延滞金: what is owed on top of a sum that is paid late.

For claims that are collected like local taxes. Source of the rule: 地方税法 326条 and 附則3条の2
(an ordinance says the same of insurance premiums); days are counted to 365 in leap years too.
What this says is an estimate: a part that was paid late in the meantime bears a charge of its
own, which only the core system knows.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

#: From the year on: percent a year within the first month, and after it.
RATES: tuple[tuple[int, Decimal, Decimal], ...] = (
    (2014, Decimal("2.9"), Decimal("9.2")),
    (2015, Decimal("2.8"), Decimal("9.1")),
    (2017, Decimal("2.7"), Decimal("9.0")),
    (2018, Decimal("2.6"), Decimal("8.9")),
    (2021, Decimal("2.5"), Decimal("8.8")),
    (2022, Decimal("2.4"), Decimal("8.7")),
    (2026, Decimal("2.8"), Decimal("9.1")),
)
#: The last year whose rates were published: nothing is said of a later one.
KNOWN_UNTIL = 2026
_LEAST_PRINCIPAL, _PRINCIPAL_STEP = 2_000, 1_000
_LEAST_CHARGE, _CHARGE_STEP = 1_000, 100


def late_charge(outstanding_yen: int, due_on: date, on: date) -> int | None:
    """Yen of late charge on what is still owed, if it were paid on the day ``on``.

    ``None`` where the rates of a year that matters are not known here.
    """
    principal = outstanding_yen // _PRINCIPAL_STEP * _PRINCIPAL_STEP
    if principal < _LEAST_PRINCIPAL or on <= due_on:
        return 0
    if due_on.year < RATES[0][0] or on.year > KNOWN_UNTIL:
        return None
    month_ends = min(on, _first_month_ends(due_on))
    charge = _portion(principal, due_on, month_ends, later=False)
    charge += _portion(principal, month_ends, on, later=True)
    return charge // _CHARGE_STEP * _CHARGE_STEP if charge >= _LEAST_CHARGE else 0


def _first_month_ends(due_on: date) -> date:
    """The last day of the month that begins on the day after ``due_on``."""
    begins = due_on + timedelta(days=1)
    year, month = begins.year + begins.month // 12, begins.month % 12 + 1
    day = min(begins.day, monthrange(year, month)[1] + 1)
    return date(year, month, 1) + timedelta(days=day - 2)


def _portion(principal: int, after: date, until: date, *, later: bool) -> int:
    """The charge of the days after ``after`` up to ``until``, less than a yen left out."""
    total, day = Decimal(0), after
    while day < until:
        ends = min(until, date((day + timedelta(days=1)).year, 12, 31))
        _, first_month, rest = next(row for row in reversed(RATES) if row[0] <= ends.year)
        rate = rest if later else first_month
        total += principal * rate * (ends - day).days / (100 * 365)
        day = ends
    return int(total)
