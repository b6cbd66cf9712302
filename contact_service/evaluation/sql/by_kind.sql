-- Participation by arm and kind of the cluster's largest claim.
SELECT arm, kind, count(*) AS clusters, count(first_day) AS paid_something
FROM report_cluster
WHERE kind IS NOT NULL
GROUP BY arm, kind
