"""One person's case, as an operator needs it during a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from campaigns.claim_words import Owed, told
from campaigns.messages import render
from campaigns.vocabulary import Channel, ClaimKind, Language, LegalClass, Outcome
from contact_service.bootstrap import Service
from contact_service.callcentre.house_rules import house_rules
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.dates import fiscal_year
from contact_service.domain.late_charge import late_charge
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import DispositionKind, IdentityProof
from contact_service.planning.definitions import definitions_of
from contact_service.store import left_alone


class NoCase(Exception):
    """There is no such case, or it is not with this operator."""


@dataclass(frozen=True, slots=True)
class ClaimOwed:
    """One claim that is still owed. Yen."""

    kind: ClaimKind
    legal_class: LegalClass
    year: int
    instalment: int
    due_on: date
    outstanding_yen: int
    carried_over: bool
    may_be_told: bool
    """Whether it may be asked for: neither it nor its person is restricted."""
    late_charge_yen: int | None
    """As of today, an estimate; ``None``: none by law, or its rate is not known here."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A restriction that is in force."""

    kind: RestrictionKind
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class PersonOwing:
    """Whom the case is about. Several people may share a telephone: each is somebody else, and
    hears of nothing but what they owe themselves."""

    id: int
    code: str
    name: str | None
    kana: str | None
    birth_date: str | None
    language: Language | None
    claims: Sequence[ClaimOwed]
    restrictions: Sequence[InForce]
    proof: IdentityProof | None
    """How it was made sure that it is they who are on the line; ``None``: not yet."""

    @property
    def told(self) -> Sequence[ClaimOwed]:
        """What may be spoken of, once it is sure who is on the line."""
        return [claim for claim in self.claims if claim.may_be_told]

    @property
    def total_yen(self) -> int:
        """What they may be asked for in all, without late charges."""
        return sum(claim.outstanding_yen for claim in self.told)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was sent to, said by, or agreed with these people."""

    at: datetime
    channel: Channel
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


@dataclass(frozen=True, slots=True)
class Case:
    """All of it."""

    attempt_id: UUID
    campaign: str
    phone: str
    """E.164."""
    requested: bool
    """They asked to be called back."""
    people: Sequence[PersonOwing]
    history: Sequence[Event]
    written: Sequence[Written]

    @property
    def identified(self) -> PersonOwing | None:
        """Who is on the line; the last whose identity was checked."""
        return next((person for person in self.people if person.proof is not None), None)


def case_of(service: Service, actor: Actor, attempt_id: UUID, now: datetime) -> Case:
    """The case behind an attempt that this operator has; that they were shown it was recorded when
    they got it. Raises :class:`NoCase`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        row = connection.execute(
            text("""
            SELECT a.id, a.run_id, a.target_id, a.phone_id, a.requested, p.number
            FROM attempt a JOIN phone p ON p.id = a.phone_id
            WHERE a.id = :id AND a.channel = 'operator' AND a.lease_owner = :operator
            """),
            {"id": attempt_id, "operator": actor.name},
        ).one_or_none()
        if row is None:
            raise NoCase("この方はあなたの担当ではありません / this person is not with you")
        definition = definitions_of(connection, {row.run_id})[row.run_id]
        people = _people(connection, service, row.id, now)
        if not people:
            raise NoCase(
                "この番号は、いまはその方のものではありません。「受付中」を押すと終わります / "
                "the number is theirs no more; press “free”"
            )
        return Case(
            attempt_id=row.id,
            campaign=definition.title,
            phone=service.vault.open("phone.number", row.number),
            requested=row.requested,
            people=people,
            history=_history(connection, service, row.target_id, row.id),
            written=_written(connection, service, row.phone_id),
        )


def script_of(service: Service, actor_name: str, case: Case, now: datetime) -> dict[str, str]:
    """The office's words for this case, filled in. Without an identity check there is no
    ``matter``, and with one it is that of whoever was identified. Who is asked for is the
    addressee: that others at this number owe something too is nothing to them."""
    person = case.identified or case.people[0]
    owed = [Owed(c.kind, c.year, c.instalment, c.outstanding_yen) for c in person.told]
    today = now.astimezone(TOKYO)
    values = {
        **office(service.settings),
        **told(owed, Language.JA),
        "operator": actor_name,
        "name": person.name or "",
        "today": f"{today.month}月{today.day}日",
    }
    script = house_rules(service.settings.desk_file).script.model_dump()
    if case.identified is None or not owed:
        del script["matter"]
    return {name: render(words, values) for name, words in script.items()}


