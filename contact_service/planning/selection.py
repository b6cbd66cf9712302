"""Compiling a definition's selection to SQL conditions over ``claim c``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from campaigns.definition import Range, Selection
from campaigns.vocabulary import Period
from contact_service.domain.dates import fiscal_year

#: 現年分 are the claims assessed for the fiscal year that is running, all others 滞納繰越分.
PERIOD = f"""
    CASE WHEN c.assessed_year = :this_year THEN '{Period.CURRENT}' ELSE '{Period.CARRIED_OVER}' END
"""


def compile_selection(selection: Selection, as_of: date) -> tuple[str, dict[str, Any]]:
    """Conditions and bound parameters that select claims as they stand on ``as_of``."""
    conditions = ["c.outstanding_yen > 0"]
    values: dict[str, Any] = {"this_year": fiscal_year(as_of)}
    if selection.kinds:
        conditions.append("c.kind = ANY(:kinds)")
        values["kinds"] = [kind.value for kind in selection.kinds]
    if selection.legal_classes:
        conditions.append("c.legal_class = ANY(:legal_classes)")
        values["legal_classes"] = [item.value for item in selection.legal_classes]
    if selection.period:
        conditions.append(f"{PERIOD} = :period")
        values["period"] = selection.period.value
    _within(selection.fiscal_years, "c.assessed_year", "year", conditions, values)
    _within(selection.claim_outstanding_yen, "c.outstanding_yen", "claim_yen", conditions, values)
    # an age of n days is a due date n days ago; the ends change places
    age = selection.days_since_due
    if age.min is not None:
        conditions.append("c.due_on <= :due_latest")
        values["due_latest"] = as_of - timedelta(days=age.min)
    if age.max is not None:
        conditions.append("c.due_on >= :due_earliest")
        values["due_earliest"] = as_of - timedelta(days=age.max)
    return " AND ".join(conditions), values


def within(bounds: Range, expression: str, name: str) -> tuple[str, dict[str, Any]]:
    """A condition that ``expression`` lies within ``bounds``; ``true`` when both are open."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    _within(bounds, expression, name, conditions, values)
    return " AND ".join(conditions) or "true", values


def _within(
    bounds: Range, expression: str, name: str, conditions: list[str], values: dict[str, Any]
) -> None:
    if bounds.min is not None:
        conditions.append(f"{expression} >= :{name}_min")
        values[f"{name}_min"] = bounds.min
    if bounds.max is not None:
        conditions.append(f"{expression} <= :{name}_max")
        values[f"{name}_max"] = bounds.max
