-- What each claim received on each day with a payment (0 = the start day) within the horizon, and
-- had received by its end. Money above the frozen sum (late charges, errors) is not credited.
CREATE TEMPORARY TABLE report_payment ON COMMIT DROP AS
SELECT cluster, arm, claim_id, outstanding_yen, day, credited_so_far,
       credited_so_far - lag(credited_so_far, 1, 0::bigint) OVER claim AS credited_yen
FROM (
    SELECT c.cluster, c.arm, c.claim_id, c.outstanding_yen, p.day,
           greatest(0, least(sum(p.amount_yen) OVER (
               PARTITION BY c.cluster, c.claim_id ORDER BY p.day
           ), c.outstanding_yen))::bigint AS credited_so_far
    FROM report_claim c
    JOIN (
        SELECT claim_id, paid_on - CAST(:start_day AS date) AS day, sum(amount_yen)::bigint AS amount_yen
        FROM payment
        WHERE paid_on >= :start_day AND paid_on < :horizon_end
        GROUP BY claim_id, paid_on
    ) p USING (claim_id)
) paid
WINDOW claim AS (PARTITION BY cluster, claim_id ORDER BY day)
