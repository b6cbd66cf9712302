-- One row per attempt with its target's cluster and arm, and how far it came. A refusal by the
-- carrier has no reference.
CREATE TEMPORARY TABLE report_attempt ON COMMIT DROP AS
SELECT a.id, a.target_id, t.cluster, t.arm, a.step, a.channel,
       CASE
           WHEN a.state IN ('planned', 'leased') THEN 'waiting'
           WHEN a.state = 'skipped' THEN 'skipped'
           WHEN a.state = 'finished' AND a.provider_ref IS NULL AND a.channel <> 'operator'
               THEN 'refused'
           ELSE 'made'
       END AS stage,
       CASE WHEN a.state = 'unknown' THEN 'unknown' ELSE a.outcome END AS outcome,
       CASE WHEN a.state = 'skipped' THEN a.reason END AS skip_reason,
       a.needs_person, a.parts, a.submitted_at
FROM attempt a
JOIN target t ON t.id = a.target_id
WHERE a.run_id = :run_id
