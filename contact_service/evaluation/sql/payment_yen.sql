-- Yen credited on each day (0 = the start day).
SELECT arm, day, sum(credited_yen) AS yen
FROM report_payment
GROUP BY arm, day
