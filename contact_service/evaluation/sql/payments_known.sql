-- Until when payments are known: the day of the latest payments file.
SELECT max(imported_at)::date AS known_until, count(*) AS files
FROM source_file
WHERE kind = 'payments'
