-- Balance: clusters by stratum of the allocation and arm.
SELECT stratum, arm, count(*) AS clusters
FROM report_cluster
GROUP BY stratum, arm
