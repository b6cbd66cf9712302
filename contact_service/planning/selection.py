"""Compiling a definition's selection to SQL conditions over ``claim c``.

What can be asked is the table ``campaigns.conditions.FIELDS``; here is where the answers are,
by the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from campaigns.conditions import FIELDS, Condition, Selection, SelectionField, Shape, asked
from campaigns.parts import Range
from campaigns.vocabulary import (
    PAYMENT_LAG_DAYS,
    Channel,
    InstalmentPlan,
    Language,
    LegalClass,
    NumberKind,
    Period,
    PromiseState,
)
from contact_service.domain.dates import fiscal_year
from contact_service.domain.limitation import (
    BY_KIND,
    CIVIL_CODE_CHANGED,
    DEMAND_REST_DAYS,
    PRIVATE,
    PRIVATE_BEFORE,
    PUBLIC,
)
from contact_service.domain.restrictions import RestrictionKind
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


#: The latest agreement to pay the claim ``c`` by instalments (分納誓約) that began by then.
_PLEDGES = f"""
    FROM restriction r
    WHERE r.kind = '{RestrictionKind.INSTALMENT_PLEDGE}' AND r.starts_on <= :as_of
    AND r.debtor_id = c.debtor_id AND (r.claim_id IS NULL OR r.claim_id = c.id)
"""
#: When the limitation period of claim ``c`` began, or began anew: ``domain.limitation.begins_on``.
_REST = " ".join(f"WHEN '{kind}' THEN {days}" for kind, days in DEMAND_REST_DAYS.items())
_BEGAN = f"""greatest(c.due_on, c.demand_sent_on + CASE c.kind {_REST} ELSE 0 END,
        (SELECT max(y.paid_on) FROM payment y WHERE y.claim_id = c.id AND y.paid_on < :as_of),
        (SELECT max(r.starts_on) {_PLEDGES}))"""
#: How long it is in years: ``domain.limitation.rule_of``.
_OF_KINDS = " ".join(f"WHEN c.kind = '{kind}' THEN {rule.years}" for kind, rule in BY_KIND.items())
_YEARS = f"""CASE
        WHEN c.legal_class = '{LegalClass.PRIVATE}' AND c.due_on >= DATE '{CIVIL_CODE_CHANGED}'
            THEN {PRIVATE.years}
        WHEN c.legal_class = '{LegalClass.PRIVATE}' THEN {PRIVATE_BEFORE.years}
        {_OF_KINDS} ELSE {PUBLIC.years} END"""
#: The days since then on which it did not run, because collection or seizure was deferred.
_SUSPENDED = f"""(
        SELECT coalesce(sum(greatest(0, least(r.ends_on, r.lifted_at::date, :as_of)
            - greatest(r.starts_on, {_BEGAN}) + 1)), 0)::int
        FROM restriction r
        WHERE r.kind IN ('{RestrictionKind.COLLECTION_DEFERRED}',
            '{RestrictionKind.SEIZURE_DEFERRED}')
        AND r.starts_on <= :as_of AND r.debtor_id = c.debtor_id
        AND (r.claim_id IS NULL OR r.claim_id = c.id))"""
_ENDS = f"({_BEGAN} + make_interval(years => {_YEARS}) + make_interval(days => {_SUSPENDED}))"


def _months(earlier: str, later: str) -> str:
    """Whole months from one day to another; 0 when the other has passed."""
    between = f"age({later}, {earlier})"
    return f"greatest(0, extract(year FROM {between}) * 12 + extract(month FROM {between}))::int"


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
    "letter_contacts": _contacts(Channel.LETTER),
    "instalment_plans": f"""(
        SELECT CASE WHEN r.lifted_at IS NULL AND (r.ends_on IS NULL OR r.ends_on >= :as_of)
            THEN '{InstalmentPlan.KEPT}' ELSE '{InstalmentPlan.BROKEN}' END
        {_PLEDGES} ORDER BY r.starts_on DESC, r.id DESC LIMIT 1)""",
    "limitation_age_months": _months(_BEGAN, "CAST(:as_of AS date)"),
    "limitation_months_left": _months("CAST(:as_of AS date)", _ENDS),
    "languages": """coalesce(
        (SELECT d.language FROM debtor d WHERE d.id = c.debtor_id), :default_language)""",
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
NULLABLE = frozenset({"days_since_demand", "last_outcomes", "promises", "instalment_plans"})


def field_sql(
    name: str, as_of: date, default_language: Language = Language.JA
) -> tuple[str, dict[str, Any]]:
    """The value of a field for the claim ``c``, and its bound parameters: for break-downs.

    A quantity with bands gives the beginning of its band. What a claim or person does not have
    is NULL. Raises ``KeyError`` for what is no field of a claim.
    """
    return banded(name, VALUES[name]), _parameters(as_of, default_language)


def banded(name: str, expression: str) -> str:
    """``expression``, a value of the field ``name``, as the beginning of its band if it has any."""
    bands = FIELDS[name].bands
    if not bands:
        return expression
    cases = " ".join(f"WHEN {expression} >= {least} THEN {least}" for least in bands[::-1])
    return f"(CASE {cases} END)"


def compile_selection(
    selection: Selection, as_of: date, default_language: Language = Language.JA
) -> tuple[str, dict[str, Any]]:
    """Conditions and bound parameters that select claims as they stand on ``as_of``.

    Contacts and promises count when they were made before that day began in Tokyo. Raises
    ``ValueError`` for named selections that were not put in.
    """
    values = _parameters(as_of, default_language)
    return f"c.outstanding_yen > 0 AND {_condition(selection, values)}", values


def _parameters(as_of: date, default_language: Language) -> dict[str, Any]:
    return {
        "this_year": fiscal_year(as_of),
        "as_of": as_of,
        "before": at_tokyo(as_of, time(0, 0)),
        "default_language": default_language.value,
    }


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
