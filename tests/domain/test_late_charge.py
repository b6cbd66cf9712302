"""延滞金, against sums worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_service.domain.late_charge import late_charge


@pytest.mark.parametrize(
    ("yen", "due", "on", "charge"),
    [
        # 2025: 31 days at 2.4 %, 62 days at 8.7 %: 100,000 × (31 × 2.4 + 62 × 8.7) / 36,500
        (100_000, date(2025, 6, 30), date(2025, 10, 1), 1_600),
        # the first month ends on 31 July: one day more at the higher rate
        (1_000_000, date(2025, 6, 30), date(2025, 7, 31), 2_000),
        (1_000_000, date(2025, 6, 30), date(2025, 8, 1), 2_200),
        # a month that begins on 1 February has 28 days; one that begins on the 31st of January
        # ends with February
        (1_000_000, date(2025, 1, 31), date(2025, 2, 28), 1_800),
        (1_000_000, date(2025, 1, 30), date(2025, 2, 28), 1_900),
        # over the turn of the year: 30 days at 2.4 %, 31 at 8.7 %, then 31 at 9.1 %
        (500_000, date(2025, 10, 31), date(2026, 1, 31), 8_500),
        (100_999, date(2025, 6, 30), date(2025, 10, 1), 1_600),  # under 1,000 yen left out
        (1_999, date(2020, 6, 30), date(2026, 10, 1), 0),  # of less than 2,000 none
        (20_000, date(2026, 6, 30), date(2026, 8, 31), 0),  # and no charge of less than 1,000
        (100_000, date(2026, 6, 30), date(2026, 6, 30), 0),
    ],
)
def test_worked_out_by_hand(yen: int, due: date, on: date, charge: int) -> None:
    assert late_charge(yen, due, on) == charge


def test_nothing_is_said_of_rates_that_are_not_known() -> None:
    assert late_charge(100_000, date(2012, 6, 30), date(2026, 4, 1)) is None
    assert late_charge(100_000, date(2026, 6, 30), date(2027, 4, 1)) is None


@given(
    st.integers(0, 10_000_000),
    st.dates(date(2014, 1, 1), date(2026, 12, 31)),
    st.integers(0, 2000),
)
def test_it_never_falls_as_days_pass(yen: int, due: date, days: int) -> None:
    on = min(due + timedelta(days=days), date(2026, 12, 30))
    if on < due:
        return
    today, tomorrow = late_charge(yen, due, on), late_charge(yen, due, on + timedelta(days=1))
    assert today is not None and tomorrow is not None
    assert 0 <= today <= tomorrow and today % 100 == 0
