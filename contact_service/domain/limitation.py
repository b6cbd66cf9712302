"""消滅時効: how old a claim's limitation period is and how much of it is left.

For choosing whom to remind first, not for a legal opinion: what renews or suspends a period
outside the ledger (a suit, a seizure, an acknowledgement on paper) is not known here. What the
law says is marked with its source; rows without ``confirmed`` are common knowledge of the field
and are to be confirmed by the office before it relies on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from campaigns.vocabulary import ClaimKind, LegalClass


@dataclass(frozen=True, slots=True)
class LimitationRule:
    """How long a period is, and where that stands."""

    years: int
    source: str
    confirmed: bool = True


#: Public claims whose own law has a period; all other public ones have :data:`PUBLIC`.
BY_KIND: Mapping[ClaimKind, LimitationRule] = {
    ClaimKind.RESIDENT_TAX: LimitationRule(5, "地方税法18条"),
    ClaimKind.HEALTH_INSURANCE: LimitationRule(2, "国民健康保険法110条（保険料）", confirmed=False),
    ClaimKind.CARE_INSURANCE: LimitationRule(2, "介護保険法200条"),
    ClaimKind.LATE_ELDERLY_INSURANCE: LimitationRule(
        2, "高齢者の医療の確保に関する法律160条", confirmed=False
    ),
}
PUBLIC = LimitationRule(5, "地方自治法236条")
#: Private claims that fell due from :data:`CIVIL_CODE_CHANGED` on. The office knows of its claims
#: when they fall due, so of "5 years from knowledge, 10 from arising" the first ends first.
PRIVATE = LimitationRule(5, "民法166条1項1号")
PRIVATE_BEFORE = LimitationRule(10, "民法167条1項（改正前）", confirmed=False)
CIVIL_CODE_CHANGED = date(2020, 4, 1)
#: A period that the statutory reminder renews begins when it has been out for so long. For local
#: tax the law says so (地方税法18条の2第1項2号); for others the day it was sent counts.
DEMAND_REST_DAYS: Mapping[ClaimKind, int] = {ClaimKind.RESIDENT_TAX: 10}


def rule_of(kind: ClaimKind, legal_class: LegalClass, due_on: date) -> LimitationRule:
    """The rule for a claim. Class decides before kind: it depends on article and date."""
    if legal_class is LegalClass.PRIVATE:
        return PRIVATE if due_on >= CIVIL_CODE_CHANGED else PRIVATE_BEFORE
    return BY_KIND.get(kind, PUBLIC)


def begins_on(
    kind: ClaimKind,
    due_on: date,
    demand_sent_on: date | None = None,
    latest_payment_on: date | None = None,
    latest_pledge_on: date | None = None,
) -> date:
    """The day from which the period runs: the due date, or the latest of what renewed it.

    The statutory reminder renews it (地方自治法236条4項), and so do a part payment and a pledge to
    pay by instalments, which acknowledge the debt (民法152条).
    """
    renewed = [due_on]
    if demand_sent_on is not None:
        renewed.append(demand_sent_on + timedelta(days=DEMAND_REST_DAYS.get(kind, 0)))
    renewed += [day for day in (latest_payment_on, latest_pledge_on) if day is not None]
    return max(renewed)


def ends_on(rule: LimitationRule, begins: date, suspended_days: int = 0) -> date:
    """The period's last day. While collection or seizure is deferred (徴収猶予, 換価猶予) it does
    not run (地方税法18条の2第4項): ``suspended_days`` are added. 執行停止 does not stop it."""
    return _years_later(begins, rule.years) + timedelta(days=suspended_days)


def months_between(earlier: date, later: date) -> int:
    """Whole months from one day to another, at least 0; as PostgreSQL's ``age`` counts them."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return max(0, months - (later.day < earlier.day))


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)
