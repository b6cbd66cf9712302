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
from campaigns.vocabulary import ClaimKind, Language, LegalClass
from contact_service.bootstrap import Service
from contact_service.callcentre.call_backs import TRIES
from contact_service.callcentre.history import Event, Written, history_of, written_from
from contact_service.callcentre.house_rules import house_rules
from contact_service.callcentre.incoming import LastContact, last_contact
from contact_service.callcentre.own import target_is_own
from contact_service.callcentre.reaching import Reachable, numbers_of
from contact_service.clock import TOKYO
from contact_service.dispatch.contacts import office
from contact_service.domain.actors import Actor, Role, require
from contact_service.domain.dates import fiscal_year
from contact_service.domain.late_charge import late_charge
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import IdentityProof
from contact_service.people.search import FELT_BY_THEM, OWED_TO_THEM, TOLD_TO_THEM, office_of
from contact_service.planning.definitions import definitions_of
from contact_service.store import left_alone

_NOT_WITH_YOU = "この方はあなたの担当ではありません / this person is not with you"


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
    starts_on: date | None
    """``None``: it is another office's, which alone knows more of it."""
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
    numbers: Sequence[Reachable]
    """Where they can be called, best first."""
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
class CameIn:
    """An incoming call."""

    at: datetime
    call_back: bool
    """It is over: they are called back."""
    last: LastContact | None
    """What probably caused it."""


@dataclass(frozen=True, slots=True)
class Case:
    """All of it."""

    id: UUID
    """Of the attempt, or of the incoming call."""
    campaign: str | None
    """``None``: the call was not caused by a campaign, as far as we know."""
    phone: str | None
    """E.164; ``None``: a caller who withholds it."""
    requested: bool
    """They asked to be called back."""
    tries: int
    """How often that has been tried, this time included; 0: it is no call back."""
    call: CameIn | None
    """What is known of the incoming call; ``None``: it is we who call."""
    people: Sequence[PersonOwing]
    history: Sequence[Event]
    written: Sequence[Written]

    @property
    def identified(self) -> PersonOwing | None:
        """Who is on the line; the last whose identity was checked."""
        return next((person for person in self.people if person.proof is not None), None)


def case_of(service: Service, actor: Actor, conversation_id: UUID, now: datetime) -> Case:
    """The case behind an attempt or an incoming call that this operator has; that they were shown
    it was recorded when they got it. Raises :class:`NoCase`."""
    require(actor, Role.OPERATOR, Role.SUPERVISOR)
    with service.engine.connect() as connection:
        row = connection.execute(
            text(f"""
            SELECT a.id, a.run_id, a.target_id, a.phone_id, a.requested, p.number, {TRIES} AS tries
            FROM attempt a JOIN phone p ON p.id = a.phone_id
            WHERE a.id = :id AND a.channel = 'operator' AND a.lease_owner = :operator
            """),
            {"id": conversation_id, "operator": actor.name},
        ).one_or_none()
        if row is None:
            return _incoming_case(connection, service, actor, conversation_id, now)
        if not target_is_own(connection, actor, row.target_id):  # who has changed office meanwhile
            raise NoCase(_NOT_WITH_YOU)
        definition = definitions_of(connection, {row.run_id})[row.run_id]
        people = _people(connection, service, actor, row.id, _OF_AN_ATTEMPT, now)
        if not people:
            raise NoCase(
                "この番号は、いまはその方のものではありません。「受付中」を押すと終わります / "
                "the number is theirs no more; press “free”"
            )
        return Case(
            id=row.id,
            campaign=definition.title,
            phone=service.vault.open("phone.number", row.number),
            requested=row.requested,
            tries=row.tries,
            call=None,
            people=people,
            history=history_of(connection, service, actor, [each.id for each in people], row.id),
            written=written_from(connection, service, actor, row.phone_id),
        )


def _incoming_case(
    connection: Connection, service: Service, actor: Actor, inbound_id: UUID, now: datetime
) -> Case:
    row = connection.execute(
        text("""
        SELECT id, came_at, due_at, asked, try_number, phone_id, number FROM inbound_call
        WHERE id = :id AND state = 'taken' AND taken_by = :operator
        """),
        {"id": inbound_id, "operator": actor.name},
    ).one_or_none()
    if row is None:
        raise NoCase(_NOT_WITH_YOU)
    last = last_contact(connection, actor, row.phone_id, row.came_at)
    people = _people(connection, service, actor, row.id, _OF_A_CALL, now)
    return Case(
        id=row.id,
        campaign=last.campaign if last else None,
        phone=service.vault.open("inbound_call.number", row.number) if row.number else None,
        requested=row.asked,
        tries=row.try_number if row.due_at is not None else 0,
        call=CameIn(row.came_at, row.due_at is not None, last),
        people=people,
        history=history_of(connection, service, actor, [each.id for each in people], row.id),
        written=written_from(connection, service, actor, row.phone_id),
    )


