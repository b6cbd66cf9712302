-- People whose claims are in the run, by arm; all arms together where arm is NULL.
WITH debtor AS MATERIALIZED (
    SELECT DISTINCT arm, debtor_id FROM report_claim
)
SELECT arm, count(*) AS debtors FROM debtor GROUP BY arm
UNION ALL
SELECT NULL, count(DISTINCT debtor_id) FROM debtor
