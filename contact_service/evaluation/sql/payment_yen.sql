-- Yen credited on each day (0 = the start day).
SELECT arm, day, sum(credited_so_far - before) AS yen
FROM (
    SELECT arm, day, credited_so_far,
           lag(credited_so_far, 1, 0::numeric) OVER (
               PARTITION BY cluster, claim_id ORDER BY day
           ) AS before
    FROM report_payment
) credited
GROUP BY arm, day
