-- Calls that came from targets' numbers within the horizon, and operators' time on them.
SELECT t.arm, count(*) AS calls, sum(c.talk_seconds + c.wrap_seconds) AS handle_seconds
FROM target t
JOIN call c ON c.phone_id = t.phone_id
WHERE t.run_id = :run_id AND c.origin = 'resident'
  AND c.started_at >= CAST(:start_day AS date) AND c.started_at < CAST(:horizon_end AS date)
GROUP BY t.arm
