"""Which conversations a supervisor of one office (所管課) sees: those about people who owe its
kinds of claim, and those about nobody who is known. Supervisors of all offices see all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from contact_service.domain.actors import EVERY_OFFICE, Actor


def of_own_office(row: str) -> str:
    """The condition on ``row``, which has ``target_id``, ``debtor_id`` and ``called_by``; its
    parameters are :func:`own_kinds`."""
    return f"""(CAST(:own_kinds AS text[]) IS NULL
    OR EXISTS (SELECT FROM target_claim tc JOIN claim k ON k.id = tc.claim_id
        WHERE tc.target_id = {row}.target_id AND k.kind = ANY(:own_kinds))
    OR ({row}.target_id IS NULL AND EXISTS (SELECT FROM claim k WHERE k.kind = ANY(:own_kinds)
        AND (k.debtor_id = {row}.debtor_id OR ({row}.debtor_id IS NULL AND k.debtor_id IN (
            SELECT dp.debtor_id FROM debtor_phone dp WHERE dp.phone_id = {row}.called_by)))))
    OR ({row}.target_id IS NULL AND {row}.debtor_id IS NULL AND NOT EXISTS (
        SELECT FROM debtor_phone dp WHERE dp.phone_id = {row}.called_by)))"""


def own_kinds(actor: Actor) -> dict[str, Any]:
    """Parameters of :func:`of_own_office`."""
    return {"own_kinds": None if actor.office == EVERY_OFFICE else actor.own_kinds}


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
