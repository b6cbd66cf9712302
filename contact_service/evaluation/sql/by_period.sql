-- Collection by arm, current and carried over apart. Unit: claim.
WITH debtor AS (
    SELECT arm, period, count(*) AS debtors
    FROM (SELECT DISTINCT arm, period, debtor_id FROM report_claim) one
    GROUP BY arm, period
), paid AS (
    SELECT cluster, claim_id, sum(credited_yen)::bigint AS yen
    FROM report_payment
    GROUP BY cluster, claim_id
), claim AS (
    SELECT c.arm, c.period, count(*) AS claims, sum(c.outstanding_yen) AS outstanding_yen,
           coalesce(sum(p.yen), 0) AS paid_yen
    FROM report_claim c
    LEFT JOIN paid p ON p.cluster = c.cluster AND p.claim_id = c.claim_id
    GROUP BY c.arm, c.period
)
SELECT arm, period, claims, debtors, outstanding_yen, paid_yen
FROM claim
JOIN debtor USING (arm, period)
