-- Debtors left out of the run, by the first reason that applied.
SELECT reason, count(*) AS debtors
FROM exclusion
WHERE run_id = :run_id
GROUP BY reason
