"""What a campaign would do, before anything is done: planned in full, counted, and undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from campaigns.carriers import USUAL, Carrier
from campaigns.definition import Definition, Step
from campaigns.messages import render, units
from campaigns.phrases import SPOKEN
from campaigns.vocabulary import Channel, Language
from contact_service.clock import TOKYO
from contact_service.domain.actors import SYSTEM, Actor, Role, require, require_kinds
from contact_service.domain.windows import windows_on
from contact_service.planning.definitions import kinds_of
from contact_service.planning.expectation import call_backs
from contact_service.planning.freezing import freeze, lock_ledger
from contact_service.planning.runs import put_on_calendar
from contact_service.planning.versions import put_in
from providers.parts import parts

READERS = (Role.STAFF, Role.APPROVER, Role.SUPERVISOR, Role.EVALUATOR)

#: What a first try costs in time when the log does not say: seconds of a call that was placed.
TYPICAL_SECONDS = {Channel.AUTO_CALL: 40.0, Channel.OPERATOR: 150.0}
#: The log is believed from this many calls on.
ENOUGH_CALLS = 30

Figures = dict[str, Any]


def preview(
    engine: Engine,
    actor: Actor,
    definition: Definition,
    source: str,
    first_day: date,
    now: datetime,
    office: Mapping[str, str],
    *,
    carriers: Sequence[Carrier] = USUAL,
    call_backs: float | None = None,
) -> Figures:
    """Who would be contacted, how, when, at what cost, and what the centre would hear of it.

    The run is planned as it would be at its start, on the ledger as it is now, in a transaction
    that is undone: nothing is left behind. Money is yen, tax not included; retries are not
    counted. SMS are divided and billed by each of ``carriers``; of several the dearest counts.
    ``call_backs`` is the office's allowance, as in ``freezing.freeze``. Raises ``NotAllowed``,
    ``DoesNotFit``, ``CannotDo``.
    """
    require(actor, *READERS)
    require_kinds(actor, kinds_of(definition))
    with engine.connect() as connection, connection.begin() as transaction:
        try:
            version = put_in(connection, SYSTEM, definition, source, now)
            run_id = put_on_calendar(connection, SYSTEM, version, first_day, now).run_id
            frozen = connection.scalar(
                text("SELECT frozen_at IS NOT NULL FROM run WHERE id = :id"), {"id": run_id}
            )
            if not frozen:
                lock_ledger(connection)
                freeze(connection, definition, run_id, first_day, now, call_backs)
            return _figures(connection, definition, run_id, office, carriers)
        finally:
            transaction.rollback()


def first_open_day(definition: Definition, today: date) -> date:
    """The first day, from ``today`` on, on which the definition contacts anybody."""
    days = (today + timedelta(days=n) for n in range(366))
    return next((day for day in days if windows_on(definition.hours, day)), today)


def _figures(
    connection: Connection,
    definition: Definition,
    run_id: UUID,
    office: Mapping[str, str],
    carriers: Sequence[Carrier],
) -> Figures:
    steps = [
        _step(connection, definition, step, run_id, office, carriers) for step in definition.steps
    ]
    slots = _contacts_by_slot(connection, run_id)
    return {
        "campaign": definition.campaign,
        "title": definition.title,
        "first_day": connection.scalar(
            text("SELECT as_of FROM run WHERE id = :id"), {"id": run_id}
        ),
        "assessed": _one(
            connection,
            "SELECT assessed_debtors AS debtors, assessed_claims AS claims FROM run WHERE id = :id",
            run_id,
        ),
        "lifted": [
            {"exclusion": each.exclusion.value, "reason": each.reason} for each in definition.lift
        ],
        "excluded": _pairs(
            connection,
            "SELECT reason, count(*) FROM exclusion WHERE run_id = :id GROUP BY 1 ORDER BY 2 DESC",
            run_id,
        ),
        "restricted_by": _pairs(connection, _RESTRICTED_BY, run_id),
        "arms": _rows(connection, _ARMS, run_id),
        "kinds": _rows(connection, _KINDS, run_id),
        "steps": steps,
        "cost_yen": round(sum(step["cost_yen"] for step in steps)),
        "calendar": _rows(connection, _DAYS, run_id),
        "call_backs": _call_backs(definition, slots),
    }


_ARMS = """
    SELECT arm, count(*) AS targets, count(DISTINCT cluster) AS clusters,
        sum(claims)::bigint AS claims, sum(outstanding_yen)::bigint AS yen,
        count(*) FILTER (WHERE phone_kind = 'mobile') AS mobile
    FROM target WHERE run_id = :id GROUP BY arm ORDER BY arm
