"""Making people nameless whose time is over: counts survive, people do not.

A person goes who owes nothing, of whom nothing has happened for the period, and who is not under
a legal hold. Name, kana, birth date, person code, notice numbers, remarks and numbers go; what
was owed, paid, sent and answered stays, under numbers of our own, with the band of age. So every
report says afterwards what it said before.

A number that somebody asked not to be contacted under stays: forgetting it would be to contact
it again. Every portion is a transaction of its own, written down in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.retention.periods import DataClass, Periods
from contact_service.retention.whose import NOT_OF_HELD, find_held, targets_of
from contact_service.store import audit

PORTION = 2000

#: What of a class goes, before ``:before``. Each statement forgets in place.
_FORGET: dict[DataClass, str] = {
    DataClass.NOTES: f"""
        WITH gone AS (
            SELECT d.id FROM disposition d WHERE d.recorded_at < :before AND {NOT_OF_HELD}),
        remarks AS (UPDATE quality_review SET remark = NULL
            WHERE remark IS NOT NULL AND disposition_id IN (SELECT id FROM gone)),
        reasons AS (UPDATE result_correction SET why = :no_reason
            WHERE disposition_id IN (SELECT id FROM gone))
        UPDATE disposition SET note = NULL
        WHERE note IS NOT NULL AND id IN (SELECT id FROM gone)""",
    DataClass.MESSAGES: """
        UPDATE inbound_message m SET body = NULL WHERE body IS NOT NULL AND received_at < :before
        AND NOT EXISTS (SELECT FROM held_phone h WHERE h.phone_id = m.phone_id)""",
    DataClass.REJECTED_ROWS: """
        UPDATE rejected_row r SET value = NULL FROM source_file f
        WHERE f.id = r.source_file_id AND r.value IS NOT NULL AND f.imported_at < :before""",
    DataClass.SESSIONS: """
        WITH known AS (DELETE FROM known_browser WHERE seen_at < :before)
        DELETE FROM user_session WHERE ends_at < :before""",
    DataClass.IDEMPOTENCY_KEYS: "DELETE FROM idempotency_key WHERE begun_at < :before",
}

_WHO = """
    SELECT d.id FROM debtor d
    WHERE d.anonymised_at IS NULL
    AND NOT EXISTS (SELECT FROM legal_hold h WHERE h.debtor_id = d.id AND h.lifted_at IS NULL)
    AND NOT EXISTS (SELECT FROM claim c WHERE c.debtor_id = d.id
        AND (c.outstanding_yen > 0 OR c.filed_as_of >= CAST(:before AS date)))
    AND NOT EXISTS (SELECT FROM claim c JOIN payment p ON p.claim_id = c.id
        WHERE c.debtor_id = d.id AND p.paid_on >= CAST(:before AS date))
    AND NOT EXISTS (SELECT FROM claim c JOIN target_claim tc ON tc.claim_id = c.id
        JOIN attempt a ON a.target_id = tc.target_id
        WHERE c.debtor_id = d.id AND coalesce(a.submitted_at, a.due_at) >= :before)
    AND NOT EXISTS (SELECT FROM inbound_call i
        WHERE i.debtor_id = d.id AND i.came_at >= :before)
    AND EXISTS (SELECT FROM source_file f
        WHERE f.id = d.source_file_id AND f.imported_at < :before)
