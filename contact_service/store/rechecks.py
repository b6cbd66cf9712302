"""What is judged at the moment of contact besides who must be left alone, as SQL fragments.

They speak of attempt ``a`` and its target ``t`` and expect the bound parameters ``now`` and
``day`` (that of ``now`` in Tokyo). What a run and a step ask for lies in ``run`` and
``run_step``, frozen with the targets.
"""

from __future__ import annotations

#: The people whom a contact with target ``t`` is about. Each once, although ``IN`` would not mind:
#: without it the planner expects many, reads whole tables, and a lease takes 200 times as long.
_PEOPLE = """
    SELECT DISTINCT mine.debtor_id FROM target_claim of_t JOIN claim mine ON mine.id = of_t.claim_id
    WHERE of_t.target_id = t.id
"""

#: One row ``in_7_days, in_30_days``: contacts by any channel and campaign, of whoever among the
#: people concerned (an array ``people`` in scope) was contacted most, at whichever number; or of
#: the number itself.
CONTACTS = """
    SELECT coalesce(max(n_7), 0) AS in_7_days, coalesce(max(n_30), 0) AS in_30_days FROM (
        SELECT count(DISTINCT id) FILTER (WHERE submitted_at > :now - interval '7 days') AS n_7,
            count(DISTINCT id) AS n_30
        FROM (
            SELECT p.debtor_id AS whose, x.id, x.submitted_at
            FROM unnest(people) AS p(debtor_id)
            JOIN claim k ON k.debtor_id = p.debtor_id
            JOIN target_claim of_k ON of_k.claim_id = k.id
            JOIN attempt x ON x.target_id = of_k.target_id
            WHERE x.submitted_at > :now - interval '30 days'
            UNION ALL
            SELECT 0, x.id, x.submitted_at FROM attempt x
            WHERE x.phone_id = a.phone_id AND x.submitted_at > :now - interval '30 days'
        ) contacts GROUP BY whose
    ) by_person
"""

#: Whether something has happened after which the campaign leaves people alone for some days.
QUIET = f"""
    EXISTS (
        SELECT 1 FROM run q WHERE q.id = t.run_id AND (
            (q.quiet_conversation_days > 0 AND EXISTS (
                SELECT 1 FROM call k
                WHERE (k.phone_id = t.phone_id OR k.phone_id IN (
                    SELECT dp.phone_id FROM debtor_phone dp WHERE dp.debtor_id IN ({_PEOPLE})))
                AND k.result IN ('talked', 'complaint') AND k.started_at <= :now
                AND :day - (k.started_at AT TIME ZONE 'Asia/Tokyo')::date
                    <= q.quiet_conversation_days
                AND (k.attempt_id IS NULL OR EXISTS (SELECT 1 FROM attempt x
                    WHERE x.id = k.attempt_id AND x.outcome IN ('confirmed', 'transferred')))))
            OR (q.quiet_promise_days > 0 AND EXISTS (
                SELECT 1 FROM promise p
                JOIN target_claim promised ON promised.target_id = p.target_id
                JOIN claim k ON k.id = promised.claim_id
                WHERE k.debtor_id IN ({_PEOPLE})
                AND :day - p.promised_on <= q.quiet_promise_days))
            OR (q.quiet_payment_days > 0 AND EXISTS (
                SELECT 1 FROM claim k JOIN payment y ON y.claim_id = k.id
                WHERE k.debtor_id IN ({_PEOPLE}) AND y.paid_on <= :day
                AND :day - y.paid_on <= q.quiet_payment_days))))
"""


def _had(step: str, outcomes: str) -> str:
    """Whether the target had one of ``outcomes`` (a JSON list) in a step, by any report of it."""
    return f"""
        EXISTS (SELECT 1 FROM attempt e LEFT JOIN event v ON v.attempt_id = e.id
            WHERE e.target_id = a.target_id AND {step}
            AND (jsonb_exists({outcomes}, e.outcome) OR jsonb_exists({outcomes}, v.outcome)))
    """


#: Whether attempt ``a`` is of a step whose conditions on earlier steps, or on what was paid
#: since, do not hold.
STEP_DOES_NOT_FIT = f"""
    EXISTS (
        SELECT 1 FROM run_step s JOIN run ON run.id = s.run_id
        WHERE s.run_id = t.run_id AND s.step = a.step AND s.conditions <> '{{}}'::jsonb AND (
            (jsonb_exists(s.conditions, 'only')
                AND NOT {_had("e.step <> a.step", "s.conditions -> 'only'")})
            OR EXISTS (SELECT 1 FROM jsonb_each(s.conditions -> 'only_after') w(step, outcomes)
                WHERE NOT {_had("e.step = w.step", "w.outcomes")})
            OR EXISTS (SELECT 1 FROM jsonb_each(s.conditions -> 'unless_after') w(step, outcomes)
                WHERE {_had("e.step = w.step", "w.outcomes")})
            OR (jsonb_exists(s.conditions, 'paid')
                AND CAST(s.conditions ->> 'paid' AS boolean) <> EXISTS (
                    SELECT 1 FROM target_claim mine JOIN payment y ON y.claim_id = mine.claim_id
                    WHERE mine.target_id = t.id AND y.paid_on >= (coalesce(
                        (SELECT min(e.submitted_at) FROM attempt e
                            WHERE e.target_id = a.target_id
                            AND e.step = s.conditions ->> 'paid_since'),
                        run.starts_at) AT TIME ZONE 'Asia/Tokyo')::date))))
"""
