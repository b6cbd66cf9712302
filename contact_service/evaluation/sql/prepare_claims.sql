-- One row per frozen claim of a cluster. A claim behind two numbers of a home counts once. Its kind
-- is part of what a claim is and never changes; what can change is as frozen.
CREATE TEMPORARY TABLE report_claim ON COMMIT DROP AS
SELECT DISTINCT ON (t.cluster, tc.claim_id)
       t.cluster, t.arm, tc.claim_id, c.debtor_id, c.kind, tc.legal_class, tc.period,
       tc.outstanding_yen
FROM target t
JOIN target_claim tc ON tc.target_id = t.id
JOIN claim c ON c.id = tc.claim_id
WHERE t.run_id = :run_id
ORDER BY t.cluster, tc.claim_id, t.id
