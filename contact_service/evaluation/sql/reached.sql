-- Targets per arm and step: planned, contacted, reached, confirmed. Each target counts once.
SELECT t.arm, a.step, a.channel,
       count(DISTINCT a.target_id) AS planned,
       count(DISTINCT a.target_id) FILTER (WHERE made) AS contacted,
       count(DISTINCT a.target_id) FILTER (WHERE made AND a.outcome = ANY(:reached)) AS reached,
       count(DISTINCT a.target_id) FILTER (WHERE made AND a.outcome = ANY(:confirmed)) AS confirmed
FROM (
    SELECT *, state IN ('accepted', 'unknown', 'finished')
              AND NOT (state = 'finished' AND provider_ref IS NULL AND channel <> 'operator')
              AS made
    FROM attempt
    WHERE run_id = :run_id
) a
JOIN target t ON t.id = a.target_id
GROUP BY 1, 2, 3
