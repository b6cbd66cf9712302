-- The arms as randomised, and what they paid within the horizon. Unit: cluster.
SELECT arm, count(*) AS clusters, sum(targets) AS targets, sum(claims) AS claims,
       sum(outstanding_yen) AS outstanding_yen,
       count(first_day) AS paid_something, count(full_day) AS paid_in_full,
       sum(paid_yen) AS paid_yen, avg(paid_yen) AS paid_mean, var_samp(paid_yen) AS paid_variance,
       count(*) FILTER (WHERE in_two_arms) AS clusters_in_two_arms
FROM report_cluster
GROUP BY arm
