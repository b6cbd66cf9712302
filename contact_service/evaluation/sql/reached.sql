-- Targets per arm and step: planned, contacted, reached, confirmed. Each target counts once.
SELECT arm, step, channel,
       count(*) AS planned,
       count(*) FILTER (WHERE contacted) AS contacted,
       count(*) FILTER (WHERE reached) AS reached,
       count(*) FILTER (WHERE confirmed) AS confirmed
FROM (
    SELECT arm, step, channel, target_id,
           bool_or(stage = 'made') AS contacted,
           bool_or(stage = 'made' AND outcome = ANY(:reached)) AS reached,
           bool_or(stage = 'made' AND outcome = ANY(:confirmed)) AS confirmed
    FROM report_attempt
    GROUP BY arm, step, channel, target_id
) target
GROUP BY arm, step, channel
