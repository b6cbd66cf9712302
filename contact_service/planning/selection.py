"""Compiling a definition's selection to SQL conditions over ``claim c``.

What can be asked is the table ``campaigns.conditions.FIELDS``; here is where the answers are,
by the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from campaigns.conditions import Condition, Selection, SelectionField, Shape, asked
from campaigns.parts import Range
from campaigns.vocabulary import PAYMENT_LAG_DAYS, Channel, NumberKind, Period, PromiseState
from contact_service.domain.dates import fiscal_year
from contact_service.domain.windows import at_tokyo

#: 現年分 are the claims assessed for the fiscal year that is running, all others 滞納繰越分.
PERIOD = f"""
    CASE WHEN c.assessed_year = :this_year THEN '{Period.CURRENT}' ELSE '{Period.CARRIED_OVER}' END
"""


#: The people whose claims a contact was about, seen from the claim ``c``.
_CONTACTS = """
    FROM claim k
    JOIN target_claim tc ON tc.claim_id = k.id
    JOIN attempt a ON a.target_id = tc.target_id
    WHERE k.debtor_id = c.debtor_id AND a.submitted_at < :before
"""


def _contacts(channel: Channel) -> str:
    return f"(SELECT count(DISTINCT a.id) {_CONTACTS} AND a.channel = '{channel}')"


#: Where each field's value is, for the claim ``c``. A test holds this against ``FIELDS``.
#: Facts about people are looked up by index: whatever the size of the ledger, what is read for
#: one claim stays small.
VALUES: Mapping[str, str] = {
    "kinds": "c.kind",
    "legal_classes": "c.legal_class",
    "period": PERIOD,
    "fiscal_years": "c.assessed_year",
    "instalments": "c.instalment",
    "days_since_due": "(:as_of - c.due_on)",
    "days_since_demand": "(:as_of - c.demand_sent_on)",
    "claim_outstanding_yen": "c.outstanding_yen",
    "sms_contacts": _contacts(Channel.SMS),
    "auto_call_contacts": _contacts(Channel.AUTO_CALL),
    "operator_contacts": _contacts(Channel.OPERATOR),
    "last_outcomes": f"""(
        SELECT a.outcome {_CONTACTS} AND a.outcome_at < :before
        ORDER BY a.outcome_at DESC, a.id LIMIT 1)""",
    "promises": f"""(
        SELECT CASE
            WHEN p.amount_yen <= (
                SELECT coalesce(sum(y.amount_yen), 0)
                FROM target_claim promised JOIN payment y ON y.claim_id = promised.claim_id
                WHERE promised.target_id = p.target_id
                AND y.paid_on >= (d.recorded_at AT TIME ZONE 'Asia/Tokyo')::date
                AND y.paid_on <= p.promised_on AND y.paid_on < :as_of
            ) THEN '{PromiseState.KEPT}'
            WHEN :as_of - p.promised_on > {PAYMENT_LAG_DAYS} THEN '{PromiseState.BROKEN}'
            ELSE '{PromiseState.OPEN}' END
        FROM claim k
        JOIN target_claim tc ON tc.claim_id = k.id
        JOIN promise p ON p.target_id = tc.target_id
        JOIN disposition d ON d.id = p.disposition_id
        WHERE k.debtor_id = c.debtor_id AND d.recorded_at < :before
        ORDER BY d.recorded_at DESC, p.id DESC LIMIT 1)""",
    "has_mobile": f"""EXISTS (
        SELECT 1 FROM debtor_phone dp JOIN phone ON phone.id = dp.phone_id
        WHERE dp.debtor_id = c.debtor_id AND phone.kind = '{NumberKind.MOBILE}')""",
    "household_size": """(
        SELECT greatest(count(*), 1) FROM debtor me JOIN debtor other USING (household_id)
        WHERE me.id = c.debtor_id)""",
}
#: Values that may not be there; then no test of them holds.
NULLABLE = frozenset({"days_since_demand", "last_outcomes", "promises"})


def compile_selection(selection: Selection, as_of: date) -> tuple[str, dict[str, Any]]:
    """Conditions and bound parameters that select claims as they stand on ``as_of``.

    Contacts and promises count when they were made before that day began in Tokyo. Raises
    ``ValueError`` for named selections that were not put in.
    """
    values: dict[str, Any] = {
        "this_year": fiscal_year(as_of),
        "as_of": as_of,
        "before": at_tokyo(as_of, time(0, 0)),
    }
    return f"c.outstanding_yen > 0 AND {_condition(selection, values)}", values


def within(bounds: Range, expression: str, name: str) -> tuple[str, dict[str, Any]]:
    """A condition that ``expression`` lies within ``bounds``; ``true`` when both are open."""
    ends = {f"{name}_min": bounds.min, f"{name}_max": bounds.max}
    values = {end: value for end, value in ends.items() if value is not None}
    signs = {f"{name}_min": ">=", f"{name}_max": "<="}
    return " AND ".join(f"{expression} {signs[end]} :{end}" for end in values) or "true", values


def _condition(condition: Condition, values: dict[str, Any]) -> str:
    """``condition`` in SQL, never NULL; what it is compared with goes into ``values``."""
    if condition.use:
        raise ValueError(f"named selections are not put in: {', '.join(condition.use)}")
    parts = [_field(field, wanted, values) for field, wanted in asked(condition) if field.nested]
    parts += [_condition(inner, values) for inner in condition.all]
    if condition.any:
        parts.append(" OR ".join(_condition(inner, values) for inner in condition.any))
    parts += [f"NOT {_condition(inner, values)}" for inner in condition.not_]
    return "(" + (" AND ".join(f"({part})" for part in parts) or "true") + ")"


def _field(field: SelectionField, wanted: Any, values: dict[str, Any]) -> str:
    name, expression = f"wanted_{len(values)}", VALUES[field.name]
    if field.shape is Shape.RANGE:
        test, bound = within(wanted, expression, name)
    elif field.shape is Shape.WORDS:
        test, bound = f"{expression} = ANY(:{name})", {name: [word.value for word in wanted]}
    else:
        test, bound = f"{expression} = :{name}", {name: wanted}
    values |= bound
    return f"coalesce({test}, false)" if field.name in NULLABLE else test
