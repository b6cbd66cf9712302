"""How old limitation periods are, by kind, class, date and what renewed them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.vocabulary import ClaimKind, LegalClass
from contact_service.domain.limitation import (
    LimitationRule,
    begins_on,
    ends_on,
    months_between,
    rule_of,
)

DUE = date(2024, 6, 30)


@pytest.mark.parametrize(
    ("kind", "legal_class", "due_on", "years"),
    [
        (ClaimKind.RESIDENT_TAX, LegalClass.COMPULSORY_PUBLIC, DUE, 5),
        (ClaimKind.HEALTH_INSURANCE, LegalClass.COMPULSORY_PUBLIC, DUE, 2),
        (ClaimKind.CARE_INSURANCE, LegalClass.COMPULSORY_PUBLIC, DUE, 2),
        (ClaimKind.NURSERY_FEE, LegalClass.COMPULSORY_PUBLIC, DUE, 5),
        (ClaimKind.NURSERY_FEE, LegalClass.PRIVATE, DUE, 5),
        (ClaimKind.WELFARE_REPAYMENT, LegalClass.OTHER_PUBLIC, DUE, 5),
        (ClaimKind.STUDENT_LOAN, LegalClass.PRIVATE, date(2020, 3, 31), 10),
        (ClaimKind.STUDENT_LOAN, LegalClass.PRIVATE, date(2020, 4, 1), 5),
    ],
)
def test_years_by_class_then_kind_then_date(
    kind: ClaimKind, legal_class: LegalClass, due_on: date, years: int
) -> None:
    rule = rule_of(kind, legal_class, due_on)
    assert rule.years == years
    assert rule.source


def test_what_renews_a_period_and_when() -> None:
    tax = ClaimKind.RESIDENT_TAX
    assert begins_on(tax, DUE) == DUE
    assert begins_on(tax, DUE, date(2024, 7, 19)) == date(2024, 7, 29)
    assert begins_on(ClaimKind.SCHOOL_LUNCH, DUE, date(2024, 7, 19)) == date(2024, 7, 19)
    assert begins_on(tax, DUE, date(2024, 7, 19), date(2025, 1, 6)) == date(2025, 1, 6)
    assert begins_on(tax, DUE, None, date(2025, 1, 6), date(2025, 3, 1)) == date(2025, 3, 1)
    # a payment before the due date renews nothing that had not begun
    assert begins_on(tax, DUE, None, date(2024, 5, 1)) == DUE


def test_a_deferral_adds_its_days_and_leap_days_end_in_february() -> None:
    rule = LimitationRule(2, "-")
    assert ends_on(rule, DUE) == date(2026, 6, 30)
    assert ends_on(rule, DUE, suspended_days=31) == date(2026, 7, 31)
    assert ends_on(rule, date(2024, 2, 29)) == date(2026, 2, 28)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 4000))
def test_months_are_whole_and_never_negative(day: date, days: int) -> None:
    later = day + timedelta(days=days)
    months = months_between(day, later)
    assert 0 <= months <= days / 28
    assert months_between(later, day) == 0
    assert months_between(day, later + timedelta(days=31)) > months
