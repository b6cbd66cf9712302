-- What each claim had received by the end of each day (0 = the start day) within the horizon.
-- Money above the frozen sum (late charges, errors) is not credited.
CREATE TEMPORARY TABLE report_payment ON COMMIT DROP AS
SELECT cluster, arm, claim_id, outstanding_yen, day,
       greatest(0, least(paid_so_far, outstanding_yen)) AS credited_so_far
FROM (
    SELECT c.cluster, c.arm, c.claim_id, c.outstanding_yen, p.paid_on - :start_day AS day,
           sum(sum(p.amount_yen)) OVER (
               PARTITION BY c.cluster, c.claim_id ORDER BY p.paid_on
           ) AS paid_so_far
    FROM report_claim c
    JOIN payment p ON p.claim_id = c.claim_id
    WHERE p.paid_on >= :start_day AND p.paid_on < :horizon_end
    GROUP BY c.cluster, c.arm, c.claim_id, c.outstanding_yen, p.paid_on
) paid
