-- The households (clusters) behind the figures by arm. ``first_day``, ``full_day``: 0 = the start day.
SELECT cluster, arm, stratum, targets, claims, outstanding_yen, paid_yen, first_day, full_day
FROM report_cluster
ORDER BY arm, cluster
