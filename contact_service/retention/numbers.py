"""Numbers that nobody has any more: emptied, and one that must be left alone leads to nobody.

A number stays behind when a later file brings another, when its person is made nameless, and when
a stranger has written: links to it (targets, calls, messages) stay for the counts, so it is its
value that goes. Where somebody asked to be left alone under it, the number must be known for that
purpose: then it stays, and all that pointed to it points to an emptied number instead. What says
so from then on is a restriction of its own, of no day by which the old one could be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from contact_service.retention.whose import NOT_OF_HELD
from contact_service.store.indexing import NOBODYS

_NEEDED = """EXISTS (SELECT FROM restriction r WHERE r.phone_id = p.id AND r.lifted_at IS NULL
    AND (r.ends_on IS NULL OR r.ends_on >= CAST(:now AS timestamptz)::date))"""
_LEADS_SOMEWHERE = """(EXISTS (SELECT FROM target t WHERE t.phone_id = p.id)
    OR EXISTS (SELECT FROM call k WHERE k.phone_id = p.id)
    OR EXISTS (SELECT FROM inbound_call i WHERE i.phone_id = p.id)
    OR EXISTS (SELECT FROM inbound_message m WHERE m.phone_id = p.id))"""
#: The number ``p`` is nobody's, nobody's who is held, and was last used before ``:before``.
_OVER = f"""
    NOT (octet_length(p.number_index) = 33 AND get_byte(p.number_index, 0) = {NOBODYS})
    AND NOT EXISTS (SELECT FROM debtor_phone dp WHERE dp.phone_id = p.id)
    AND NOT EXISTS (SELECT FROM held_phone h WHERE h.phone_id = p.id)
    AND NOT EXISTS (SELECT FROM call k WHERE k.phone_id = p.id AND k.started_at >= :before)
    AND NOT EXISTS (SELECT FROM inbound_message m
        WHERE m.phone_id = p.id AND m.received_at >= :before)
    AND NOT EXISTS (SELECT FROM inbound_call i
        WHERE i.phone_id = p.id AND greatest(i.came_at, i.due_at) >= :before)
    AND NOT EXISTS (SELECT FROM target t JOIN attempt a ON a.target_id = t.id
        WHERE t.phone_id = p.id AND coalesce(a.submitted_at, a.due_at) >= :before)
    AND ({_LEADS_SOMEWHERE} OR NOT {_NEEDED})
