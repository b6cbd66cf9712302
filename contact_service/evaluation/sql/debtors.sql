-- People whose claims are in the run, by arm; all arms together where arm is NULL.
SELECT arm, count(DISTINCT debtor_id) AS debtors
FROM report_claim
GROUP BY GROUPING SETS ((arm), ())
