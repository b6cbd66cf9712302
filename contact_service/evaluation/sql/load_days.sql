-- Calls, handle and agent seconds by day and origin.
SELECT day, origin, count(*) AS calls,
       count(*) FILTER (WHERE result IN ('talked', 'complaint')) AS talked,
       count(*) FILTER (WHERE result = 'abandoned') AS abandoned,
       sum(handle_seconds) AS handle_seconds, sum(agent_seconds) AS agent_seconds,
       sum(wait_seconds) AS wait_seconds, count(wait_seconds) AS waits
FROM report_call
GROUP BY day, origin
ORDER BY day, origin
