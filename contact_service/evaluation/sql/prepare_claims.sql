-- One row per frozen claim of a cluster. A claim behind two numbers of a home counts once. Its kind
-- is part of what a claim is and never changes; what can change is as frozen.
CREATE TEMPORARY TABLE report_claim ON COMMIT DROP AS
SELECT t.cluster, min(t.arm) AS arm, tc.claim_id, c.debtor_id, c.kind,
       min(tc.legal_class) AS legal_class, min(tc.period) AS period, max(tc.outstanding_yen) AS outstanding_yen
FROM target t
JOIN target_claim tc ON tc.target_id = t.id
JOIN claim c ON c.id = tc.claim_id
WHERE t.run_id = :run_id
GROUP BY t.cluster, tc.claim_id, c.debtor_id, c.kind
