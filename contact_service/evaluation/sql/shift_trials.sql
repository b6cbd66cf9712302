-- Runs that left people alone to compare with, of which payments are known, the latest first.
SELECT r.id, coalesce(v.definition ->> 'title', v.key) AS title,
       v.key || '@' || v.version AS version, r.starts_at::date AS start_day, r.training,
       v.definition
FROM run r
JOIN campaign_version v ON v.id = r.campaign_version_id
WHERE jsonb_path_exists(v.definition, '$.arms[*] ? (@.holdout == true)')
  AND r.starts_at::date <= (
      SELECT max(imported_at)::date FROM source_file WHERE kind = 'payments'
  )
  AND EXISTS (SELECT 1 FROM target t WHERE t.run_id = r.id)
ORDER BY r.starts_at DESC, r.id
