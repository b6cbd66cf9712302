-- Assessed, collected and outstanding by kind, legal class and period, as the ledger stands now.
-- Collected: by the claims file, and payments that it does not yet contain. What was written off
-- (不納欠損, by the restrictions file) is outstanding no longer, even where no claims file says so yet.
SELECT kind, legal_class,
       CASE WHEN assessed_year = :this_year THEN 'current' ELSE 'carried_over' END AS period,
       count(*) AS claims, count(DISTINCT debtor_id) AS debtors,
       sum(assessed_yen) AS assessed_yen,
       sum(collected_yen + filed_outstanding_yen - outstanding_yen) AS collected_yen,
       coalesce(sum(outstanding_yen) FILTER (WHERE NOT EXISTS (
           SELECT FROM restriction r
           WHERE r.kind = :written_off AND r.lifted_at IS NULL AND r.starts_on <= :day
             AND r.debtor_id = claim.debtor_id
             AND (r.claim_id = claim.id OR (r.claim_id IS NULL
                  AND (r.notice_number IS NULL OR r.notice_number = claim.notice_number)))
       )), 0) AS outstanding_yen
FROM claim
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