"""
_KINDS = """
    SELECT t.arm, c.kind, tc.period, count(*) AS claims, sum(tc.outstanding_yen)::bigint AS yen
    FROM target t JOIN target_claim tc ON tc.target_id = t.id JOIN claim c ON c.id = tc.claim_id
    WHERE t.run_id = :id GROUP BY 1, 2, 3 ORDER BY 2, 3, 1
"""
_DAYS = """
    SELECT (a.due_at AT TIME ZONE 'Asia/Tokyo')::date AS day, a.step, a.channel,
        count(*) AS contacts, min(a.due_at) AS first, max(a.due_at) AS last
    FROM attempt a WHERE a.run_id = :id GROUP BY 1, 2, 3 ORDER BY 1, 5, 2
"""
#: People left out because of a restriction in force, by its kind; somebody may have several.
_RESTRICTED_BY = """
    SELECT r.kind, count(DISTINCT e.debtor_id)
    FROM exclusion e JOIN run ON run.id = e.run_id
    JOIN restriction r ON (r.debtor_id = e.debtor_id OR r.phone_id IN (
        SELECT dp.phone_id FROM debtor_phone dp WHERE dp.debtor_id = e.debtor_id))
        AND r.lifted_at IS NULL AND r.starts_on <= run.as_of
        AND (r.ends_on IS NULL OR r.ends_on >= run.as_of)
    WHERE e.run_id = :id AND e.reason = 'restricted' GROUP BY 1 ORDER BY 2 DESC
"""


def _step(
    connection: Connection,
    definition: Definition,
    step: Step,
    run_id: UUID,
    office: Mapping[str, str],
    carriers: Sequence[Carrier],
) -> Figures:
    rows = connection.execute(
        text("""
        SELECT t.arm, coalesce(d.language, '') AS language, count(*) AS contacts,
            min(a.due_at) AS first, max(a.due_at) AS last
        FROM attempt a JOIN target t ON t.id = a.target_id JOIN debtor d ON d.id = t.addressee_id
        WHERE a.run_id = :id AND a.step = :step GROUP BY 1, 2 ORDER BY 1, 2
        """),
        {"id": run_id, "step": step.name},
    ).all()
    arms: defaultdict[str, int] = defaultdict(int)
    languages: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        arms[row.arm] += row.contacts
        languages[row.language] += row.contacts
    contacts = sum(arms.values())
    samples = _samples(definition, step, languages, office, carriers)
    return {
        "step": step.name,
        "channel": step.channel.value,
        "contacts": contacts,
        "arms": dict(arms),
        "first": min((row.first for row in rows), default=None),
        "last": max((row.last for row in rows), default=None),
        "samples": samples,
        "parts": sum(sample["parts"] * sample["contacts"] for sample in samples),
        "cost_yen": _cost(connection, definition, step, contacts, samples),
    }


def _samples(
    definition: Definition,
    step: Step,
    languages: Mapping[str, int],
    office: Mapping[str, str],
    carriers: Sequence[Carrier],
) -> list[Figures]:
    """Each text that somebody would get, as it arrives, and how many get it."""
    if step.message is None:
        return []
    message = definition.messages[step.message]
    told: defaultdict[Language, int] = defaultdict(int)
    for known, people in (languages or {"": 0}).items():
        told[definition.language_of(message, Language(known) if known else None)] += people
    samples = []
    for language, people in told.items():
        words = render(definition.words(message, language), {**_unknown(step), **office})
        billed = _billed(definition, words, carriers) if step.channel is Channel.SMS else []
        samples.append(
            {
                "language": language.value,
                "contacts": people,
                "text": words,
                "characters": units(words),
                "parts": max((each["parts"] for each in billed), default=0),
                "cost_yen": max((each["cost_yen"] for each in billed), default=0.0),
                "carriers": billed,
            }
        )
    return samples


def _unknown(step: Step) -> dict[str, str]:
    """What differs by person, in a letter."""
    return {field: f"［{ja}］" for field, ja, _ in SPOKEN} if step.channel is Channel.LETTER else {}


def _billed(definition: Definition, words: str, carriers: Sequence[Carrier]) -> list[Figures]:
    """A text's parts and what one contact costs, in yen, at each carrier."""
    return [
        {
            "carrier": each.name,
            "parts": parts(each.rule, words),
            "cost_yen": each.cost(words, definition.costs.sms_part_yen),
        }
        for each in carriers
    ]


