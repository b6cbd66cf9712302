"""Leasing: a batch of due attempts for one worker, every promise checked again.

One statement locks what is due and nobody else holds (``SKIP LOCKED``); the next judges each
attempt as the ledger stands after that, and either leases it or puts it aside with the reason.
A lease goes by the database's clock; everything else by the service's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.definition import Definition
from campaigns.vocabulary import Channel
from contact_service.clock import TOKYO
from contact_service.dispatch.settle import settle
from contact_service.domain.windows import is_open
from contact_service.store import left_alone, rechecks
from contact_service.store.engine import one_plan


@dataclass(frozen=True, slots=True)
class Lease:
    """An attempt that this worker may make, once, before ``lease_until``."""

    attempt_id: UUID
    run_id: UUID
    step: str
    lease_number: int
    sealed_number: bytes | None
    """``None`` for a letter."""
    language: str | None = None
    """The addressee's, if the ledger knows it."""


def open_now(definitions: dict[UUID, Definition], now: datetime) -> list[UUID]:
    """The runs whose contact hours include ``now``."""
    return [run_id for run_id, item in definitions.items() if is_open(item.hours, now)]


#: Attempts that nobody else holds, locked for us in the order in which they fell due. What is
#: locked cannot change any more, and the next statement sees the ledger as it stands after that.
#: One text for all of them: they only go back to the database.
_TAKE = """
SELECT CAST(array_agg(taken.id) AS text) FROM (
SELECT a.id
FROM attempt a
WHERE a.state = 'planned' AND a.channel = :channel AND a.due_at <= :due_by
AND a.run_id = ANY(:runs) {more}
AND EXISTS (SELECT 1 FROM run r WHERE r.id = a.run_id AND r.state = 'running')
AND NOT EXISTS (SELECT 1 FROM stop_switch s WHERE s.scope = ANY(:scopes))
ORDER BY a.due_at, a.id
LIMIT :size FOR UPDATE OF a SKIP LOCKED) taken
"""
_TAKE_ANY = text(_TAKE.format(more="AND NOT a.requested"))
#: Who is on the line with an operator is not called by another.
_NOT_ON_THE_LINE = """
AND NOT EXISTS (SELECT 1 FROM inbound_call i
    WHERE i.phone_id = a.phone_id AND i.state IN ('waiting', 'taken'))
"""
_TAKE_OF_A_LIST = text(_TAKE.format(more=f"AND NOT a.requested {_NOT_ON_THE_LINE}"))
_TAKE_OF_STEP = text(_TAKE.format(more="AND a.step = :step"))
_TAKE_REQUESTED = text(
    _TAKE.format(
        more=f"""{_NOT_ON_THE_LINE}
AND a.requested AND (a.reserved_for IS NULL OR a.reserved_for = :owner
    OR a.due_at < CAST(:now AS timestamptz) - make_interval(mins => :reserved_minutes))
"""
    )
)
#: For so long past its time, a call back waits for the operator whom the person asked for.
RESERVED_MINUTES = 30

