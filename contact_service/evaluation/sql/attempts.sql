-- Contacts by arm, step and what became of them. A refusal by the carrier has no reference.
SELECT t.arm, a.step, a.channel,
       CASE
           WHEN a.state IN ('planned', 'leased') THEN 'waiting'
           WHEN a.state = 'skipped' THEN 'skipped'
           WHEN a.state = 'finished' AND a.provider_ref IS NULL AND a.channel <> 'operator'
               THEN 'refused'
           ELSE 'made'
       END AS stage,
       CASE WHEN a.state = 'unknown' THEN 'unknown' ELSE a.outcome END AS outcome,
       CASE WHEN a.state = 'skipped' THEN a.reason END AS skip_reason,
       count(*) AS attempts,
       count(*) FILTER (WHERE a.needs_person) AS needs_person,
       coalesce(sum(a.parts), 0) AS parts
FROM attempt a
JOIN target t ON t.id = a.target_id
WHERE a.run_id = :run_id
GROUP BY 1, 2, 3, 4, 5, 6
