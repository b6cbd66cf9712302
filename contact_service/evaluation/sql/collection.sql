-- Assessed, collected and outstanding by kind, legal class and period, as the ledger stands now.
-- Collected: by the claims file, and payments that it does not yet contain.
SELECT kind, legal_class,
       CASE WHEN assessed_year = :this_year THEN 'current' ELSE 'carried_over' END AS period,
       count(*) AS claims, count(DISTINCT debtor_id) AS debtors,
       sum(assessed_yen) AS assessed_yen,
       sum(collected_yen + filed_outstanding_yen - outstanding_yen) AS collected_yen,
       sum(outstanding_yen) AS outstanding_yen
FROM claim
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