# The planner must not know how many there are: for 500 it would rather read whole tables once
# than look up 500 rows, and then a lease takes the longer the larger the ledger is. A count
# that hides in a sub-select is taken for a few, and everything is looked up by an index.
_JUDGE = text(f"""
WITH asked AS MATERIALIZED (
    -- what a run and its steps ask for at all: most ask for little, and then nothing is looked up
    SELECT s.run_id, s.step, s.unless <> '{{}}' AS unless, s.conditions <> '{{}}' AS conditions,
        (r.quiet_conversation_days > 0 OR r.quiet_promise_days > 0 OR r.quiet_payment_days > 0)
            AS quiet
    FROM run_step s JOIN run r ON r.id = s.run_id WHERE r.id = ANY(CAST(:runs AS uuid[]))
), candidate AS MATERIALIZED (
    SELECT a.id, a.target_id, a.run_id, a.step, a.try_number, a.phone_id, a.expires_at, a.due_at,
        a.requested, a.lease_number
    FROM attempt a WHERE a.id = ANY((SELECT CAST(:ids AS uuid[]))::uuid[])
), judged AS MATERIALIZED (
    SELECT a.id, a.due_at, t.phone_id, t.addressee_id,
    row_number() OVER (PARTITION BY a.phone_id,
        CASE WHEN a.phone_id IS NULL THEN a.target_id END ORDER BY a.id) AS turn,
    CASE
        -- the carrier has reported on it: it was taken after all. Of what was never handed to
        -- anybody (as far as a restored database knows) another carrier has nothing to say
        WHEN EXISTS (SELECT 1 FROM event e WHERE e.attempt_id = a.id
            AND (a.lease_number > 0 OR e.provider = :provider)) THEN 'reported'
        WHEN a.expires_at <= :now THEN 'expired'
        WHEN :carrier = 'live' AND owed.by_training THEN 'training_data'
        WHEN :carrier = 'simulated' AND owed.by_real THEN 'real_data'
        WHEN owed.anything IS NOT TRUE THEN 'paid'
        WHEN owed.behind_the_number IS NOT TRUE THEN 'number_changed'
        WHEN {left_alone.TARGET_RESTRICTED} THEN 'restricted'
        WHEN a.requested THEN NULL -- they asked for it: nothing below is theirs to wait for
        WHEN (asked.unless IS NOT FALSE AND EXISTS (
            SELECT 1 FROM attempt earlier
            JOIN run_step s ON s.run_id = a.run_id AND s.step = a.step
            LEFT JOIN event e ON e.attempt_id = earlier.id
                AND e.provider = coalesce(earlier.provider, e.provider)
            WHERE earlier.target_id = a.target_id AND earlier.step <> a.step
            AND (earlier.outcome = ANY(s.unless) OR e.outcome = ANY(s.unless))))
        -- a later report may have said that the try before reached the person after all
        OR (a.try_number > 1 AND NOT EXISTS (
            SELECT 1 FROM attempt before
            JOIN run_step s ON s.run_id = a.run_id AND s.step = a.step
            CROSS JOIN LATERAL jsonb_to_recordset(s.retries) AS rule("on" text)
            WHERE before.target_id = a.target_id AND before.step = a.step
            AND before.try_number = a.try_number - 1 AND before.outcome = rule."on"))
        THEN 'already_reached'
        WHEN asked.conditions IS NOT FALSE AND {rechecks.STEP_DOES_NOT_FIT} THEN 'condition'
        WHEN asked.quiet IS NOT FALSE AND {rechecks.QUIET} THEN 'quiet'
        WHEN contacts.in_7_days + under_way.others >= caps.per_7_days
        OR contacts.in_30_days + under_way.others >= caps.per_30_days
        THEN 'contact_cap'
    END AS reason
    FROM candidate a
    JOIN target t ON t.id = a.target_id
    LEFT JOIN asked ON asked.run_id = a.run_id AND asked.step = a.step
    JOIN unnest(CAST(:runs AS uuid[]), CAST(:caps_7 AS int[]), CAST(:caps_30 AS int[]))
        AS caps(run_id, per_7_days, per_30_days) ON caps.run_id = a.run_id
    CROSS JOIN LATERAL (
        SELECT bool_or(d.training) AS by_training, bool_or(NOT d.training) AS by_real,
            bool_or(c.outstanding_yen > 0) AS anything,
            bool_or(c.outstanding_yen > 0 AND {left_alone.STILL_THEIR_NUMBER})
                AS behind_the_number,
            array_agg(DISTINCT c.debtor_id) AS people
        FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        JOIN debtor d ON d.id = c.debtor_id
        WHERE tc.target_id = t.id) owed
    CROSS JOIN LATERAL ({rechecks.CONTACTS}) contacts
    CROSS JOIN LATERAL (
        SELECT count(*) AS others FROM attempt x
        WHERE x.phone_id = t.phone_id AND x.state = 'leased') under_way
), chosen AS (
    SELECT *, row_number() OVER (PARTITION BY reason IS NULL ORDER BY due_at, id) AS place
    FROM judged WHERE turn = 1 -- one contact of a number at a time
)
UPDATE attempt a SET
    state = CASE WHEN j.reason IS NULL THEN 'leased'
        WHEN j.reason = 'reported' THEN 'accepted' ELSE 'skipped' END,
    reason = j.reason,
    outcome_at = CASE WHEN j.reason IS NOT NULL THEN CAST(:now AS timestamptz) END,
    provider = CASE WHEN j.reason IS NULL THEN :provider WHEN j.reason = 'reported'
        THEN (SELECT min(e.provider) FROM event e WHERE e.attempt_id = a.id
            AND (a.lease_number > 0 OR e.provider = :provider)) END,
    lease_owner = CASE WHEN j.reason IS NULL THEN :owner END,
    lease_number = a.lease_number + 1,
    lease_until = CASE WHEN j.reason IS NULL
        THEN clock_timestamp() + make_interval(secs => :seconds) END,
    leased_at = CASE WHEN j.reason IS NULL THEN CAST(:now AS timestamptz) END
FROM chosen j LEFT JOIN phone p ON p.id = j.phone_id
WHERE a.id = j.id AND (j.reason IS NOT NULL OR j.place <= :most)
RETURNING a.id, a.run_id, a.step, a.lease_number, a.reason, p.number,
    (SELECT d.language FROM debtor d WHERE d.id = j.addressee_id) AS language
""")


