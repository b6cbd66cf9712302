-- What the log of incoming calls holds: other calls, other figures.
SELECT count(*) AS calls, max(c.id) AS newest
FROM call c
WHERE c.direction = 'inbound' AND c.started_at >= :since AND c.started_at < :until
