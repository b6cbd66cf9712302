"""What follows from a carrier's reports: outcome, call log, restrictions, retries.

The state of an attempt is a fold over its events: the report that says most wins, and a
final one finishes it. The result does not depend on the order in which reports came, and
settling twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.vocabulary import Outcome
from contact_service.domain.restrictions import RestrictionKind
from contact_service.domain.states import CALL_RESULT_OF, CallResult
from contact_service.planning.retries import plan_retries
from contact_service.store.said_again import FOR_GOOD, SAID_AGAIN

#: Which outcome protects the number from then on.
RESTRICTS = {
    Outcome.OPTED_OUT: RestrictionKind.OPTED_OUT,
    Outcome.WRONG_PERSON: RestrictionKind.WRONG_PERSON,
    Outcome.INVALID_NUMBER: RestrictionKind.INVALID_NUMBER,
}

#: The database's order of identifiers; numbers compare six times as fast as they do.
_BY_NUMBER = attrgetter("int")

_LOCK = text("SELECT 1 FROM attempt WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")

_FOLD = text("""
WITH mine AS MATERIALIZED (
    -- their number hides in a sub-select: looked up one by one, however many they are
    SELECT a.id, a.provider, a.provider_ref FROM attempt a
    WHERE a.id = ANY((SELECT CAST(:ids AS uuid[]))::uuid[])
), reported AS (
    SELECT a.id, e.id AS event_id, e.outcome, e.rank, e.final, e.occurred_at, e.provider,
        e.provider_ref
    FROM mine a JOIN event e ON e.attempt_id = a.id
        AND e.provider = coalesce(a.provider, e.provider)
        AND e.provider_ref = coalesce(a.provider_ref, e.provider_ref)
    UNION
    SELECT a.id, e.id, e.outcome, e.rank, e.final, e.occurred_at, e.provider, e.provider_ref
    FROM mine a JOIN event e ON e.provider = a.provider AND e.provider_ref = a.provider_ref
), said AS (
    SELECT id, bool_or(final) AS final, min(provider) AS provider,
        min(provider_ref) AS provider_ref,
        (array_agg(outcome ORDER BY rank DESC, occurred_at, event_id)
            FILTER (WHERE outcome IS NOT NULL))[1] AS outcome,
        coalesce(bool_or(outcome = ANY(:restricting)), false) AS restricts,
        coalesce(max(occurred_at) FILTER (WHERE final), max(occurred_at)) AS occurred_at
    FROM reported GROUP BY id
)
UPDATE attempt a SET
    state = CASE WHEN s.final THEN 'finished' ELSE 'accepted' END,
    provider = coalesce(a.provider, s.provider),
    provider_ref = coalesce(a.provider_ref, CASE WHEN NOT EXISTS (
        SELECT 1 FROM attempt o WHERE o.provider = s.provider
        AND o.provider_ref = s.provider_ref AND o.id <> a.id) THEN s.provider_ref END),
    submitted_at = coalesce(a.submitted_at, a.leased_at),
    reason = CASE WHEN a.state = 'unknown' THEN NULL ELSE a.reason END,
    needs_person = false,
    outcome = CASE WHEN s.final THEN coalesce(s.outcome, 'other') END,
    outcome_at = CASE WHEN s.final THEN s.occurred_at END
FROM said s
WHERE a.id = s.id
-- what is finished is never opened again; a final report may still say more about it
AND (a.state IN ('accepted', 'unknown') OR (a.state = 'finished' AND s.final)
    -- planned again, and yet the carrier reports on it: it was taken after all
    OR (a.state = 'planned' AND a.lease_number > 0))
AND (a.state, a.outcome, a.outcome_at) IS DISTINCT FROM (
    CASE WHEN s.final THEN 'finished' ELSE 'accepted' END,
    CASE WHEN s.final THEN coalesce(s.outcome, 'other') END,
    CASE WHEN s.final THEN s.occurred_at END)
RETURNING a.id, a.state, s.restricts, a.channel = 'auto_call' AS is_call,
    EXISTS (SELECT 1 FROM run_step r WHERE r.run_id = a.run_id AND r.step = a.step
        AND r.retries @> jsonb_build_array(jsonb_build_object('on', a.outcome))) AS has_rule
