-- Letters handed over, one a person and hand-over, by arm and step.
SELECT t.arm, a.step, count(DISTINCT (l.batch_id, l.letter)) AS letters
FROM letter_line l
JOIN attempt a ON a.id = l.attempt_id
JOIN target t ON t.id = a.target_id
WHERE a.run_id = :run_id
GROUP BY 1, 2
