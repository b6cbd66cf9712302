"""Making people nameless whose time is over: counts survive, people do not.

A person goes who owes nothing, of whom nothing has happened for the period, and who is not under
a legal hold. Name, kana, birth date, person code, notice numbers, remarks and numbers go; what
was owed, paid, sent and answered stays, under numbers of our own, with the band of age. So every
report says afterwards what it said before.

A number that somebody asked not to be contacted under stays, and leads to nobody: forgetting it
would be to contact it again (``numbers``). Every portion is a transaction of its own, written down
in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, Role, require
from contact_service.retention import numbers
from contact_service.retention.numbers import said_goes
from contact_service.retention.periods import DataClass, Periods
from contact_service.retention.whose import NOT_OF_HELD, find_held, numbers_of, targets_of
from contact_service.store import audit
from contact_service.store.indexing import alone

log = logs.log(__name__)

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
    AND NOT EXISTS (SELECT FROM (
            SELECT dp.phone_id FROM debtor_phone dp WHERE dp.debtor_id = d.id
            UNION ALL SELECT t.phone_id FROM claim c JOIN target_claim tc ON tc.claim_id = c.id
            JOIN target t ON t.id = tc.target_id WHERE c.debtor_id = d.id
            -- what was theirs, and is another's now, tells of the other
            AND NOT EXISTS (SELECT FROM debtor_phone o WHERE o.phone_id = t.phone_id)) n
        WHERE EXISTS (SELECT FROM inbound_call i
            WHERE i.phone_id = n.phone_id AND greatest(i.came_at, i.due_at) >= :before)
        OR EXISTS (SELECT FROM call k WHERE k.phone_id = n.phone_id AND k.started_at >= :before)
        OR EXISTS (SELECT FROM inbound_message m
            WHERE m.phone_id = n.phone_id AND m.received_at >= :before))
    AND EXISTS (SELECT FROM source_file f
        WHERE f.id = d.source_file_id AND f.imported_at < :before)
"""

