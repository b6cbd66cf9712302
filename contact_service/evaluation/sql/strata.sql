-- The strata of the allocation.
SELECT DISTINCT stratum FROM report_cluster WHERE stratum IS NOT NULL ORDER BY stratum
