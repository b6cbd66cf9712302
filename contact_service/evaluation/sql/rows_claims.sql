-- The claims frozen for the run.
SELECT cluster, arm, claim_id, debtor_id, kind, legal_class, period, outstanding_yen
FROM report_claim
ORDER BY cluster, claim_id
