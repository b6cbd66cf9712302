-- What may have caused calls to the centre: messages and auto-calls that a carrier took, and
-- operators' calls, from three days before the period on. One row for each number and instant.
CREATE TEMPORARY TABLE report_centre_contact ON COMMIT DROP AS
SELECT DISTINCT ON (phone_id, at) phone_id, at, channel, run_id, target_id,
       date_bin('30 minutes', at::timestamp, '2000-01-01')::time AS slot,
       extract(isodow FROM at)::int AS weekday, at::date AS day,
       date_trunc('week', at)::date AS week
FROM (
    SELECT a.phone_id, a.submitted_at AS at, a.channel, a.run_id, a.target_id
    FROM attempt a
    WHERE a.channel IN ('sms', 'auto_call') AND a.state IN ('accepted', 'unknown', 'finished')
      AND NOT (a.state = 'finished' AND a.provider_ref IS NULL)
    UNION ALL
    SELECT c.phone_id, c.started_at, 'operator', a.run_id, a.target_id
    FROM call c
    LEFT JOIN attempt a ON a.id = c.attempt_id
    WHERE c.origin = 'operator'
) made
WHERE phone_id IS NOT NULL AND at >= CAST(:start AS date) - 3 AND at < CAST(:end AS date) + 1
ORDER BY phone_id, at, channel
