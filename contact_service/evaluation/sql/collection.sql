-- Assessed, collected, written off, reduced and outstanding by kind, legal class and period, as the
-- ledger stands now. Collected: by the claims file, and payments that it does not yet contain.
-- Written off (不納欠損): what was not collected of the claims that the restrictions file says so of; it
-- is outstanding no longer, even where no claims file says so yet. Reduced (減額): what is missing of
-- all other claims.
SELECT kind, legal_class,
       CASE WHEN assessed_year = :this_year THEN 'current' ELSE 'carried_over' END AS period,
       count(*) AS claims, count(DISTINCT debtor_id) AS debtors,
       sum(assessed_yen) AS assessed_yen,
       sum(collected) AS collected_yen,
       coalesce(sum(assessed_yen - collected) FILTER (WHERE written_off), 0) AS written_off_yen,
       coalesce(sum(assessed_yen - collected - outstanding_yen) FILTER (WHERE NOT written_off), 0)
           AS reduced_yen,
       coalesce(sum(outstanding_yen) FILTER (WHERE NOT written_off), 0) AS outstanding_yen,
       count(DISTINCT debtor_id) FILTER (WHERE written_off AND assessed_yen <> collected)
           AS written_off_debtors,
       count(DISTINCT debtor_id) FILTER (
           WHERE NOT written_off AND assessed_yen <> collected + outstanding_yen
       ) AS reduced_debtors
FROM (
    SELECT kind, legal_class, assessed_year, debtor_id, assessed_yen, outstanding_yen,
           collected_yen + filed_outstanding_yen - outstanding_yen AS collected,
           EXISTS (
               SELECT FROM restriction r
               WHERE r.kind = :written_off AND r.lifted_at IS NULL AND r.starts_on <= :day
                 AND r.debtor_id = claim.debtor_id
                 AND (r.claim_id = claim.id OR (r.claim_id IS NULL
                      AND (r.notice_number IS NULL OR r.notice_number = claim.notice_number)))
           ) AS written_off
    FROM claim
) claim
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
