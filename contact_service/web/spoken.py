"""What an auto-call says at a node, to the one person it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.claim_words import NOTHING_TO_TELL, Owed, tells_of_claims, told
from campaigns.definition import Definition, Node, Script
from campaigns.messages import render
from campaigns.vocabulary import LANGUAGE_TAG, ClaimKind, Language
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.planning.definitions import definitions_of
from contact_service.store import left_alone
from providers.base import Provider, Say


@dataclass(frozen=True, slots=True)
class Conversation:
    """The call of one attempt: its script, and the language that is spoken in it."""

    attempt_id: UUID
    definition: Definition
    script: Script
    wanted: Language | None
    """The addressee's language, where the carrier speaks it."""

    def recorded(self, node: Node) -> bool:
        """Whether the node's recording is in the language of the call."""
        language = self.definition.language_of(node.say, self.wanted)
        return node.audio is not None and language is self.definition.default_language


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a node."""

    say: Say
    withheld: bool
    """They tell of claims, and nothing may be told: the office asks to be called instead."""


def conversation(service: Service, attempt_id: UUID, carrier: Provider) -> Conversation | None:
    """The call of an attempt; ``None`` when there is no such attempt, none by telephone, or it is
    known to be another carrier's."""
    with service.engine.connect() as connection:
        row = connection.execute(
            text("""
            SELECT a.run_id, a.step, a.channel, d.language
            FROM attempt a JOIN target t ON t.id = a.target_id
            JOIN debtor d ON d.id = t.addressee_id
            WHERE a.id = :id AND coalesce(a.provider, :carrier) = :carrier
            """),
            {"id": attempt_id, "carrier": carrier.name},
        ).one_or_none()
        if row is None:
            return None
        definition = definitions_of(connection, [row.run_id])[row.run_id]
    step = definition.step(row.step)
    content = step.fallback if step.fallback and step.channel != row.channel else step
    if content.script is None:
        return None
    wanted = Language(row.language) if row.language else None
    if wanted is not None and LANGUAGE_TAG[wanted] not in carrier.capabilities.speaks:
        wanted = None
    return Conversation(attempt_id, definition, definition.scripts[content.script], wanted)


def spoken(service: Service, call: Conversation, node: Node) -> Spoken:
    """What a node says. Words of claims are those of this moment: what was paid or restricted
    since the call began is not told."""
    language = call.definition.language_of(node.say, call.wanted)
    words, tag = call.definition.words(node.say, call.wanted), LANGUAGE_TAG[language]
    values = office(service.settings)
    if not tells_of_claims(words):
        return Spoken(Say(render(words, values), tag), withheld=False)
    with service.engine.connect() as connection:
        owed = _owed(connection, service, call.attempt_id)
    if not owed:
        return Spoken(Say(render(NOTHING_TO_TELL[language], values), tag), withheld=True)
    own = {**values, **told(owed, language)}
    return Spoken(Say(render(words, own), tag, personal=True), withheld=False)


def _owed(connection: Connection, service: Service, attempt_id: UUID) -> Sequence[Owed]:
    """The addressee's own claims that may be told. None where somebody else has the number too:
    who pressed the key may be that other person."""
    rows = connection.execute(
        text(f"""
        SELECT c.kind, c.assessed_year, c.instalment, c.outstanding_yen
        FROM attempt a JOIN target t ON t.id = a.target_id
        JOIN target_claim tc ON tc.target_id = t.id JOIN claim c ON c.id = tc.claim_id
        WHERE a.id = :id AND c.debtor_id = t.addressee_id AND c.outstanding_yen > 0
        AND {left_alone.CLAIM_MAY_BE_TOLD} AND {left_alone.STILL_THEIR_NUMBER}
        AND NOT ({left_alone.TARGET_RESTRICTED})
        AND NOT EXISTS (SELECT 1 FROM debtor_phone other
            WHERE other.phone_id = a.phone_id AND other.debtor_id <> t.addressee_id)
        ORDER BY c.kind, c.assessed_year, c.instalment, c.id
        """),
        {"id": attempt_id} | left_alone.parameters(service.clock.now().astimezone(TOKYO).date()),
    )
    return [
        Owed(ClaimKind(row.kind), row.assessed_year, row.instalment, row.outstanding_yen)
        for row in rows
    ]
