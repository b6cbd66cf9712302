"""One person who was opened: who they are, what they owe, and why they are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from campaigns.vocabulary import ClaimKind, LegalClass
from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.domain.actors import Actor, require
from contact_service.domain.restrictions import RestrictionKind
from contact_service.people.opening import NotOpened, no_person, opened_until
from contact_service.people.search import (
    FELT_BY_THEM,
    OWED_TO_THEM,
    SEARCHERS,
    TOLD_TO_THEM,
    office_of,
)
from contact_service.store import left_alone

#: The origin of a restriction of which an office is told no more than its kind.
ANOTHER_OFFICE = "another_office"


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number of theirs."""

    id: int
    e164: str
    kind: str
    """NumberKind."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, paid or not. Yen."""

    id: int
    kind: ClaimKind
    legal_class: LegalClass
    year: int
    instalment: int
    notice_number: str
    due_on: date
    assessed_yen: int
    outstanding_yen: int
    may_be_told: bool
    file_id: int | None
    """``None``: a file that was brought for another office, or for all."""
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Restriction:
    """A reason to leave them alone, in force, past or to come."""

    id: int
    kind: RestrictionKind
    starts_on: date | None
    """``None``: it is another office's, and in force."""
    ends_on: date | None
    lifted_at: datetime | None
    origin: str
    """``another_office``: nothing but its kind is told, and that office alone lifts it."""
    note: str | None
    notice_number: str | None
    of_number: int | None
    """The number that it concerns; ``None``: the person, or claims."""
    in_force: bool
    lift_asked: bool
    """Whether somebody has asked to lift it, and a second person has not decided yet."""


@dataclass(frozen=True, slots=True)
class Person:
    """All of it but the timeline."""

    id: int
    code: str
    name: str | None
    kana: str | None
    birth_date: str | None
    language: str | None
    household: str | None
    training: bool
    opened_until: datetime
    numbers: Sequence[Number]
    claims: Sequence[Claim]
    restrictions: Sequence[Restriction]

    @property
    def outstanding_yen(self) -> int:
        """What they owe in all."""
        return sum(claim.outstanding_yen for claim in self.claims)


def person(service: Service, actor: Actor, debtor_id: int) -> Person:
    """The person, for somebody who has opened them.

    Raises :class:`NotOpened`, :class:`~contact_service.people.opening.NoPerson`,
    :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *SEARCHERS, contractors=False)
    now = service.clock.now()
    with service.engine.connect() as connection:
        row = connection.execute(
            text(f"""
            SELECT d.code, d.name, d.name_kana, d.birth_date, d.language, d.training, h.code AS home
            FROM debtor d LEFT JOIN household h ON h.id = d.household_id
            WHERE d.id = :id AND {OWED_TO_THEM}
            """),
            {"id": debtor_id, **office_of(actor)},
        ).one_or_none()
        if row is None:
            raise no_person(debtor_id)
        until = opened_until(connection, actor, debtor_id, now)
        if until is None:
            raise NotOpened

        def opened(column: str, sealed: bytes | None) -> str | None:
            return service.vault.open(f"debtor.{column}", sealed) if sealed else None

        today = now.astimezone(TOKYO).date()
        return Person(
            id=debtor_id,
            code=row.code,
            name=opened("name", row.name),
            kana=opened("name_kana", row.name_kana),
            birth_date=opened("birth_date", row.birth_date),
            language=row.language,
            household=row.home,
            training=row.training,
            opened_until=until,
            numbers=_numbers(connection, service, debtor_id),
            claims=_claims(connection, actor, debtor_id, today),
            restrictions=_restrictions(connection, actor, debtor_id, today),
        )


def _numbers(connection: Connection, service: Service, debtor_id: int) -> list[Number]:
    rows = connection.execute(
        text("""
        SELECT p.id, p.number, p.kind FROM debtor_phone dp JOIN phone p ON p.id = dp.phone_id
        WHERE dp.debtor_id = :id ORDER BY dp.rank
        """),
        {"id": debtor_id},
    )
    return [Number(r.id, service.vault.open("phone.number", r.number), r.kind) for r in rows]


def _claims(connection: Connection, actor: Actor, debtor_id: int, today: date) -> list[Claim]:
    rows = connection.execute(
        text(f"""
        SELECT c.id, c.kind, c.legal_class, c.assessed_year, c.instalment, c.notice_number,
            c.due_on, c.assessed_yen, c.outstanding_yen,
            {left_alone.CLAIM_MAY_BE_TOLD} AS may_be_told, f.id AS file_id, f.name AS file,
            CASE WHEN f.id IS NOT NULL THEN c.source_line END AS source_line
        FROM claim c LEFT JOIN source_file f
            ON f.id = c.source_file_id AND (:whole OR f.office = :office)
        LEFT JOIN target t ON false
        WHERE c.debtor_id = :id AND c.kind = ANY(:own_kinds)
        ORDER BY c.due_on DESC, c.kind, c.instalment
        """),
        {"id": debtor_id} | office_of(actor) | left_alone.parameters(today),
    )
    return [
        Claim(
            row.id, ClaimKind(row.kind), LegalClass(row.legal_class), row.assessed_year,
            row.instalment, row.notice_number, row.due_on, row.assessed_yen, row.outstanding_yen,
            row.may_be_told, row.file_id, row.file, row.source_line,
        )
        for row in rows
    ]  # fmt: skip


def _restrictions(
    connection: Connection, actor: Actor, debtor_id: int, today: date
) -> list[Restriction]:
    rows: Sequence[Any] = connection.execute(
        text(f"""
        SELECT r.*, ({left_alone.IN_FORCE}) AS in_force, {TOLD_TO_THEM} AS told,
            EXISTS (SELECT 1 FROM restriction_lift l
                WHERE l.restriction_id = r.id AND l.decided_at IS NULL) AS lift_asked
        FROM restriction r WHERE r.id IN (
            SELECT id FROM restriction WHERE debtor_id = :id
            UNION SELECT r.id FROM restriction r JOIN debtor_phone dp ON dp.phone_id = r.phone_id
                WHERE dp.debtor_id = :id
            UNION SELECT r.id FROM restriction r JOIN claim c ON c.id = r.claim_id
                WHERE c.debtor_id = :id)
        AND ({TOLD_TO_THEM} OR ({FELT_BY_THEM} AND {left_alone.IN_FORCE}))
        ORDER BY in_force DESC, r.starts_on DESC, r.id DESC
        """),
        {"id": debtor_id, "day": today, **office_of(actor)},
    ).all()
    return [
        Restriction(
            row.id, RestrictionKind(row.kind), row.starts_on, row.ends_on, row.lifted_at,
            row.origin, row.note, row.notice_number, row.phone_id, row.in_force, row.lift_asked,
        )
        if row.told
        else Restriction(
            row.id, RestrictionKind(row.kind), None, None, None, ANOTHER_OFFICE, None, None, None,
            in_force=True, lift_asked=False,
        )
        for row in rows
    ]  # fmt: skip
