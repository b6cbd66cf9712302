"""Leaving somebody alone, from now on; and lifting that again, which takes two people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from contact_service.bootstrap import Service
from contact_service.clock import TOKYO
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require, require_another
from contact_service.domain.numbers import classify
from contact_service.domain.restrictions import BY_KIND, Reach, RestrictionKind
from contact_service.logs import mask_numbers
from contact_service.people.masking import masked_number
from contact_service.people.search import (
    OWED_TO_THEM,
    SEARCHERS,
    TOLD_TO_THEM,
    keys_of,
    office_of,
)
from contact_service.store import audit, left_alone
from contact_service.store.indexing import writing
from contact_service.store.said_again import SAID_AGAIN

DECIDERS = (Role.APPROVER, Role.SUPERVISOR)
READERS = (*SEARCHERS, Role.AUDITOR)
MOST = 50


class CannotRestrict(Exception):
    """What was asked for makes no restriction, or cannot be lifted. Japanese / English."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to leave alone, and why. A person, a number, or one claim of a person."""

    kind: RestrictionKind
    code: str | None = None
    """Person code (宛名番号); it may be of somebody who is not in the ledger yet."""
    number: str | None = None
    """A telephone number as people write it."""
    claim_id: int | None = None
    ends_on: date | None = None
    """The last day; ``None``: until it is lifted."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A restriction as the list shows it: nobody's name, no whole number."""

    id: int
    kind: RestrictionKind
    code: str | None
    debtor_id: int | None
    """In the ledger; ``None`` also where the office that looks does not know them."""
    number: str | None
    notice_number: str | None
    starts_on: date
    ends_on: date | None
    lifted_at: datetime | None
    in_force: bool
    origin: str
    note: str | None
    lift_id: int | None
    """A wish to lift it, undecided."""
    lift_reason: str | None
    lift_asked_by: str | None


def restrict(service: Service, actor: Actor, wanted: Wanted) -> int:
    """Leave somebody alone from today on; the restriction's number. Contacts that were planned
    are dropped when their turn comes. Saying the same twice on one day is one restriction, which
    lasts as long as the longer of the two.

    Raises :class:`CannotRestrict`, :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *SEARCHERS, contractors=False)
    now = service.clock.now()
    today = now.astimezone(TOKYO).date()
    _check(wanted, today)
    with service.engine.begin() as connection:
        phone_id = _phone(connection, service, wanted.number) if wanted.number else None
        found = connection.execute(
            text(f"SELECT d.id, {OWED_TO_THEM} AS known FROM debtor d WHERE d.code = :code"),
            {"code": wanted.code, **office_of(actor)},
        ).one_or_none()
        person = found.id if found else None
        known = person if found and found.known else None
        made = connection.execute(
            _RESTRICT,
            {
                "kind": wanted.kind, "person": person, "code": wanted.code, "phone": phone_id,
                "claim": wanted.claim_id, "notice": _notice(connection, actor, wanted, known),
                "today": today, "ends_on": wanted.ends_on,
                "note": mask_numbers(wanted.note.strip()) or None,
            },
        ).one()  # fmt: skip
        if made.ends_on != wanted.ends_on:
            raise CannotRestrict(
                "今日すでに、より長い期間で登録されています。そのまま続きます。短くするには、画面"
                "「連絡しない方・番号」で解除を依頼してください（二人で決めます） / it was "
                "registered today for longer, and holds: to shorten it ask to lift it, on the page "
                "Do not contact; two persons decide"
            )
        audit.record(
            connection, now, actor, "restriction.add", f"restriction:{made.id}",
            kind=wanted.kind.value, debtor=known,  # what auditors of the office may know, too
        )  # fmt: skip
    return int(made.id)


def _check(wanted: Wanted, today: date) -> None:
    if wanted.ends_on is not None and wanted.ends_on < today:
        raise CannotRestrict("終わりの日が過ぎています / the last day is over")
    if not (wanted.code or wanted.number):
        raise CannotRestrict(
            "宛名番号か電話番号を入れてください / give a person code or a telephone number"
        )
    if not wanted.code and BY_KIND[wanted.kind].reach is not Reach.PHONE:
        raise CannotRestrict(  # of a number alone it would protect nobody
            "この区分は方への制限です。宛名番号を入れてください / this kind concerns a person: "
            "give the person code"
        )


def _notice(connection: Connection, actor: Actor, wanted: Wanted, known: int | None) -> str | None:
    """The notice of the claim that is restricted, if one is named, of a person whom the office
    knows. Raises :class:`CannotRestrict` where claims are restricted, that one or all of the
    person's, that are none of theirs; it says the same of a code that nobody has."""
    if wanted.claim_id is not None:
        notice: str | None = connection.scalar(
            text("""
            SELECT notice_number FROM claim
            WHERE id = :claim AND debtor_id = :person AND kind = ANY(:own)
            """),
            {"claim": wanted.claim_id, "person": known, "own": actor.own_kinds},
        )
        if notice is None:
            raise CannotRestrict("その方の債権ではありません / no claim of this person")
        return notice
    of_claims = wanted.code and BY_KIND[wanted.kind].reach is Reach.CLAIM
    if of_claims and known is None and actor.office != EVERY_OFFICE:
        raise CannotRestrict(
            "この区分は債権への制限です。その宛名番号の方の、あなたの課の債権がありません。方への"
            "制限なら、ほかの区分を選んでください / this kind concerns claims, and that person "
            "has none of your office's: choose another kind to leave the person alone"
        )
    return None


