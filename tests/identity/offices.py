"""Two offices (所管課), and somebody who owes both."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from contact_service.domain.actors import Actor, Role
from contact_service.offices import kinds_of
from tests.dispatch.conftest import Floor
from tests.ledger import Owed, mobile

NURSERY, HEALTH = "保育担当課", "国保・後期高齢担当課"


def of(floor: Floor, office: str, role: Role) -> Actor:
    """Somebody of an office, as a door makes them out of their account."""
    return Actor("mori", role, office, kinds=kinds_of(office, floor.service.settings))


@pytest.fixture
def debtor(floor: Floor) -> int:
    """Owes health insurance and a nursery fee; the former is deferred, and there is hardship."""
    owed = [Owed(11_000), Owed(22_000, "nursery_fee", "other_public")]
    found = floor.ledger.person([mobile(1)], owed)
    other = floor.ledger.person([mobile(2)])  # owes health insurance alone
    assert other
    with floor.service.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO restriction (kind, debtor_id, claim_id, starts_on, origin)
            SELECT 'collection_deferred', c.debtor_id, c.id, DATE '2026-01-01', 'file'
            FROM claim c WHERE c.debtor_id = :d AND c.kind = 'health_insurance'
            UNION ALL SELECT 'hardship', :d, c.id, DATE '2026-01-01', 'operator'
            FROM claim c WHERE c.debtor_id = :d AND c.kind = 'health_insurance'
            """),
            {"d": found},
        )
    return found
