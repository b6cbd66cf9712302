-- Every attempt of the run.
SELECT a.id AS attempt_id, a.target_id, t.arm, a.step, a.try_number, a.channel, a.state, a.outcome,
       a.reason, a.parts, a.needs_person
FROM attempt a
JOIN target t ON t.id = a.target_id
WHERE a.run_id = :run_id
ORDER BY a.step, a.id
