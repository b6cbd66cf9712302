"""Finding people by number, name or person code.

What is shown is masked, and tells no debt and no restriction: that takes opening the person, with
a reason. That somebody is in the ledger is told all the same, so whom a search showed is recorded,
and nobody is shown more than so many in a day alone.

Names and numbers are sealed: what is looked for is its blind index, so a number or a name must be
given in full. Spaces, dashes, half-width kana and the like do not matter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import EVERY_OFFICE, Actor, Role, require
from contact_service.domain.numbers import classify
from contact_service.domain.restrictions import Reach, kinds_reaching
from contact_service.identity.bulk_access import require_few_or_granted
from contact_service.intake.values import name_key
from contact_service.people.masking import masked_name, masked_number
from contact_service.store import audit

#: Who may look people up. Evaluators and auditors never see one.
SEARCHERS = (Role.STAFF, Role.APPROVER, Role.OPERATOR, Role.SUPERVISOR)
MOST = 50
LISTED = "person.listed"
#: So many people are shown to one person in a day, masked; of more, two persons decide.
MOST_LISTED = 300


@dataclass(frozen=True, slots=True)
class Summary:
    """Somebody in the ledger, masked."""

    id: int
    code: str
    name: str | None
    numbers: Sequence[str]
    training: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of people; ``more`` is where the next one begins."""

    people: Sequence[Summary]
    more: int | None


_FIND = """
    SELECT d.id FROM debtor d WHERE d.code = :code
    UNION
    SELECT d.id FROM debtor d WHERE d.name_index = ANY(:names)
    UNION
    SELECT d.id FROM debtor d WHERE d.written_index = ANY(:names)
    UNION
    SELECT dp.debtor_id FROM phone p JOIN debtor_phone dp ON dp.phone_id = p.id
    WHERE p.number_index = ANY(:numbers)
"""

#: An office knows people by what they owe it, or owed it (所管課). Binds ``own_kinds``, ``whole``.
OWED_TO_THEM = """(:whole OR EXISTS (SELECT FROM claim own WHERE own.debtor_id = d.id
    AND own.kind = ANY(:own_kinds)))"""


#: Whether the office said it: its file brought the restriction ``r``, or its staff entered it.
_SAID_BY_THEM = """(EXISTS (SELECT FROM source_file f WHERE f.id = r.source_file_id
    AND f.office = :office) OR EXISTS (SELECT FROM audit_log l
    WHERE l.subject = 'restriction:' || r.id AND l.action = 'restriction.add'
    AND l.office = :office))"""

#: What concerns a person, hardship above all, every office is told, so that none goes on where
#: another has stopped; what concerns claims (``Reach`` is the rule), the offices that keep them: of
#: the claim or the notice that it names, else of any that the person owes. Of a notice that the
#: ledger does not have nobody knows whose it is: whoever said it is told.
TOLD_TO_THEM = f"""(:whole OR r.kind <> ALL(:of_claims) OR CASE
    WHEN r.claim_id IS NOT NULL THEN EXISTS (
        SELECT FROM claim own WHERE own.id = r.claim_id AND own.kind = ANY(:own_kinds))
    WHEN EXISTS (SELECT FROM claim named WHERE named.debtor_id = r.debtor_id
        AND named.notice_number = r.notice_number) THEN EXISTS (
        SELECT FROM claim own WHERE own.debtor_id = r.debtor_id
        AND own.notice_number = r.notice_number AND own.kind = ANY(:own_kinds))
    ELSE (r.notice_number IS NULL AND EXISTS (
        SELECT FROM claim own WHERE own.debtor_id = r.debtor_id AND own.kind = ANY(:own_kinds)))
        OR {_SAID_BY_THEM} END)"""

#: Whether the restriction ``r`` keeps an office from its own claims, told of it or not: one that is
#: not surely of a single claim covers all that the person owes (``store.left_alone``). An office
#: that is not told learns what kind it is, and that it is another's.
FELT_BY_THEM = """(r.claim_id IS NULL AND r.kind = ANY(:of_claims) AND EXISTS (
    SELECT FROM claim own WHERE own.debtor_id = r.debtor_id AND own.kind = ANY(:own_kinds)))"""


def number_of_theirs(phone: str) -> str:
    """The condition that an office may know of the number ``phone`` (an SQL expression): one of
    its own people has it, or nobody whom the ledger knows. Binds as :data:`OWED_TO_THEM`."""
    holders = f"""SELECT FROM debtor_phone dp JOIN debtor d ON d.id = dp.debtor_id
        WHERE dp.phone_id = {phone}"""
    return f"(NOT EXISTS ({holders}) OR EXISTS ({holders} AND {OWED_TO_THEM}))"


