-- Incoming calls by day and half-hour.
SELECT (c.started_at AT TIME ZONE 'Asia/Tokyo')::date AS day,
    extract(hour FROM c.started_at AT TIME ZONE 'Asia/Tokyo')::int * 2
        + extract(minute FROM c.started_at AT TIME ZONE 'Asia/Tokyo')::int / 30 AS slot,
    count(*) AS calls
FROM call c
WHERE c.direction = 'inbound' AND c.started_at >= :since AND c.started_at < :until
GROUP BY 1, 2