def _cost(
    connection: Connection,
    definition: Definition,
    step: Step,
    contacts: int,
    samples: list[Figures],
) -> float:
    costs = definition.costs
    match step.channel:
        case Channel.SMS:
            return float(sum(sample["cost_yen"] * sample["contacts"] for sample in samples))
        case Channel.AUTO_CALL:
            return contacts * _seconds(connection, step.channel) / 60 * costs.call_minute_yen
        case Channel.OPERATOR:
            return contacts * _seconds(connection, step.channel) / 3600 * costs.operator_hour_yen
        case _:
            return contacts * costs.letter_yen


def _seconds(connection: Connection, channel: Channel) -> float:
    """How long a placed call takes on average, answered or not: by the log when it knows."""
    found = connection.execute(
        text("""
        SELECT count(*) AS calls, avg(talk_seconds + wrap_seconds) AS seconds FROM call
        WHERE direction = 'outbound' AND origin = :origin
        """),
        {"origin": channel.value},
    ).one()
    enough = found.calls >= ENOUGH_CALLS
    return float(found.seconds) if enough else TYPICAL_SECONDS[channel]


def _contacts_by_slot(connection: Connection, run_id: UUID) -> dict[tuple[str, datetime], int]:
    rows = connection.execute(
        text("""
        SELECT channel, to_timestamp(floor(extract(epoch FROM due_at) / 1800) * 1800) AS slot,
            count(*) AS contacts
        FROM attempt WHERE run_id = :id GROUP BY 1, 2 ORDER BY 2
        """),
        {"id": run_id},
    )
    return {(row.channel, row.slot.astimezone(TOKYO)): row.contacts for row in rows}


def _call_backs(definition: Definition, slots: Mapping[tuple[str, datetime], int]) -> list[Figures]:
    """Expected inbound calls by half-hour."""
    caused: defaultdict[datetime, float] = defaultdict(float)
    for (channel, slot), contacts in slots.items():
        caused[slot] += contacts * definition.call_backs.expected_rate.get(Channel(channel), 0.0)
    return [
        {"slot": slot, "calls": round(calls, 3)}
        for slot, calls in call_backs(caused, definition.hours).items()
        if calls
    ]


def _rows(connection: Connection, statement: str, run_id: UUID) -> list[Figures]:
    return [dict(row._mapping) for row in connection.execute(text(statement), {"id": run_id})]


def _one(connection: Connection, statement: str, run_id: UUID) -> Figures:
    return dict(connection.execute(text(statement), {"id": run_id}).one()._mapping)


def _pairs(connection: Connection, statement: str, run_id: UUID) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(text(statement), {"id": run_id})}