""")

_PROTECT = text(f"""
WITH said AS (
    SELECT a.phone_id, a.outcome, a.leased_at AS at,
        CASE WHEN a.channel = 'operator' THEN 'operator' ELSE 'resident' END AS origin
    FROM attempt a WHERE a.id = ANY(:ids)
    UNION ALL
    -- a carrier's clock may be wrong; what is said holds from when we heard it at the latest
    SELECT a.phone_id, e.outcome, least(e.occurred_at, e.received_at), 'resident' FROM attempt a
    JOIN event e ON e.attempt_id = a.id
        -- another carrier's word, or that of another message, is not about this person
        AND e.provider = coalesce(a.provider, e.provider)
        -- but a call that was given up for lost, and made again, may have been the one
        AND (e.provider_ref = coalesce(a.provider_ref, e.provider_ref) OR a.lease_number > 1)
    WHERE a.id = ANY(:ids)
), protects AS (
    -- what an operator concluded may be corrected: it gives way to what was said without them
    SELECT v.kind, s.phone_id, min(s.at)::date AS starts_on, max(s.origin) AS origin
    FROM said s
    JOIN unnest(CAST(:outcomes AS text[]), CAST(:kinds AS text[])) AS v(outcome, kind)
        ON v.outcome = s.outcome
    GROUP BY v.kind, s.phone_id
)
INSERT INTO restriction (kind, phone_id, starts_on, origin)
SELECT p.kind, p.phone_id, p.starts_on, p.origin
FROM protects p
WHERE NOT EXISTS (SELECT 1 FROM restriction r WHERE r.phone_id = p.phone_id
    AND r.kind = p.kind AND {FOR_GOOD} AND (r.origin <> 'operator' OR p.origin = 'operator'))
ORDER BY p.kind, p.phone_id -- in one order for everybody: two may protect the same at once
{SAID_AGAIN}""")

_LOG_CALLS = text("""
INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, phone_id,
    attempt_id, deduplication_key)
SELECT 'auto_call', 'outbound', coalesce(a.submitted_at, a.outcome_at),
    coalesce((SELECT max(e.talk_seconds) FROM event e
        WHERE e.provider = a.provider AND e.provider_ref = a.provider_ref), 0),
    0, coalesce(v.result, :other), a.phone_id, a.id, 'attempt:' || a.id
FROM attempt a
LEFT JOIN unnest(CAST(:outcomes AS text[]), CAST(:results AS text[])) AS v(outcome, result)
    ON v.outcome = a.outcome
WHERE a.id = ANY(:ids) AND a.state = 'finished' AND a.channel = 'auto_call'
AND a.provider_ref IS NOT NULL
ON CONFLICT (deduplication_key) DO UPDATE
SET result = excluded.result, talk_seconds = excluded.talk_seconds
""")


def lock(connection: Connection, attempt_ids: Collection[UUID]) -> None:
    """Hold attempts until the transaction's end. Whoever is going to write several locks them so,
    in one order for everybody: two who hold what the other wants would wait for ever."""
    connection.execute(_LOCK, {"ids": sorted(attempt_ids, key=_BY_NUMBER)})


def settle(
    connection: Connection,
    attempt_ids: Collection[UUID],
    finished: Collection[UUID] = (),
    *,
    locked: bool = False,
) -> None:
    """Bring attempts to the state that their events amount to, and do what follows.

    ``finished`` names attempts that the caller itself has just finished, without an event.
    ``locked`` says that the caller's transaction has just written all of them.
    """
    if not attempt_ids:
        return
    ids = {"ids": sorted(attempt_ids, key=_BY_NUMBER)}
    # a report and the answer to the request may be written at the same moment by two
    # processes; whoever comes second must see what the first has written
    if not locked:
        lock(connection, attempt_ids)
    folded = connection.execute(_FOLD, ids | {"restricting": list(RESTRICTS)}).all()
    done = [row for row in folded if row.state == "finished"]
    # most ends ask for nothing further, and then nothing further is asked
    for follow, concerned in (
        (protect_numbers, [row.id for row in done if row.restricts]),
        (_log_calls, [row.id for row in done if row.is_call]),
        (plan_retries, [row.id for row in done if row.has_rule]),
    ):
        if chosen := {*concerned, *finished}:
            follow(connection, sorted(chosen))


def _log_calls(connection: Connection, finished: Collection[UUID]) -> None:
    connection.execute(
        _LOG_CALLS,
        {
            "ids": list(finished),
            "outcomes": [outcome.value for outcome in CALL_RESULT_OF],
            "results": [result.value for result in CALL_RESULT_OF.values()],
            "other": CallResult.OTHER.value,
        },
    )


def protect_numbers(connection: Connection, attempt_ids: Collection[UUID]) -> None:
    """Leave numbers alone from now on where somebody, or the carrier, has said so.

    A key press counts at once: who wants no more calls need not wait for the call's end.
    """
    connection.execute(
        _PROTECT,
        {
            "ids": list(attempt_ids),
            "outcomes": [outcome.value for outcome in RESTRICTS],
            "kinds": [kind.value for kind in RESTRICTS.values()],
        },
    )
