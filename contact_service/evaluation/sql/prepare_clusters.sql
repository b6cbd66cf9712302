-- One row per cluster, the unit of randomisation, with what it paid within the horizon.
-- ``kind``, ``legal_class``, ``period``: of its largest claim (the first of equals); ``age_band``: of whom
-- its largest target is addressed to. ``full_day``: the last of its claims was settled.
CREATE TEMPORARY TABLE report_cluster ON COMMIT DROP AS
WITH unit AS (
    SELECT cluster, min(arm) AS arm, min(arm) <> max(arm) AS in_two_arms, min(stratum) AS stratum,
           count(*) AS targets,
           (array_agg(age_band ORDER BY outstanding_yen DESC, id))[1] AS age_band
    FROM target
    WHERE run_id = :run_id
    GROUP BY cluster
), settled AS (
    SELECT cluster, claim_id,
           min(day) FILTER (WHERE credited_so_far > 0) AS first_day,
           min(day) FILTER (WHERE credited_so_far >= outstanding_yen) AS full_day,
           sum(credited_yen) AS paid_yen
    FROM report_payment
    GROUP BY cluster, claim_id
), owed AS (
    SELECT c.cluster, count(*) AS claims, sum(c.outstanding_yen)::bigint AS outstanding_yen,
           (array_agg(c.kind ORDER BY c.outstanding_yen DESC, c.claim_id))[1] AS kind,
           (array_agg(c.legal_class ORDER BY c.outstanding_yen DESC, c.claim_id))[1]
               AS legal_class,
           (array_agg(c.period ORDER BY c.outstanding_yen DESC, c.claim_id))[1] AS period,
           sum(s.paid_yen)::bigint AS paid_yen,
           min(s.first_day) AS first_day,
           CASE WHEN count(s.full_day) = count(*) THEN max(s.full_day) END AS full_day
    FROM report_claim c
    LEFT JOIN settled s ON s.cluster = c.cluster AND s.claim_id = c.claim_id
    GROUP BY c.cluster
)
SELECT u.cluster, u.arm, u.in_two_arms, u.stratum, u.targets, u.age_band,
       o.kind, o.legal_class, o.period,
       coalesce(o.claims, 0) AS claims, coalesce(o.outstanding_yen, 0) AS outstanding_yen,
       coalesce(o.paid_yen, 0) AS paid_yen, o.first_day, o.full_day
FROM unit u
LEFT JOIN owed o USING (cluster)
