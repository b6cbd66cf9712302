"""What somebody said in a conversation, or wrote: they, or their number, are left alone at once.

A restriction that was lifted and is said again holds again. Lifting is never done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.dispatch.settle import RESTRICTS
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import OUTCOME_OF_DISPOSITION, DispositionKind
from contact_service.store.said_again import FOR_GOOD, SAID_AGAIN

#: What a result restricts from then on: the person, or the number.
RESTRICTS_PERSON = {
    DispositionKind.HARDSHIP: RestrictionKind.HARDSHIP,
    DispositionKind.DECEASED: RestrictionKind.DECEASED,
    DispositionKind.LAWYER_ENGAGED: RestrictionKind.LAWYER_ENGAGED,
}
RESTRICTS_NUMBER = {
    kind: RESTRICTS[outcome]
    for kind, outcome in OUTCOME_OF_DISPOSITION.items()
    if outcome in RESTRICTS
}


def people_of_target(connection: Connection, target_id: UUID) -> Sequence[int]:
    """Whoever a campaign's call was about: at a shared number we cannot tell who spoke."""
    return connection.scalars(
        text("""
        SELECT DISTINCT c.debtor_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        WHERE tc.target_id = :id
        """),
        {"id": target_id},
    ).all()


def restrict_people(
    connection: Connection, people: Sequence[int], kind: RestrictionKind, now: datetime
) -> None:
    """Leave these people alone from today on, until it is lifted."""
    connection.execute(
        text(f"""
        INSERT INTO restriction (kind, debtor_id, debtor_code, starts_on, origin)
        SELECT :kind, d.id, d.code, CAST(:now AS timestamptz)::date, 'operator'
        FROM debtor d WHERE d.id = ANY(:people)
        {SAID_AGAIN}
        """),
        {"kind": kind.value, "now": now, "people": list(people)},
    )


def restrict_number(
    connection: Connection,
    phone_id: int,
    kind: RestrictionKind,
    now: datetime,
    *,
    concluded: bool = False,
) -> bool:
    """Leave a number alone from today on, until it is lifted; whether nobody had said so yet.
    ``concluded``: by an operator, whose result may be corrected; else the resident asked for it,
    and what an operator concluded before does not stand for their word."""
    return bool(
        connection.execute(
            text(f"""
            INSERT INTO restriction (kind, phone_id, starts_on, origin)
            SELECT CAST(:kind AS text), :phone, CAST(:now AS timestamptz)::date,
                CAST(:origin AS text)
            WHERE NOT EXISTS (SELECT 1 FROM restriction r WHERE r.phone_id = :phone
                AND r.kind = CAST(:kind AS text) AND {FOR_GOOD}
                AND (r.origin <> 'operator' OR CAST(:origin AS text) = 'operator'))
            {SAID_AGAIN}
            """),
            {
                "kind": kind.value,
                "phone": phone_id,
                "now": now,
                "origin": "operator" if concluded else "resident",
            },
        ).rowcount
    )
