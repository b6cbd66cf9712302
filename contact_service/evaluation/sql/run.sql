-- The run, its definition as approved, and the office's day on which it starts.
SELECT r.id, r.as_of, r.seed, r.state, r.starts_at, r.starts_at::date AS start_day,
       r.planned_at, r.training, r.assessed_debtors, r.assessed_claims,
       v.key AS campaign, v.version, v.sha256 AS definition_sha256, v.definition, v.approved_at
FROM run r
JOIN campaign_version v ON v.id = r.campaign_version_id
WHERE r.id = :run_id
