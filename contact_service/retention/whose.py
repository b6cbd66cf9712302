"""What is a person's, as SQL: numbers they have or had, and conversations with them.

A later file may have taken a number away, and whoever calls may be known by the number alone: so
what they were called at (``target``) counts beside what they have now (``debtor_phone``).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

HELD = "SELECT debtor_id FROM legal_hold WHERE lifted_at IS NULL"


def targets_of(people: str) -> str:
    """Targets with a claim of one of ``people`` (a query of debtor ids)."""
    return f"""SELECT tc.target_id FROM claim c JOIN target_claim tc ON tc.claim_id = c.id
        WHERE c.debtor_id IN ({people})"""


def numbers_of(people: str) -> str:
    """Numbers (``phone.id``) that one of ``people`` has, or was to be called at."""
    return f"""SELECT dp.phone_id FROM debtor_phone dp WHERE dp.debtor_id IN ({people})
        UNION SELECT t.phone_id FROM target t
        WHERE t.phone_id IS NOT NULL AND t.id IN ({targets_of(people)})"""


#: What is of somebody under a hold, also where it is another's as well. Used by every statement
#: that forgets.
_OF_HELD = (
    f"""CREATE TEMPORARY TABLE held_phone ON COMMIT DROP AS {numbers_of(HELD)}
    UNION SELECT i.phone_id FROM inbound_call i
    WHERE i.phone_id IS NOT NULL AND i.debtor_id IN ({HELD})""",
    f"""CREATE TEMPORARY TABLE held_attempt ON COMMIT DROP AS
    SELECT a.id FROM attempt a WHERE a.target_id IN (
        SELECT t.id FROM target t WHERE t.phone_id IN (SELECT phone_id FROM held_phone)
        UNION {targets_of(HELD)})""",
    f"""CREATE TEMPORARY TABLE held_conversation ON COMMIT DROP AS
    SELECT id FROM held_attempt
    UNION SELECT i.id FROM inbound_call i WHERE i.debtor_id IN ({HELD})
        OR i.phone_id IN (SELECT phone_id FROM held_phone)
        OR i.attempt_id IN (SELECT id FROM held_attempt)
    UNION SELECT conversation_id FROM identity_check WHERE debtor_id IN ({HELD})""",
)
#: The condition that the result ``d`` touches nobody under a hold.
NOT_OF_HELD = """NOT EXISTS (SELECT FROM held_conversation h
    WHERE h.id = coalesce(d.attempt_id, d.inbound_call_id))"""


def find_held(connection: Connection) -> None:
    """Leave ``held_phone`` and ``held_conversation`` to the rest of the transaction."""
    for statement in _OF_HELD:
        connection.execute(text(statement))
