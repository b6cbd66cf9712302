-- On which day (0 = the start day) clusters first paid, and had paid everything.
SELECT arm, 'paid_something' AS outcome, first_day AS day, count(*) AS clusters
FROM report_cluster
WHERE first_day IS NOT NULL
GROUP BY arm, first_day
UNION ALL
SELECT arm, 'paid_in_full', full_day, count(*)
FROM report_cluster
WHERE full_day IS NOT NULL
GROUP BY arm, full_day
