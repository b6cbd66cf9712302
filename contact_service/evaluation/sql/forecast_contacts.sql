-- Contacts by run, channel and half-hour: made, or to be made. Each kind from an index of its own.
SELECT a.run_id, a.channel,
    to_timestamp(floor(extract(epoch FROM a.at) / 1800) * 1800) AS slot,
    count(*) AS contacts
FROM (
    SELECT run_id, channel, submitted_at AS at FROM attempt
    WHERE submitted_at >= :since AND submitted_at < :until
    UNION ALL
    SELECT p.run_id, p.channel, p.due_at
    FROM run r JOIN attempt p ON p.run_id = r.id
    WHERE r.state IN ('scheduled', 'running') AND p.state = 'planned'
    AND p.channel IN ('sms', 'auto_call') AND p.due_at >= :since AND p.due_at < :until
) a
WHERE a.channel IN ('sms', 'auto_call')
GROUP BY 1, 2, 3