_RESTRICT = text(f"""
INSERT INTO restriction (kind, debtor_id, debtor_code, phone_id, claim_id, notice_number,
    starts_on, ends_on, note, origin)
VALUES (:kind, :person, :code, :phone, :claim, :notice, :today, :ends_on, :note, 'staff')
{SAID_AGAIN} RETURNING id, ends_on
""")


def _phone(connection: Connection, service: Service, number: str) -> int:
    """The number's row, made where nobody in the ledger has it: who gets it later is left alone."""
    found = [item for item in classify(number) if item.e164 is not None]
    if len(found) != 1 or found[0].e164 is None:
        raise CannotRestrict(
            "電話番号として読めません。090-1234-5678 の形で1つだけ入れてください / not a telephone "
            "number; write one, like 090-1234-5678"
        )
    e164 = found[0].e164
    index, before = writing(connection, service.vault).both("phone", e164)
    known: int | None = connection.scalar(
        text("SELECT id FROM phone WHERE number_index IN (:index, :before)"),
        {"index": index, "before": before},
    )
    if known is not None:
        return known
    values = {
        "index": index,
        "sealed": service.vault.seal("phone.number", e164),
        "kind": found[0].kind,
    }
    made: int = connection.execute(
        text("""
        INSERT INTO phone (number, number_index, kind) VALUES (:sealed, :index, :kind)
        ON CONFLICT (number_index) DO UPDATE SET kind = phone.kind RETURNING id
        """),
        values,
    ).scalar_one()
    return made


def ask_to_lift(service: Service, actor: Actor, restriction_id: int, reason: str) -> int:
    """Ask a second person to lift a restriction; the wish's number. Nothing changes yet.

    Raises :class:`CannotRestrict`, :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *SEARCHERS, contractors=False)
    if not reason.strip():
        raise CannotRestrict(
            "解除する理由を書いてください。確認する人の判断に要ります / say why it should be lifted"
        )
    now = service.clock.now()
    try:
        with service.engine.begin() as connection:
            made = connection.scalar(
                text(f"""
                INSERT INTO restriction_lift (restriction_id, reason, asked_at, asked_by)
                SELECT r.id, :reason, :now, :by FROM restriction r
                WHERE r.id = :id AND r.lifted_at IS NULL AND {TOLD_TO_THEM} RETURNING id
                """),
                {
                    "id": restriction_id, "reason": mask_numbers(reason.strip()), "now": now,
                    "by": actor.name, **office_of(actor),
                },
            )  # fmt: skip
            if made is None:
                raise CannotRestrict(
                    "この制限はないか、もう解除されています / there is no such restriction, or it "
                    "is lifted already"
                )
            audit.record(
                connection, now, actor, "restriction.ask_to_lift", f"restriction:{restriction_id}"
            )
    except IntegrityError:
        raise CannotRestrict(
            "解除はもう依頼されています。確認を待ってください / somebody has asked already"
        ) from None
    return int(made)


def decide_lift(service: Service, actor: Actor, lift_id: int, *, lift: bool) -> None:
    """Lift what somebody else asked to lift, or leave it in force.

    Raises :class:`CannotRestrict`, :class:`~contact_service.domain.actors.NotAllowed`, also for
    whoever asked.
    """
    require(actor, *DECIDERS)
    now = service.clock.now()
    with service.engine.begin() as connection:
        row = connection.execute(
            text(f"""
            SELECT l.restriction_id, l.asked_by FROM restriction_lift l
            JOIN restriction r ON r.id = l.restriction_id
            WHERE l.id = :id AND l.decided_at IS NULL AND {TOLD_TO_THEM} FOR UPDATE OF l
            """),
            {"id": lift_id} | office_of(actor),
        ).one_or_none()
        if row is None:
            raise CannotRestrict("もう決まっています / this is decided already")
        require_another(actor, row.asked_by)
        connection.execute(
            text("""
            UPDATE restriction_lift SET decided_at = :now, decided_by = :by, lifted = :lift
            WHERE id = :id
            """),
            {"id": lift_id, "now": now, "by": actor.name, "lift": lift},
        )
        if lift:
            connection.execute(
                text("UPDATE restriction SET lifted_at = :now WHERE id = :id"),
                {"id": row.restriction_id, "now": now},
            )
        audit.record(
            connection, now, actor, "restriction.lift" if lift else "restriction.keep",
            f"restriction:{row.restriction_id}",
        )  # fmt: skip


#: Whoever wrote a code down has it back; that it is in the ledger, and whose name it belongs to,
#: an office learns of its own people alone.
_LIST = f"""
SELECT r.*, coalesce(r.debtor_code, CASE WHEN {OWED_TO_THEM} THEN d.code END) AS code,
    CASE WHEN {OWED_TO_THEM} THEN r.debtor_id END AS known_id, p.number,
    ({left_alone.IN_FORCE}) AS in_force,
    l.id AS lift_id, l.reason AS lift_reason, l.asked_by AS lift_asked_by