_LEAVING = "SELECT id FROM leaving"
#: In this order; ``leaving`` holds the people of a portion.
_LEAVE = (
    f"CREATE TEMPORARY TABLE candidate_phone ON COMMIT DROP AS {numbers_of(_LEAVING)}",
    """UPDATE payment p SET debtor_code = 'anon-' || c.debtor_id, notice_number = 'anon-' || p.id
    FROM claim c JOIN leaving l ON l.id = c.debtor_id WHERE p.claim_id = c.id""",
    """UPDATE payment p SET debtor_code = 'anon-' || d.id, notice_number = 'anon-' || p.id
    FROM debtor d JOIN leaving l ON l.id = d.id
    WHERE p.claim_id IS NULL AND p.debtor_code = d.code""",
    # one way after the other: asked in one condition, each person would be held against each
    # restriction there is, and whoever writes that they want no more messages waits meanwhile
    """CREATE TEMPORARY TABLE leaving_restriction ON COMMIT DROP AS
    SELECT r.id, l.id AS debtor_id FROM leaving l JOIN restriction r ON r.debtor_id = l.id
    UNION SELECT r.id, l.id FROM leaving l JOIN debtor d ON d.id = l.id
        JOIN restriction r ON r.debtor_code = d.code
    UNION SELECT r.id, l.id FROM leaving l JOIN claim c ON c.debtor_id = l.id
        JOIN restriction r ON r.claim_id = c.id""",
    """UPDATE restriction_lift rl SET reason = '' FROM leaving_restriction g
    WHERE rl.restriction_id = g.id""",
    "UPDATE legal_hold h SET reason = '' FROM leaving l WHERE h.debtor_id = l.id",
    """UPDATE restriction r SET notice_number = NULL, note = NULL,
        debtor_code = 'anon-' || g.debtor_id || '-' || r.id
    FROM leaving_restriction g WHERE r.id = g.id""",
    """UPDATE claim c SET notice_number = 'anon-' || c.id, note = NULL
    FROM leaving l WHERE c.debtor_id = l.id""",
    """UPDATE inbound_call i SET number = NULL FROM leaving l WHERE i.debtor_id = l.id""",
    "DELETE FROM debtor_phone dp USING leaving l WHERE dp.debtor_id = l.id",
    """UPDATE household h SET code = 'anon-' || h.id
    WHERE h.id IN (SELECT d.household_id FROM debtor d JOIN leaving l ON l.id = d.id)
    AND NOT EXISTS (SELECT FROM debtor d WHERE d.household_id = h.id
        AND d.anonymised_at IS NULL AND d.id NOT IN (SELECT id FROM leaving))""",
    """UPDATE debtor d SET code = 'anon-' || d.id, name = NULL, name_kana = NULL,
        birth_date = NULL, name_index = NULL, written_index = NULL, anonymised_at = :now
    FROM leaving l WHERE d.id = l.id""",
    f"""CREATE TEMPORARY TABLE leaving_said ON COMMIT DROP AS
    SELECT d.id FROM disposition d JOIN attempt a ON a.id = d.attempt_id
    WHERE a.target_id IN ({targets_of(_LEAVING)}) AND {NOT_OF_HELD}
    UNION SELECT d.id FROM disposition d JOIN inbound_call i ON i.id = d.inbound_call_id
    JOIN leaving l ON l.id = i.debtor_id WHERE {NOT_OF_HELD}""",
    *said_goes("leaving_said"),
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
        given = {"now": now, "before": before} | _empty(service)
        if kind is DataClass.PEOPLE:
            count = _people(service, actor, given, dry_run)
        else:
            with service.engine.connect() as connection, connection.begin() as transaction:
                find_held(connection)
                count = connection.execute(
                    text(_FORGET[kind]), numbers.used(_FORGET[kind], given)
                ).rowcount
                _write_down(connection, actor, given, kind.value, count)
                if dry_run:
                    transaction.rollback()
        found.append(Forgotten(kind, before, count))
    return found


def _people(service: Service, actor: Actor, given: Mapping[str, Any], dry_run: bool) -> int:
    if dry_run:
        with service.engine.connect() as connection:
            asked = text(f"SELECT count(*) FROM ({_WHO}) w")
            return connection.scalar(asked, {"before": given["before"]}) or 0
    total = 0
    while count := _portion(service, actor, given):
        total += count
    _strays(service, actor, given)
    return total


def _portion(service: Service, actor: Actor, given: Mapping[str, Any]) -> int:
    """Make some people nameless; 0: nobody is left, or a file is being imported."""
    with service.engine.begin() as connection:
        connection.execute(
            text(f"""CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
            {_WHO} ORDER BY d.id LIMIT :most"""),
            {"before": given["before"], "most": PORTION},
        )
        if not connection.scalar(text("SELECT count(*) FROM chosen")):
            return 0
        if not alone(connection):
            log.warning("retention.put_off", reason="a file is being imported")
            return 0
        connection.execute(
            text("""CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS
            SELECT d.id FROM debtor d WHERE d.id IN (SELECT id FROM chosen)
            ORDER BY d.id FOR UPDATE OF d SKIP LOCKED""")
        )
        # a hold, a claim or a call that came before their rows were ours: looked at anew, one by
        # one, because others wait for us by now and all of history takes seconds to look through
        connection.execute(
            text(f"""DELETE FROM leaving l WHERE (
            SELECT count(*) FROM ({_WHO} AND d.id = l.id) still) = 0"""),
            {"before": given["before"]},
        )
        find_held(connection)
        count = connection.scalar(text("SELECT count(*) FROM leaving")) or 0
        if not count:
            return 0
        for statement in _LEAVE:
            connection.execute(text(statement), numbers.used(statement, given))
        numbers.let_go(connection, given)
        _write_down(connection, actor, given, DataClass.PEOPLE.value, count)
    return count


def _strays(service: Service, actor: Actor, given: Mapping[str, Any]) -> None:
    """Let go of the numbers that nobody has any more, or ever had."""
    last: int | None = 0
    while last is not None:
        with service.engine.begin() as connection:
            find_held(connection)
            last = numbers.find_strays(connection, given, last, PORTION)
            if last is None or not alone(connection):
                break
            count = numbers.let_go(connection, given)
            _write_down(connection, actor, given, "numbers", count)
    with service.engine.begin() as connection:
        find_held(connection)
        count = numbers.let_go_of_callers(connection, given)
        _write_down(connection, actor, given, "callers", count)


def _empty(service: Service) -> dict[str, object]:
    """What stands in columns that must hold something."""
    return {
        "nothing": service.vault.seal("phone.number", ""),
        "no_reason": service.vault.seal("result_correction.why", ""),
    }


def _write_down(
    connection: Connection, actor: Actor, given: Mapping[str, Any], what: str, count: int
) -> None:
    if count:
        audit.record(
            connection, given["now"], actor, "retention.forgotten", what, count=count,
            before=given["before"].isoformat(),
        )  # fmt: skip
