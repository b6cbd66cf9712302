-- Contacts by run, channel and half-hour: made, or to be made.
SELECT a.run_id, a.channel,
    to_timestamp(floor(extract(epoch FROM coalesce(a.submitted_at, a.due_at)) / 1800) * 1800)
        AS slot,
    count(*) AS contacts
FROM attempt a JOIN run r ON r.id = a.run_id
WHERE a.channel IN ('sms', 'auto_call') AND (
    (a.submitted_at >= :since AND a.submitted_at < :until)
    OR (a.state = 'planned' AND r.state IN ('scheduled', 'running')
        AND a.due_at >= :since AND a.due_at < :until))
GROUP BY 1, 2, 3
