"""Which conversations and which work a supervisor of one office (所管課) sees. Supervisors of all
offices see all.

What a campaign planned is of the offices whose claims it is about. What was said in a call that
came in names no claim: it is of the office whose operator wrote it down; and where that is one of
all offices, of those whom the person owes, or of all where nobody is known.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.domain.actors import EVERY_OFFICE, Actor
from contact_service.people.search import office_of


def of_own_office(row: str) -> str:
    """The condition on ``row``, work that has ``target_id``, ``debtor_id`` and ``called_by``; its
    parameters are :func:`own_kinds`."""
    return f"""(CAST(:own_kinds AS text[]) IS NULL OR {_of_own_campaign(row)}
        OR ({row}.target_id IS NULL AND {_of_who_called(row)}))"""


def recorded_for_own_office(row: str) -> str:
    """The same on ``row``, a conversation, which also has the ``office`` that recorded it."""
    return f"""(CAST(:own_kinds AS text[]) IS NULL OR {_of_own_campaign(row)}
        OR ({row}.target_id IS NULL AND ({row}.office = :office
            OR ({row}.office = '*' AND {_of_who_called(row)}))))"""


def _of_own_campaign(row: str) -> str:
    return f"""EXISTS (SELECT FROM target_claim tc JOIN claim k ON k.id = tc.claim_id
        WHERE tc.target_id = {row}.target_id AND k.kind = ANY(:own_kinds))"""


def _of_who_called(row: str) -> str:
    """Whoever it was owes the office; or nobody knows who it was."""
    return f"""(EXISTS (SELECT FROM claim k WHERE k.kind = ANY(:own_kinds)
        AND (k.debtor_id = {row}.debtor_id OR ({row}.debtor_id IS NULL AND k.debtor_id IN (
            SELECT dp.debtor_id FROM debtor_phone dp WHERE dp.phone_id = {row}.called_by))))
    OR ({row}.debtor_id IS NULL AND NOT EXISTS (
        SELECT FROM debtor_phone dp WHERE dp.phone_id = {row}.called_by)))"""


def own_kinds(actor: Actor) -> dict[str, Any]:
    """Parameters of the conditions, and of :data:`~contact_service.people.search.OWED_TO_THEM`."""
    whole = actor.office == EVERY_OFFICE
    return office_of(actor) | {"own_kinds": None if whole else actor.own_kinds}


def target_is_own(connection: Connection, actor: Actor, target_id: UUID) -> bool:
    """Whether somebody in a campaign owes the actor's office."""
    found = connection.scalar(
        text(f"""
        SELECT true FROM target t
        CROSS JOIN LATERAL (SELECT t.id AS target_id, CAST(NULL AS bigint) AS debtor_id,
            CAST(NULL AS bigint) AS called_by) w
        WHERE t.id = :target AND {of_own_office("w")}
        """),
        {"target": target_id} | own_kinds(actor),
    )
    return bool(found)
