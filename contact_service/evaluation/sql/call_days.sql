-- The first and last day of the call log.
SELECT min(started_at)::date AS first_day, max(started_at)::date AS last_day, count(*) AS calls
FROM call
