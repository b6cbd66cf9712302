"""Who must be left alone on a day, as SQL that planning and dispatch share.

The fragments expect the bound parameters of :func:`parameters`. How far each kind of
restriction reaches is the table in ``domain.restrictions``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from contact_service.domain.restrictions import Reach, RestrictionKind, kinds_reaching

IN_FORCE = """
    r.lifted_at IS NULL AND r.starts_on <= :day AND (r.ends_on IS NULL OR r.ends_on >= :day)
"""

#: A restriction that concerns the whole person. One of a number that a file tells of a person,
#: without saying which number, does too.
OF_A_PERSON = """
    (r.kind = ANY(:debtor_kinds) OR (r.kind = ANY(:phone_kinds) AND r.phone_id IS NULL))
"""

#: The same for target ``t``, without what its run lifts by name; nothing where there is no run.
_OF_A_PERSON_HERE = f"""
    ({OF_A_PERSON} AND r.kind <> ALL (
        coalesce((SELECT run.lifted FROM run WHERE run.id = t.run_id)::text[], ARRAY[]::text[])))
"""

#: Claims under a restriction of their own: the one it names, or all of the debtor's. One that
#: names a notice not (or not surely) in the ledger covers them all: better too many than wrong.
RESTRICTED_CLAIMS = f"""
    SELECT c.id AS claim_id
    FROM restriction r
    JOIN claim c ON c.id = r.claim_id
        OR (r.claim_id IS NULL AND c.debtor_id = r.debtor_id)
    WHERE {IN_FORCE} AND r.kind = ANY(:claim_kinds)
"""

#: People under a restriction that concerns the whole person.
RESTRICTED_DEBTORS = f"""
    SELECT r.debtor_id FROM restriction r
    WHERE {IN_FORCE} AND r.debtor_id IS NOT NULL AND {OF_A_PERSON}
    UNION ALL
    -- who said "no more" at one number is not called at another
    SELECT dp.debtor_id FROM restriction r JOIN debtor_phone dp ON dp.phone_id = r.phone_id
    WHERE {IN_FORCE} AND r.kind = :opted_out
"""

#: People whose home and telephone must be left alone as well.
PROTECTED_DEBTORS = f"""
    SELECT r.debtor_id FROM restriction r
    WHERE {IN_FORCE} AND r.debtor_id IS NOT NULL AND r.kind = ANY(:household_kinds)
"""

#: Numbers that must not be used, whoever stands behind them.
RESTRICTED_PHONES = f"""
    SELECT r.phone_id FROM restriction r
    WHERE {IN_FORCE} AND r.phone_id IS NOT NULL AND r.kind = ANY(:phone_kinds)
"""

#: Whether the person of claim ``c`` still has the number that attempt ``a`` goes to: a newer file
#: may have taken it away, and whoever has it now must not hear of the debt. A letter has none.
STILL_THEIR_NUMBER = """
    (a.phone_id IS NULL OR EXISTS (SELECT 1 FROM debtor_phone theirs
        WHERE theirs.debtor_id = c.debtor_id AND theirs.phone_id = a.phone_id))
"""

#: Whether claim ``c`` of target ``t`` may be asked for: neither it nor its person is restricted.
CLAIM_MAY_BE_TOLD = f"""
    NOT EXISTS (
        SELECT 1 FROM restriction r
        WHERE {IN_FORCE} AND r.kind = ANY(:claim_kinds) AND r.claim_id = c.id)
    AND NOT EXISTS (
        SELECT 1 FROM restriction r
        WHERE {IN_FORCE} AND r.debtor_id = c.debtor_id
        AND ({_OF_A_PERSON_HERE} OR (r.kind = ANY(:claim_kinds) AND r.claim_id IS NULL)))
    AND NOT EXISTS (
        SELECT 1 FROM debtor_phone dp JOIN restriction r ON r.phone_id = dp.phone_id
        WHERE dp.debtor_id = c.debtor_id AND {IN_FORCE} AND r.kind = :opted_out)
"""

#: Whether target ``t``, contacted by attempt ``a``, must be left alone now:
#: nothing left that may be asked for, the person behind the number, the number itself, or
#: somebody protected who shares the number or a home with one of the people concerned.
TARGET_RESTRICTED = f"""
    NOT EXISTS (
        SELECT 1 FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        WHERE tc.target_id = t.id AND c.outstanding_yen > 0 AND {STILL_THEIR_NUMBER}
        AND {CLAIM_MAY_BE_TOLD})
    OR EXISTS (
        SELECT 1 FROM restriction r
        WHERE {IN_FORCE} AND r.debtor_id = t.addressee_id AND {_OF_A_PERSON_HERE})
    OR EXISTS (
        SELECT 1 FROM restriction r
        WHERE {IN_FORCE} AND r.phone_id = a.phone_id AND r.kind = ANY(:phone_kinds))
    OR EXISTS (
        SELECT 1 FROM debtor_phone dp
        JOIN restriction r ON r.debtor_id = dp.debtor_id
        WHERE dp.phone_id = t.phone_id AND {IN_FORCE} AND r.kind = ANY(:household_kinds))
    OR EXISTS (
        SELECT 1 FROM debtor_phone dp
        JOIN debtor d ON d.id = dp.debtor_id
        JOIN debtor other ON other.household_id = d.household_id
        JOIN restriction r ON r.debtor_id = other.id
        WHERE dp.phone_id = t.phone_id AND {IN_FORCE} AND r.kind = ANY(:household_kinds))
    OR EXISTS (
        SELECT 1 FROM target_claim tc
        JOIN claim c ON c.id = tc.claim_id
        JOIN debtor d ON d.id = c.debtor_id
        JOIN debtor other ON other.household_id = d.household_id
        JOIN restriction r ON r.debtor_id = other.id
        WHERE tc.target_id = t.id AND {IN_FORCE} AND r.kind = ANY(:household_kinds))
"""


def parameters(day: date, lifted: Collection[str] = ()) -> dict[str, Any]:
    """The bound parameters of the fragments for one ``day`` in Tokyo, without the kinds of
    restriction that a campaign has ``lifted`` by name: only some that concern a person."""
    return {
        "day": day,
        "claim_kinds": kinds_reaching(Reach.CLAIM),
        "debtor_kinds": [kind for kind in kinds_reaching(Reach.DEBTOR) if kind not in lifted],
        "household_kinds": kinds_reaching(Reach.HOUSEHOLD),
        "phone_kinds": kinds_reaching(Reach.PHONE),
        "opted_out": RestrictionKind.OPTED_OUT.value,
    }
