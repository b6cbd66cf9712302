-- Debtors left out of the run, with the first reason that applied.
SELECT debtor_id, reason FROM exclusion WHERE run_id = :run_id ORDER BY reason, debtor_id
