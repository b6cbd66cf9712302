-- What the runs are called.
SELECT r.id, v.key AS campaign, v.definition->>'title' AS title, r.training
FROM run r
JOIN campaign_version v ON v.id = r.campaign_version_id
WHERE r.id = ANY(CAST(:runs AS uuid[]))
