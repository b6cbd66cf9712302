-- Minutes of auto-calls (each started minute) and seconds of operators, by arm and step.
SELECT t.arm, a.step, c.origin, count(*) AS calls,
       sum(ceil(c.talk_seconds / 60.0)) AS minutes,
       sum(c.talk_seconds + c.wrap_seconds) AS handle_seconds
FROM attempt a
JOIN target t ON t.id = a.target_id
JOIN call c ON c.attempt_id = a.id
WHERE a.run_id = :run_id AND c.origin IN ('auto_call', 'operator')
GROUP BY 1, 2, 3
