-- What each claim had received by the end of each day with a payment (0 = the start day).
SELECT cluster, arm, claim_id, day, credited_so_far
FROM report_payment
ORDER BY cluster, claim_id, day