def _people(
    connection: Connection, service: Service, attempt_id: UUID, now: datetime
) -> list[PersonOwing]:
    today = now.astimezone(TOKYO).date()
    people = connection.execute(
        text("""
        SELECT d.id, d.code, d.name, d.name_kana, d.birth_date, d.language, i.proof
        FROM attempt a JOIN target t ON t.id = a.target_id JOIN debtor d ON d.id IN (
            SELECT c.debtor_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
            JOIN debtor_phone theirs ON theirs.debtor_id = c.debtor_id
                AND theirs.phone_id = a.phone_id
            WHERE tc.target_id = t.id)
        LEFT JOIN identity_check i ON i.attempt_id = a.id AND i.debtor_id = d.id
        WHERE a.id = :attempt
        ORDER BY i.checked_at DESC NULLS LAST, d.id = t.addressee_id DESC, d.code
        """),
        {"attempt": attempt_id},
    ).all()
    ids = {"ids": [person.id for person in people]}
    claims = connection.execute(
        text(f"""
        SELECT c.debtor_id, c.kind, c.legal_class, c.assessed_year, c.instalment, c.due_on,
            c.outstanding_yen, {left_alone.CLAIM_MAY_BE_TOLD} AS may_be_told
        FROM attempt a JOIN target t ON t.id = a.target_id JOIN claim c ON c.debtor_id = ANY(:ids)
        WHERE a.id = :attempt AND c.outstanding_yen > 0
        ORDER BY c.due_on, c.kind, c.instalment
        """),
        ids | {"attempt": attempt_id} | left_alone.parameters(today),
    ).all()
    restrictions = connection.execute(
        text("""
        SELECT debtor_id, kind, starts_on, ends_on FROM restriction
        WHERE debtor_id = ANY(:ids) AND lifted_at IS NULL AND starts_on <= :today
        AND (ends_on IS NULL OR ends_on >= :today) ORDER BY starts_on
        """),
        ids | {"today": today},
    ).all()

    def opened(column: str, sealed: bytes | None) -> str | None:
        return service.vault.open(f"debtor.{column}", sealed) if sealed else None

    return [
        PersonOwing(
            id=person.id,
            code=person.code,
            name=opened("name", person.name),
            kana=opened("name_kana", person.name_kana),
            birth_date=opened("birth_date", person.birth_date),
            language=Language(person.language) if person.language else None,
            claims=[_claim(row, today) for row in claims if row.debtor_id == person.id],
            restrictions=[
                InForce(RestrictionKind(row.kind), row.starts_on, row.ends_on)
                for row in restrictions
                if row.debtor_id == person.id
            ],
            proof=IdentityProof(person.proof) if person.proof else None,
        )
        for person in people
    ]


def _claim(row: Row[Any], today: date) -> ClaimOwed:
    legal_class = LegalClass(row.legal_class)
    by_law = legal_class is LegalClass.COMPULSORY_PUBLIC
    return ClaimOwed(
        kind=ClaimKind(row.kind),
        legal_class=legal_class,
        year=row.assessed_year,
        instalment=row.instalment,
        due_on=row.due_on,
        outstanding_yen=row.outstanding_yen,
        carried_over=row.assessed_year < fiscal_year(today),
        may_be_told=row.may_be_told,
        late_charge_yen=late_charge(row.outstanding_yen, row.due_on, today) if by_law else None,
    )


#: The latest of what any campaign sent to one of these people.
_HISTORY = text("""
SELECT a.id, a.channel, a.outcome, coalesce(a.submitted_at, a.outcome_at) AS at,
    d.kind, d.note, d.recorded_by, p.promised_on, p.amount_yen
FROM attempt a
LEFT JOIN disposition d ON d.attempt_id = a.id
LEFT JOIN promise p ON p.disposition_id = d.id
WHERE a.id <> :attempt AND a.state IN ('accepted', 'unknown', 'finished')
AND a.target_id IN (
    SELECT other.target_id FROM target_claim mine
    JOIN claim c ON c.id = mine.claim_id
    JOIN claim theirs ON theirs.debtor_id = c.debtor_id
    JOIN target_claim other ON other.claim_id = theirs.id
    WHERE mine.target_id = :target)
ORDER BY at DESC LIMIT 50
""")


def _history(
    connection: Connection, service: Service, target_id: UUID, attempt_id: UUID
) -> list[Event]:
    return [
        Event(
            at=row.at,
            channel=Channel(row.channel),
            outcome=Outcome(row.outcome) if row.outcome else None,
            disposition=DispositionKind(row.kind) if row.kind else None,
            note=service.vault.open("disposition.note", row.note) if row.note else None,
            by=row.recorded_by,
            promised_on=row.promised_on,
            promised_yen=row.amount_yen,
        )
        for row in connection.execute(_HISTORY, {"target": target_id, "attempt": attempt_id})
    ]


def _written(connection: Connection, service: Service, phone_id: int) -> list[Written]:
    rows = connection.execute(
        text("""
        SELECT received_at, body FROM inbound_message WHERE phone_id = :phone AND body IS NOT NULL
        ORDER BY received_at DESC LIMIT 10
        """),
        {"phone": phone_id},
    )
    return [
        Written(row.received_at, service.vault.open("inbound_message.body", row.body))
        for row in rows
    ]
