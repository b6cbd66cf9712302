-- Contacts by arm, step and what became of them.
SELECT arm, step, channel, stage, outcome, skip_reason,
       count(*) AS attempts,
       count(*) FILTER (WHERE needs_person) AS needs_person,
       coalesce(sum(parts), 0) AS parts
FROM report_attempt
GROUP BY arm, step, channel, stage, outcome, skip_reason
ORDER BY arm, step, channel, stage, outcome, skip_reason
