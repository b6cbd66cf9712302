-- The period's calls with Tokyo days and half-hours. An incoming call belongs to the last contact
-- with its number within 72 hours before (its cause, so far as anybody can tell) and to that
-- contact's run; a call out to its own. ``reached``: the person who was to be reached was on the
-- line; a conversation of which nothing else is known counts.
CREATE TEMPORARY TABLE report_centre_call ON COMMIT DROP AS
WITH moments AS (
    SELECT phone_id, at, NULL::bigint AS call_id, at AS contact_at
    FROM report_centre_contact
    UNION ALL
    SELECT phone_id, started_at, id, NULL
    FROM call
    WHERE origin = 'resident' AND phone_id IS NOT NULL
      AND started_at >= CAST(:start AS date) AND started_at < CAST(:end AS date) + 1
), preceded AS (
    SELECT call_id, phone_id, at, max(contact_at) OVER (
               PARTITION BY phone_id ORDER BY at, call_id NULLS FIRST ROWS UNBOUNDED PRECEDING
           ) AS contact_at
    FROM moments
)
SELECT c.id, c.origin,
       date_bin('30 minutes', c.started_at::timestamp, '2000-01-01')::time AS slot,
       extract(isodow FROM c.started_at)::int AS weekday, c.started_at::date AS day,
       date_trunc('week', c.started_at)::date AS week,
       c.started_at, c.result, c.wait_seconds, c.talk_seconds, c.wrap_seconds, c.extension,
       c.phone_id, coalesce(k.run_id, a.run_id) AS run_id,
       coalesce(k.target_id, a.target_id) AS target_id,
       k.channel AS caused_by, k.at AS contact_at,
       c.result IN ('talked', 'complaint')
           AND coalesce(d.kind NOT IN ('wrong_number', 'moved', 'deceased'), true) AS reached
FROM call c
LEFT JOIN preceded p ON p.call_id = c.id AND p.contact_at >= c.started_at - interval '72 hours'
LEFT JOIN report_centre_contact k ON k.phone_id = p.phone_id AND k.at = p.contact_at
LEFT JOIN attempt a ON a.id = c.attempt_id AND c.origin <> 'resident'
LEFT JOIN disposition d ON d.attempt_id = a.id
WHERE c.started_at >= CAST(:start AS date) AND c.started_at < CAST(:end AS date) + 1