def script_of(service: Service, actor_name: str, case: Case, now: datetime) -> dict[str, str]:
    """The office's words for this case, filled in. Without an identity check there is no
    ``matter``, and with one it is that of whoever was identified. Who is asked for is the
    addressee: that others at this number owe something too is nothing to them."""
    person = case.identified or next(iter(case.people), None)
    told_of = person.told if person else ()
    owed = [Owed(c.kind, c.year, c.instalment, c.outstanding_yen) for c in told_of]
    today = now.astimezone(TOKYO)
    values = {
        **office(service.settings),
        **told(owed, Language.JA),
        "operator": actor_name,
        "name": (person.name if person else None) or "",
        "today": f"{today.month}月{today.day}日",
    }
    script = house_rules(service.settings.desk_file).script.model_dump()
    if case.identified is None or not owed:
        del script["matter"]
    if case.call is not None and not case.call.call_back:
        script["opening"] = script["incoming"]
    return {name: render(words, values) for name, words in script.items()}


#: The people of an attempt :id, and the target whose run may have lifted a restriction.
_OF_AN_ATTEMPT = """
    SELECT d.id, d.id = t.addressee_id AS first, t.id AS target_id
    FROM attempt a JOIN target t ON t.id = a.target_id JOIN debtor d ON d.id IN (
        SELECT c.debtor_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        JOIN debtor_phone theirs ON theirs.debtor_id = c.debtor_id
            AND theirs.phone_id = a.phone_id
        WHERE tc.target_id = t.id)
    WHERE a.id = :id
"""
#: The same of an incoming call: whom an operator found, else everybody who has the number; of
#: these, whom the operator's office knows. Who owes another office alone is nobody here.
_OF_A_CALL = f"""
    SELECT d.id, true AS first, CAST(NULL AS uuid) AS target_id
    FROM inbound_call i JOIN debtor d ON d.id = i.debtor_id OR (i.debtor_id IS NULL AND d.id IN (
        SELECT dp.debtor_id FROM debtor_phone dp WHERE dp.phone_id = i.phone_id))
    WHERE i.id = :id AND {OWED_TO_THEM}
"""


def _people(
    connection: Connection,
    service: Service,
    actor: Actor,
    conversation_id: UUID,
    whose: str,
    now: datetime,
) -> list[PersonOwing]:
    today = now.astimezone(TOKYO).date()
    people = connection.execute(
        text(f"""
        SELECT d.id, d.code, d.name, d.name_kana, d.birth_date, d.language, i.proof, w.target_id
        FROM ({whose}) w JOIN debtor d ON d.id = w.id
        LEFT JOIN identity_check i ON i.conversation_id = :id AND i.debtor_id = d.id
        ORDER BY i.checked_at DESC NULLS LAST, w.first DESC, d.code
        """),
        {"id": conversation_id} | office_of(actor),
    ).all()
    ids = {"ids": [person.id for person in people]}
    claims = connection.execute(
        text(f"""
        SELECT c.debtor_id, c.kind, c.legal_class, c.assessed_year, c.instalment, c.due_on,
            c.outstanding_yen, {left_alone.CLAIM_MAY_BE_TOLD} AS may_be_told
        FROM claim c
        LEFT JOIN target t ON t.id = :target
        WHERE c.debtor_id = ANY(:ids) AND c.outstanding_yen > 0 AND c.kind = ANY(:own_kinds)
        ORDER BY c.due_on, c.kind, c.instalment
        """),
        ids
        | {"target": people[0].target_id if people else None, "own_kinds": actor.own_kinds}
        | left_alone.parameters(today),
    ).all()
    restrictions = connection.execute(
        text(f"""
        SELECT r.debtor_id, r.kind, told.starts_on, told.ends_on FROM restriction r
        LEFT JOIN LATERAL (SELECT r.starts_on, r.ends_on WHERE {TOLD_TO_THEM}) told ON true
        WHERE r.debtor_id = ANY(:ids) AND r.lifted_at IS NULL AND r.starts_on <= :today
        AND (r.ends_on IS NULL OR r.ends_on >= :today)
        AND (told.starts_on IS NOT NULL OR {FELT_BY_THEM}) ORDER BY told.starts_on, r.kind
        """),
        ids | {"today": today} | office_of(actor),
    ).all()

    numbers = numbers_of(connection, service, ids["ids"], today)

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
            numbers=[number for number in numbers if number.debtor_id == person.id],
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