def message_of_theirs(message: str) -> str:
    """The condition that an office may read the ``message`` (a row of ``inbound_message``): what it
    answers, the last SMS that went to that number in a month, was about a claim of the office's;
    or there is none, and the number is theirs. Binds as :data:`OWED_TO_THEM`."""
    return f"""(:whole OR coalesce((SELECT EXISTS (
            SELECT FROM target_claim tc JOIN claim own ON own.id = tc.claim_id
            WHERE tc.target_id = sent.target_id AND own.kind = ANY(:own_kinds))
        FROM attempt sent WHERE sent.phone_id = {message}.phone_id AND sent.channel = 'sms'
        AND sent.submitted_at <= {message}.received_at
        AND sent.submitted_at > {message}.received_at - interval '31 days'
        ORDER BY sent.submitted_at DESC LIMIT 1), {number_of_theirs(f"{message}.phone_id")}))"""


def office_of(actor: Actor) -> dict[str, Any]:
    """What the conditions above bind for ``actor``."""
    return {
        "own_kinds": actor.own_kinds,
        "whole": actor.office == EVERY_OFFICE,
        "of_claims": kinds_reaching(Reach.CLAIM),
        "office": actor.office,
    }


_SUMMARY = f"""
SELECT d.id, d.code, d.name, d.training,
    ARRAY(SELECT p.number FROM debtor_phone dp JOIN phone p ON p.id = dp.phone_id
        WHERE dp.debtor_id = d.id ORDER BY dp.rank) AS numbers
FROM debtor d WHERE d.id IN ({_FIND}) AND d.id > :after AND {OWED_TO_THEM}
ORDER BY d.id LIMIT :most
"""


def search(service: Service, actor: Actor, wanted: str, after: int = 0, most: int = MOST) -> Found:
    """Who has this number, name (as written, or its kana) or person code (宛名番号), after the
    person ``after``. That it was asked is recorded, without what was asked for, and whom it showed.

    Raises :class:`~contact_service.domain.actors.NotAllowed`, also for more than
    :data:`MOST_LISTED` people in a day, unless somebody else has granted it.
    """
    require(actor, *SEARCHERS, contractors=False)
    with service.engine.begin() as connection:
        given = {**keys_of(service, wanted), "after": after, "most": most + 1}
        rows = connection.execute(text(_SUMMARY), given | office_of(actor)).all()
        now = service.clock.now()
        audit.record(connection, now, actor, "person.search", "-", found=len(rows))
        _listed(connection, actor, [row.id for row in rows[:most]], now)
    people = [_summary(service, row) for row in rows[:most]]
    return Found(people, people[-1].id if len(rows) > most else None)


def keys_of(service: Service, wanted: str) -> dict[str, Any]:
    """What a text that somebody looks for may be: a code, a name, numbers; as bound parameters."""
    plain = unicodedata.normalize("NFKC", wanted).strip()
    numbers = [number.e164 for number in classify(wanted) if number.e164 is not None]
    return {
        "code": plain[:32],
        "names": service.vault.indexes("name", name_key(wanted)),
        "numbers": [
            index for number in numbers for index in service.vault.indexes("phone", number)
        ],
    }


def masked(service: Service, actor: Actor, debtor_id: int) -> Summary | None:
    """One person, as a search shows them; ``None`` also for one whom the actor's office does not
    know. Raises as :func:`search`."""
    require(actor, *SEARCHERS, contractors=False)
    with service.engine.begin() as connection:
        row = connection.execute(
            text(_SUMMARY.replace(f"({_FIND})", "(:id)")),
            {"id": debtor_id, "after": 0, "most": 1} | office_of(actor),
        ).one_or_none()
        if row is None:
            return None
        _listed(connection, actor, [row.id], service.clock.now())
    return _summary(service, row)


def _listed(connection: Connection, actor: Actor, people: Sequence[int], now: datetime) -> None:
    for each in people:
        subject = f"debtor:{each}"
        require_few_or_granted(connection, actor, LISTED, subject, now, MOST_LISTED)
        audit.record(connection, now, actor, LISTED, subject)


def _summary(service: Service, row: Row[Any]) -> Summary:
    vault = service.vault
    return Summary(
        id=row.id,
        code=row.code,
        name=masked_name(vault.open("debtor.name", row.name) if row.name else None),
        numbers=[masked_number(vault.open("phone.number", number)) for number in row.numbers],
        training=row.training,
    )
