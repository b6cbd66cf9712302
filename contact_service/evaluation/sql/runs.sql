-- Runs, the latest first.
SELECT id, training, starts_at::date AS start_day FROM run ORDER BY starts_at DESC, id