"""

#: Restrictions of a number that are of nobody whom the ledger, or a file, still knows.
_OF_NOBODY = """((r.debtor_code IS NULL OR r.debtor_code LIKE 'anon-%')
    AND (r.debtor_id IS NULL OR EXISTS (SELECT FROM debtor d
        WHERE d.id = r.debtor_id AND d.anonymised_at IS NOT NULL)))"""


def said_goes(gone: str) -> tuple[str, ...]:
    """Statements by which what was written of the results in the table ``gone`` goes."""
    return (
        f"UPDATE disposition d SET note = NULL FROM {gone} g WHERE d.id = g.id",
        f"UPDATE quality_review q SET remark = NULL FROM {gone} g WHERE q.disposition_id = g.id",
        f"""UPDATE result_correction c SET why = :no_reason FROM {gone} g
        WHERE c.disposition_id = g.id""",
    )


#: In this order, after people were made nameless; ``candidate_phone`` holds what may go.
_LET_GO = (
    f"""CREATE TEMPORARY TABLE going_phone ON COMMIT DROP AS
    SELECT p.id AS phone_id, p.kind, {_NEEDED} AS needed, decode('{NOBODYS:02x}', 'hex') ||
        sha256(uuid_send(gen_random_uuid())) AS nobodys
    FROM phone p WHERE p.id IN (SELECT phone_id FROM candidate_phone) AND {_OVER}""",
    f"""CREATE TEMPORARY TABLE going_said ON COMMIT DROP AS
    SELECT d.id FROM disposition d JOIN inbound_call i ON i.id = d.inbound_call_id
    JOIN going_phone g ON g.phone_id = i.phone_id
    LEFT JOIN debtor known ON known.id = i.debtor_id AND known.anonymised_at IS NULL
    WHERE known.id IS NULL AND {NOT_OF_HELD}""",
    *said_goes("going_said"),
    """UPDATE inbound_message m SET body = NULL FROM going_phone g
    WHERE m.phone_id = g.phone_id""",
    "UPDATE inbound_call i SET number = NULL FROM going_phone g WHERE i.phone_id = g.phone_id",
    f"""UPDATE restriction_lift rl SET reason = '' FROM restriction r, going_phone g
    WHERE rl.restriction_id = r.id AND r.phone_id = g.phone_id AND {_OF_NOBODY}""",
    f"""UPDATE restriction r SET note = NULL, notice_number = CASE WHEN r.notice_number IS NOT NULL
        THEN 'anon-' || r.id END
    FROM going_phone g WHERE r.phone_id = g.phone_id AND {_OF_NOBODY}""",
    """UPDATE phone p SET number = :nothing, number_index = g.nobodys FROM going_phone g
    WHERE p.id = g.phone_id AND NOT g.needed""",
    # what must be left alone: an emptied number takes over all that leads to somebody
    """INSERT INTO phone (number, number_index, kind)
    SELECT :nothing, g.nobodys, g.kind FROM going_phone g WHERE g.needed""",
    """CREATE TEMPORARY TABLE moved_phone ON COMMIT DROP AS
    SELECT g.phone_id AS was, p.id AS instead FROM going_phone g
    JOIN phone p ON p.number_index = g.nobodys WHERE g.needed""",
    f"""CREATE TEMPORARY TABLE needed_restriction ON COMMIT DROP AS
    SELECT r.phone_id, r.kind, min(r.origin) AS origin,
        CASE WHEN count(*) = count(r.ends_on) THEN max(r.ends_on) END AS ends_on
    FROM restriction r JOIN moved_phone m ON m.was = r.phone_id
    WHERE r.lifted_at IS NULL AND {_OF_NOBODY}
    AND (r.ends_on IS NULL OR r.ends_on >= CAST(:now AS timestamptz)::date)
    GROUP BY r.phone_id, r.kind""",
    f"""UPDATE restriction r SET phone_id = m.instead, lifted_at = coalesce(r.lifted_at, :now)
    FROM moved_phone m WHERE r.phone_id = m.was AND {_OF_NOBODY}""",
    """INSERT INTO restriction (kind, phone_id, starts_on, ends_on, origin)
    SELECT kind, phone_id, date_trunc('year', CAST(:now AS timestamptz))::date, ends_on, origin
    FROM needed_restriction ORDER BY random()""",
    """UPDATE attempt a SET phone_id = m.instead
    FROM target t JOIN moved_phone m ON m.was = t.phone_id
    WHERE a.target_id = t.id AND a.phone_id = m.was""",
    "UPDATE target t SET phone_id = m.instead FROM moved_phone m WHERE t.phone_id = m.was",
    "UPDATE call k SET phone_id = m.instead FROM moved_phone m WHERE k.phone_id = m.was",
    "UPDATE inbound_call i SET phone_id = m.instead FROM moved_phone m WHERE i.phone_id = m.was",
    "UPDATE inbound_message i SET phone_id = m.instead FROM moved_phone m WHERE i.phone_id = m.was",
)

_STRAYS = f"""CREATE TEMPORARY TABLE candidate_phone ON COMMIT DROP AS
    SELECT p.id AS phone_id FROM phone p WHERE p.id > :after AND {_OVER}
    ORDER BY p.id LIMIT :most"""
#: Whose number never came into the ledger, and who was never called back.
_CALLERS = """UPDATE inbound_call i SET number = NULL
    WHERE i.number IS NOT NULL AND i.phone_id IS NULL AND greatest(i.came_at, i.due_at) < :before
    AND i.id NOT IN (SELECT id FROM held_conversation)"""


def let_go(connection: Connection, given: Mapping[str, Any]) -> int:
    """Empty those numbers of ``candidate_phone`` that are over; returns how many.

    Takes what :func:`~contact_service.retention.whose.find_held` leaves, and that nobody writes
    numbers (:func:`~contact_service.store.indexing.alone`): one that is emptied would be linked.
    """
    for statement in _LET_GO:
        connection.execute(text(statement), used(statement, given))
    return connection.scalar(text("SELECT count(*) FROM going_phone")) or 0


def find_strays(
    connection: Connection, given: Mapping[str, Any], after: int, most: int
) -> int | None:
    """Leave numbers behind ``after`` that are over in ``candidate_phone``; returns the last."""
    values = {"after": after, "most": most, **given}
    connection.execute(text(_STRAYS), used(_STRAYS, values))
    last: int | None = connection.scalar(text("SELECT max(phone_id) FROM candidate_phone"))
    return last


def let_go_of_callers(connection: Connection, given: Mapping[str, Any]) -> int:
    """Forget the numbers of callers whom nobody in the ledger stands behind; returns how many."""
    return connection.execute(text(_CALLERS), used(_CALLERS, given)).rowcount


def used(statement: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that the statement binds."""
    return {name: value for name, value in values.items() if f":{name}" in statement}
