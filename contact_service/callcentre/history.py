"""What was sent to people, said by them and agreed with them until now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.definition import Definition
from campaigns.vocabulary import Channel, Language, Outcome
from contact_service.bootstrap import Service
from contact_service.dispatch.contacts import first_words, message_words
from contact_service.domain.actors import Actor
from contact_service.domain.states import DispositionKind
from contact_service.people.search import message_of_theirs, office_of
from contact_service.planning.definitions import definitions_of


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was sent to, said by, or agreed with these people."""

    at: datetime
    channel: Channel
    campaign: str | None
    """``None``: they called of themselves."""
    words: str | None
    """What an SMS said, or an auto-call first: the same to everybody, and of no debt."""
    outcome: Outcome | None
    disposition: DispositionKind | None
    note: str | None
    by: str | None
    promised_on: date | None
    promised_yen: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A message from their number."""

    at: datetime
    body: str


#: The latest of what campaigns sent to one of these people about claims of the office's, and of
#: what they said to its operators, or those of all offices, when they called.
_HISTORY = text("""
SELECT a.channel, a.outcome, coalesce(a.submitted_at, a.outcome_at) AS at,
    d.kind, d.note, d.recorded_by, p.promised_on, p.amount_yen, a.run_id, a.step,
    (SELECT e.language FROM target t JOIN debtor e ON e.id = t.addressee_id
        WHERE t.id = a.target_id) AS language
FROM attempt a
LEFT JOIN disposition d ON d.attempt_id = a.id
LEFT JOIN promise p ON p.disposition_id = d.id
WHERE a.id <> :conversation AND a.state IN ('accepted', 'unknown', 'finished')
AND a.target_id IN (
    SELECT tc.target_id FROM claim theirs JOIN target_claim tc ON tc.claim_id = theirs.id
    WHERE theirs.debtor_id = ANY(:ids) AND theirs.kind = ANY(:own_kinds))
UNION ALL
SELECT 'operator', 'confirmed', i.came_at, d.kind, d.note, d.recorded_by, p.promised_on,
    p.amount_yen, NULL, NULL, NULL
FROM inbound_call i
JOIN disposition d ON d.inbound_call_id = i.id
LEFT JOIN promise p ON p.disposition_id = d.id
WHERE i.id <> :conversation AND i.debtor_id = ANY(:ids)
-- as in a person's timeline: it names no claim, so it is of the office whose operator wrote it down
AND (:office = '*' OR d.office IN ('*', :office))
ORDER BY at DESC LIMIT 50
""")


def history_of(
    connection: Connection,
    service: Service,
    actor: Actor,
    debtor_ids: Sequence[int],
    conversation_id: UUID,
) -> list[Event]:
    """What there was with these people before this conversation, the latest first."""
    rows = connection.execute(
        _HISTORY,
        {
            "ids": list(debtor_ids),
            "conversation": conversation_id,
            "own_kinds": actor.own_kinds,
            "office": actor.office,
        },
    ).all()
    definitions = definitions_of(connection, {row.run_id for row in rows if row.run_id})
    return [
        Event(
            at=row.at,
            channel=Channel(row.channel),
            campaign=definitions[row.run_id].title if row.run_id else None,
            words=_words(service, definitions[row.run_id], row) if row.run_id else None,
            outcome=Outcome(row.outcome) if row.outcome else None,
            disposition=DispositionKind(row.kind) if row.kind else None,
            note=service.vault.open("disposition.note", row.note) if row.note else None,
            by=row.recorded_by,
            promised_on=row.promised_on,
            promised_yen=row.amount_yen,
        )
        for row in rows
    ]


#: What is the same to everybody. A letter tells of the person's own claims.
_SENT = {Channel.SMS: message_words, Channel.AUTO_CALL: first_words}


def _words(service: Service, definition: Definition, row: Row[Any]) -> str | None:
    said = _SENT.get(Channel(row.channel))
    wanted = Language(row.language) if row.language else None
    return said(definition, row.step, wanted, service.settings) if said else None


def written_from(
    connection: Connection, service: Service, actor: Actor, phone_id: int | None
) -> list[Written]:
    """The latest messages from a number that are the actor's office's to read, the latest first."""
    rows = connection.execute(
        text(f"""
        SELECT m.received_at, m.body FROM inbound_message m
        WHERE m.phone_id = :phone AND m.body IS NOT NULL AND {message_of_theirs("m")}
        ORDER BY m.received_at DESC LIMIT 10
        """),
        {"phone": phone_id} | office_of(actor),
    )
    return [
        Written(row.received_at, service.vault.open("inbound_message.body", row.body))
        for row in rows
    ]
