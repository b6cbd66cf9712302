-- Calls of the run, and calls from targets' numbers within its horizon: what the cost counts.
SELECT c.id AS call_id, a.target_id, t.arm, a.step, c.origin, c.started_at, c.talk_seconds,
       c.wrap_seconds
FROM attempt a
JOIN target t ON t.id = a.target_id
JOIN call c ON c.attempt_id = a.id
WHERE a.run_id = :run_id AND c.origin IN ('auto_call', 'operator')
UNION ALL
SELECT c.id, t.id, t.arm, NULL, c.origin, c.started_at, c.talk_seconds, c.wrap_seconds
FROM target t
JOIN call c ON c.phone_id = t.phone_id
WHERE t.run_id = :run_id AND c.origin = 'resident'
  AND c.started_at >= CAST(:start_day AS date) AND c.started_at < CAST(:horizon_end AS date)
ORDER BY 1
