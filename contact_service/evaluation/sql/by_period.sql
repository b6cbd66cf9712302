-- Collection by arm, current and carried over apart. Unit: claim.
SELECT c.arm, c.period, count(*) AS claims, count(DISTINCT c.debtor_id) AS debtors,
       sum(c.outstanding_yen) AS outstanding_yen, coalesce(sum(p.paid_yen), 0) AS paid_yen
FROM report_claim c
LEFT JOIN (
    SELECT cluster, claim_id, (array_agg(credited_so_far ORDER BY day DESC))[1] AS paid_yen
    FROM report_payment
    GROUP BY cluster, claim_id
) p USING (cluster, claim_id)
GROUP BY c.arm, c.period
