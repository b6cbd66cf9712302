-- Incoming calls by day and half-hour, and how many of them came from a number that a campaign
-- had contacted within three days before.
SELECT (c.started_at AT TIME ZONE 'Asia/Tokyo')::date AS day,
    extract(hour FROM c.started_at AT TIME ZONE 'Asia/Tokyo')::int * 2
        + extract(minute FROM c.started_at AT TIME ZONE 'Asia/Tokyo')::int / 30 AS slot,
    count(*) AS calls,
    count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM attempt a WHERE a.phone_id = c.phone_id AND a.channel <> 'operator'
        AND a.submitted_at <= c.started_at
        AND a.submitted_at > c.started_at - interval '3 days')) AS called_back
FROM call c
WHERE c.direction = 'inbound' AND c.started_at >= :since AND c.started_at < :until
GROUP BY 1, 2