FROM restriction r
LEFT JOIN debtor d ON d.id = r.debtor_id
LEFT JOIN phone p ON p.id = r.phone_id
LEFT JOIN restriction_lift l ON l.restriction_id = r.id AND l.decided_at IS NULL
"""


def restrictions(
    service: Service,
    actor: Actor,
    *,
    kind: RestrictionKind | None = None,
    wanted: str = "",
    before: int | None = None,
    most: int = MOST,
) -> tuple[Sequence[Listed], int | None]:
    """Restrictions that are not lifted, the newest first, of one ``kind`` or for one number, name
    or person code; and where the next page begins.

    Raises :class:`~contact_service.domain.actors.NotAllowed`.
    """
    require(actor, *READERS, contractors=False)
    where = ["r.lifted_at IS NULL", TOLD_TO_THEM]
    values: dict[str, Any] = {
        "day": service.clock.now().astimezone(TOKYO).date(), "most": most + 1, **office_of(actor),
    }  # fmt: skip
    if kind is not None:
        where.append("r.kind = :kind")
        values["kind"] = kind
    if wanted.strip():
        where.append(f"""
            r.id IN (
            SELECT id FROM restriction WHERE debtor_code = :code
            UNION SELECT r2.id FROM restriction r2 JOIN debtor d ON d.id = r2.debtor_id
                WHERE (d.code = :code OR d.name_index = ANY(:names)
                OR d.written_index = ANY(:names)) AND {OWED_TO_THEM}
            UNION SELECT r3.id FROM restriction r3 JOIN phone p3 ON p3.id = r3.phone_id
                WHERE p3.number_index = ANY(:numbers))""")
        values |= keys_of(service, wanted)
    if before is not None:
        where.append("r.id < :before")
        values["before"] = before
    sql = f"{_LIST} WHERE {' AND '.join(where)} ORDER BY r.id DESC LIMIT :most"
    with service.engine.connect() as connection:
        rows = connection.execute(text(sql), values).all()
    found = [_listed(service, row) for row in rows[:most]]
    return found, found[-1].id if len(rows) > most else None


def to_decide(service: Service, actor: Actor, after: int = 0, most: int = 200) -> Sequence[Listed]:
    """Restrictions that somebody asked to lift, the oldest wish first, after the wish ``after``."""
    require(actor, *READERS, contractors=False)
    sql = f"{_LIST} WHERE l.id > :after AND {TOLD_TO_THEM} ORDER BY l.id LIMIT :most"
    with service.engine.connect() as connection:
        rows = connection.execute(
            text(sql),
            {
                "day": service.clock.now().astimezone(TOKYO).date(),
                "most": most,
                "after": after,
                **office_of(actor),
            },
        ).all()
    return [_listed(service, row) for row in rows]


def _listed(service: Service, row: Row[Any]) -> Listed:
    number = masked_number(service.vault.open("phone.number", row.number)) if row.number else None
    return Listed(
        row.id, RestrictionKind(row.kind), row.code, row.known_id, number, row.notice_number,
        row.starts_on, row.ends_on, row.lifted_at, row.in_force, row.origin, row.note,
        row.lift_id, row.lift_reason, row.lift_asked_by,
    )  # fmt: skip