def lease(
    connection: Connection,
    definitions: dict[UUID, Definition],
    channel: Channel,
    provider: str,
    owner: str,
    now: datetime,
    size: int,
    seconds: float,
    *,
    carrier: Literal["live", "simulated"] | None,
    most: int | None = None,
    step: str | None = None,
    due_by: datetime | None = None,
    requested: bool = False,
) -> tuple[list[Lease], int]:
    """Lease up to ``size`` due attempts of ``channel`` for ``seconds`` of real time; of ``size``
    that are looked at, only the first ``most`` that may be contacted.

    ``carrier`` says whom it reaches: training data never go to a live one, nor real people to
    the simulated one; ``None`` is for the office's own operators and mailing, which may ask for
    one ``step`` alone, for what falls due by ``due_by`` instead of ``now``, or only for calls
    back that were ``requested`` (of ``owner`` or of nobody in particular), which nobody gets
    otherwise. Returns the leases and how many attempts were dealt with: 0 means that nothing
    more is due. The caller commits before anything leaves the house.
    """
    # a letter is not read at the hour at which it is handed over
    runs = list(definitions) if channel is Channel.LETTER else open_now(definitions, now)
    if not runs:
        return [], 0
    wanted = {
        "channel": channel.value,
        "due_by": due_by or now,
        "runs": runs,
        "scopes": _scopes(channel, provider),
        "size": size,
    }
    if requested:
        wanted |= {"owner": owner, "now": now, "reserved_minutes": RESERVED_MINUTES}
        take = _TAKE_REQUESTED
    elif step:
        wanted |= {"step": step}
        take = _TAKE_OF_STEP
    else:
        take = _TAKE_OF_A_LIST if channel is Channel.OPERATOR else _TAKE_ANY
    ids = connection.scalar(take, wanted)
    if ids is None:
        return [], 0
    with one_plan(connection):
        rows = connection.execute(
            _JUDGE,
            {
                "ids": ids,
                "now": now,
                "runs": runs,
                "caps_7": [definitions[run_id].caps.per_7_days for run_id in runs],
                "caps_30": [definitions[run_id].caps.per_30_days for run_id in runs],
                "carrier": carrier,
                "provider": provider,
                "owner": owner,
                "seconds": seconds,
                "most": size if most is None else most,
            }
            | left_alone.parameters(now.astimezone(TOKYO).date()),
        ).all()
    leases = [
        Lease(row.id, row.run_id, row.step, row.lease_number, row.number, row.language)
        for row in rows
        if row.reason is None
    ]
    settle(connection, [row.id for row in rows if row.reason == "reported"])
    return leases, len(rows)


def _scopes(channel: Channel, provider: str) -> list[str]:
    """The stop switches that stop a lane."""
    return ["all", f"provider:{provider}", f"channel:{channel.value}"]


_STOPPED = text("""
SELECT EXISTS (SELECT 1 FROM stop_switch WHERE scope = ANY(:scopes))
OR EXISTS (SELECT 1 FROM run WHERE id = ANY(:runs) AND state <> 'running')
""")


def stopped(
    connection: Connection, leases: Sequence[Lease], channel: Channel, provider: str
) -> bool:
    """Whether the lane, or a run that was leased from, has been stopped since the lease looked."""
    runs = list({item.run_id for item in leases})
    given = {"scopes": _scopes(channel, provider), "runs": runs}
    return bool(connection.scalar(_STOPPED, given))


def end_overdue(connection: Connection, now: datetime) -> list[UUID]:
    """Declare leases unknown whose time is over: their worker may have sent them or not.

    Also puts aside what has expired while its hours were closed. Returns the unknowns.
    """
    unknown = connection.execute(
        text("""
        UPDATE attempt a SET state = 'unknown', reason = 'lease_expired'
        FROM (SELECT id FROM attempt
            WHERE state = 'leased' AND lease_until < clock_timestamp() AND channel <> 'operator'
            ORDER BY id FOR UPDATE SKIP LOCKED) over
        WHERE a.id = over.id
        RETURNING a.id
        """)
    )
    ids = [row.id for row in unknown]
    connection.execute(
        text("""
        UPDATE attempt a SET state = 'planned', lease_until = NULL
        FROM (SELECT id FROM attempt
            WHERE state = 'leased' AND lease_until < clock_timestamp() AND channel = 'operator'
            ORDER BY id FOR UPDATE SKIP LOCKED) over
        WHERE a.id = over.id
        """)
    )
    connection.execute(
        text("""
        UPDATE attempt a SET state = 'skipped', reason = 'expired', outcome_at = :now
        FROM (SELECT id FROM attempt WHERE state = 'planned' AND expires_at <= :now
            ORDER BY id FOR UPDATE SKIP LOCKED) over
        WHERE a.id = over.id
        """),
        {"now": now},
    )
    return ids