"""

#: In this order; ``leaving`` holds the people of a portion.
_LEAVE = (
    """CREATE TEMPORARY TABLE leaving_phone ON COMMIT DROP AS
    SELECT DISTINCT dp.phone_id FROM debtor_phone dp JOIN leaving l ON l.id = dp.debtor_id""",
    """UPDATE payment p SET debtor_code = 'anon-' || c.debtor_id, notice_number = 'anon-' || p.id
    FROM claim c JOIN leaving l ON l.id = c.debtor_id WHERE p.claim_id = c.id""",
    """UPDATE payment p SET debtor_code = 'anon-' || d.id, notice_number = 'anon-' || p.id
    FROM debtor d JOIN leaving l ON l.id = d.id
    WHERE p.claim_id IS NULL AND p.debtor_code = d.code""",
    """UPDATE restriction_lift rl SET reason = '' FROM restriction r, debtor d, leaving l
    WHERE rl.restriction_id = r.id AND d.id = l.id AND (r.debtor_id = d.id
    OR r.debtor_code = d.code OR r.claim_id IN (SELECT c.id FROM claim c WHERE c.debtor_id = d.id))
    """,
    "UPDATE legal_hold h SET reason = '' FROM leaving l WHERE h.debtor_id = l.id",
    """UPDATE restriction r SET notice_number = NULL, note = NULL,
        debtor_code = 'anon-' || d.id || '-' || r.id
    FROM debtor d JOIN leaving l ON l.id = d.id
    WHERE r.debtor_id = d.id OR r.debtor_code = d.code
    OR r.claim_id IN (SELECT c.id FROM claim c WHERE c.debtor_id = d.id)""",
    """UPDATE claim c SET notice_number = 'anon-' || c.id, note = NULL
    FROM leaving l WHERE c.debtor_id = l.id""",
    f"""CREATE TEMPORARY TABLE leaving_said ON COMMIT DROP AS
    SELECT d.id FROM disposition d JOIN attempt a ON a.id = d.attempt_id
    WHERE a.target_id IN ({targets_of("SELECT id FROM leaving")}) AND {NOT_OF_HELD}
    UNION SELECT d.id FROM disposition d JOIN inbound_call i ON i.id = d.inbound_call_id
    JOIN leaving l ON l.id = i.debtor_id WHERE {NOT_OF_HELD}""",
    "UPDATE disposition n SET note = NULL FROM leaving_said s WHERE n.id = s.id",
    "UPDATE quality_review q SET remark = NULL FROM leaving_said s WHERE q.disposition_id = s.id",
    """UPDATE result_correction c SET why = :no_reason
    FROM leaving_said s WHERE c.disposition_id = s.id""",
    """UPDATE inbound_call i SET number = NULL FROM leaving l WHERE i.debtor_id = l.id""",
    "DELETE FROM debtor_phone dp USING leaving l WHERE dp.debtor_id = l.id",
    # what was written of a number, whoever has said it of whom
    """UPDATE restriction r SET note = NULL, notice_number = CASE WHEN r.notice_number IS NOT NULL
        THEN 'anon-' || r.id END
    FROM leaving_phone lp WHERE r.phone_id = lp.phone_id
    AND NOT EXISTS (SELECT FROM debtor_phone dp WHERE dp.phone_id = r.phone_id)""",
    """UPDATE restriction_lift rl SET reason = '' FROM restriction r, leaving_phone lp
    WHERE rl.restriction_id = r.id AND r.phone_id = lp.phone_id
    AND NOT EXISTS (SELECT FROM debtor_phone dp WHERE dp.phone_id = r.phone_id)""",
    # a number goes that nobody has any more, unless it must be left alone; links to it stay
    """UPDATE phone p SET number = :nothing, number_index = decode('ff', 'hex') ||
        sha256(uuid_send(gen_random_uuid()))
    FROM leaving_phone lp WHERE p.id = lp.phone_id
    AND NOT EXISTS (SELECT FROM debtor_phone dp WHERE dp.phone_id = p.id)
    AND NOT EXISTS (SELECT FROM restriction r WHERE r.phone_id = p.id AND r.lifted_at IS NULL)""",
    """UPDATE inbound_message m SET body = NULL FROM leaving_phone lp
    WHERE m.phone_id = lp.phone_id
    AND NOT EXISTS (SELECT FROM debtor_phone dp WHERE dp.phone_id = m.phone_id)""",
    """UPDATE household h SET code = 'anon-' || h.id
    WHERE h.id IN (SELECT d.household_id FROM debtor d JOIN leaving l ON l.id = d.id)
    AND NOT EXISTS (SELECT FROM debtor d WHERE d.household_id = h.id
        AND d.anonymised_at IS NULL AND d.id NOT IN (SELECT id FROM leaving))""",
    """UPDATE debtor d SET code = 'anon-' || d.id, name = NULL, name_kana = NULL,
        birth_date = NULL, name_index = NULL, written_index = NULL, anonymised_at = :now
    FROM leaving l WHERE d.id = l.id""",
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much of a class went, or would go."""

    kind: DataClass
    before: datetime
    count: int


def forget(
    service: Service, actor: Actor, periods: Periods, *, dry_run: bool = False
) -> list[Forgotten]:
    """Let go of everything whose time is over; with ``dry_run`` only count it.

    Raises ``NotAllowed``.
    """
    require(actor, Role.ADMINISTRATOR)
    now = service.clock.now()
    found = []
    for kind in DataClass:
        before = now - timedelta(days=periods.of(kind))
        if kind is DataClass.PEOPLE:
            count = _people(service, actor, before, now, dry_run)
        else:
            with service.engine.connect() as connection, connection.begin() as transaction:
                find_held(connection)
                count = connection.execute(
                    text(_FORGET[kind]), _used(_FORGET[kind], {"before": before} | _empty(service))
                ).rowcount
                if count and not dry_run:
                    _write_down(connection, actor, now, kind, before, count)
                if dry_run:
                    transaction.rollback()
        found.append(Forgotten(kind, before, count))
    return found


def _people(service: Service, actor: Actor, before: datetime, now: datetime, dry_run: bool) -> int:
    if dry_run:
        with service.engine.connect() as connection:
            count: int = connection.scalar(
                text(f"SELECT count(*) FROM ({_WHO}) w"), {"before": before}
            ) or 0  # fmt: skip
            return count
    total = 0
    given = {"now": now} | _empty(service)
    while True:
        with service.engine.begin() as connection:
            connection.execute(
                text(f"""CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS
                {_WHO} ORDER BY d.id LIMIT :most FOR UPDATE OF d SKIP LOCKED"""),
                {"before": before, "most": PORTION},
            )
            # a hold, a claim or a call that came while we waited for their rows: looked at anew
            connection.execute(
                text(f"""DELETE FROM leaving WHERE id NOT IN (
                {_WHO} AND d.id IN (SELECT id FROM leaving))"""),
                {"before": before},
            )
            find_held(connection)
            count = connection.scalar(text("SELECT count(*) FROM leaving")) or 0
            if not count:
                return total
            for statement in _LEAVE:
                connection.execute(text(statement), _used(statement, given))
            _write_down(connection, actor, now, DataClass.PEOPLE, before, count)
        total += count


def _empty(service: Service) -> dict[str, object]:
    """What stands in columns that must hold something."""
    return {
        "nothing": service.vault.seal("phone.number", ""),
        "no_reason": service.vault.seal("result_correction.why", ""),
    }


def _used(statement: str, values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def _write_down(
    connection: Connection,
    actor: Actor,
    now: datetime,
    kind: DataClass,
    before: datetime,
    count: int,
) -> None:
    audit.record(
        connection, now, actor, "retention.forgotten", kind.value, count=count,
        before=before.isoformat(),
    )  # fmt: skip
