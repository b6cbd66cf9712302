-- One row per cluster with what the analysis looks at, within the horizon: reached, asked to be
-- left alone, complained, called the centre, promised, when collection of the last of its claims
-- ended (suspended, written off), what it cost. Everybody counts, whoever was contacted. Days are
-- counted from the start day (0). As numbers, in the order of their cluster: −1 where nothing is
-- known, texts as places in the lists given.
WITH contact AS (
    SELECT cluster,
           bool_or(outcome = ANY(CAST(:reached AS text[]))) AS delivered,
           bool_or(outcome = 'opted_out') AS opted_out,
           min(submitted_at) AS first_at,
           sum(parts) FILTER (WHERE channel = 'sms') AS parts
    FROM report_attempt
    WHERE stage = 'made'
    GROUP BY cluster
), spoken AS (
    SELECT cluster, sum(calls) AS calls,
           sum(minutes) FILTER (WHERE origin = 'auto_call') AS minutes,
           sum(handle_seconds) FILTER (WHERE origin = 'operator') AS seconds
    FROM report_talk
    GROUP BY cluster
), posted AS (
    SELECT t.cluster, count(DISTINCT (l.batch_id, l.letter)) AS letters
    FROM letter_line l
    JOIN attempt a ON a.id = l.attempt_id
    JOIN target t ON t.id = a.target_id
    WHERE a.run_id = :run_id
    GROUP BY t.cluster
), inbound AS (
    SELECT t.cluster, count(*) AS calls, sum(c.talk_seconds + c.wrap_seconds) AS seconds
    FROM target t
    JOIN call c ON c.phone_id = t.phone_id
    WHERE t.run_id = :run_id AND c.origin = 'resident'
      AND c.started_at >= CAST(:start_day AS date) AND c.started_at < CAST(:horizon_end AS date)
    GROUP BY t.cluster
), judged AS (
    SELECT t.cluster, p.promised_on,
           (SELECT coalesce(sum(y.amount_yen), 0)
            FROM target_claim tc
            JOIN payment y ON y.claim_id = tc.claim_id
            WHERE tc.target_id = t.id AND y.paid_on BETWEEN d.recorded_at::date AND p.promised_on
           ) >= p.amount_yen AS kept
    FROM promise p
    JOIN target t ON t.id = p.target_id
    JOIN disposition d ON d.id = p.disposition_id
    WHERE t.run_id = :run_id
), promised AS (
    SELECT cluster, bool_or(kept) AS kept,
           bool_or(promised_on > CAST(:complete_until AS date)) AS open
    FROM judged
    GROUP BY cluster
), complained AS (
    SELECT t.cluster
    FROM attempt a
    JOIN target t ON t.id = a.target_id
    JOIN disposition d ON d.attempt_id = a.id
    WHERE a.run_id = :run_id AND d.kind = 'complaint'
    UNION  -- and who called to complain: the only way for those who are left alone
    SELECT t.cluster
    FROM target t
    JOIN call c ON c.phone_id = t.phone_id
    WHERE t.run_id = :run_id AND c.result = 'complaint'
      AND c.started_at >= CAST(:start_day AS date) AND c.started_at < CAST(:horizon_end AS date)
), refused AS (  -- asked by a reply, a call or at the desk, after whichever contact
    SELECT DISTINCT t.cluster
    FROM restriction r
    JOIN target t ON t.phone_id = r.phone_id AND t.run_id = :run_id
    WHERE r.kind = 'opted_out' AND r.origin <> 'file'
      AND r.starts_on >= CAST(:start_day AS date) AND r.starts_on < CAST(:horizon_end AS date)
), ended AS (  -- from when on nothing of a claim was collected any more
    SELECT cluster, claim_id, min(day) AS day
    FROM (
        SELECT c.cluster, c.claim_id, greatest(r.starts_on, CAST(:start_day AS date)) AS day
        FROM restriction r
        JOIN report_claim c ON c.claim_id = r.claim_id
        WHERE r.kind = ANY(CAST(:ending AS text[])) AND r.lifted_at IS NULL
          AND r.starts_on < CAST(:horizon_end AS date)
          AND (r.ends_on IS NULL OR r.ends_on >= CAST(:start_day AS date))
        UNION ALL  -- of the whole person, or of a notice with several claims
        SELECT c.cluster, c.claim_id, greatest(r.starts_on, CAST(:start_day AS date))
        FROM restriction r
        JOIN report_claim c ON c.debtor_id = r.debtor_id
        JOIN claim k ON k.id = c.claim_id
            AND (r.notice_number IS NULL OR r.notice_number = k.notice_number)
        WHERE r.claim_id IS NULL AND r.kind = ANY(CAST(:ending AS text[]))
          AND r.lifted_at IS NULL AND r.starts_on < CAST(:horizon_end AS date)
          AND (r.ends_on IS NULL OR r.ends_on >= CAST(:start_day AS date))
    ) found
    GROUP BY cluster, claim_id
), given_up AS (
    SELECT cluster, count(*) AS claims, max(day) AS day
    FROM ended
    GROUP BY cluster
), earlier AS (
    SELECT DISTINCT c.cluster
    FROM report_claim c
    JOIN payment p ON p.claim_id = c.claim_id
    WHERE p.paid_on >= CAST(:start_day AS date) - 365 AND p.paid_on < CAST(:start_day AS date)
), unit AS (
    SELECT u.cluster, u.arm, u.stratum, u.kind, u.legal_class, u.period, u.age_band,
           u.outstanding_yen, u.claims, u.paid_yen, u.first_day, u.full_day,
           coalesce(contact.delivered, false) AS delivered,
           coalesce(contact.opted_out, false) OR refused.cluster IS NOT NULL AS opted_out,
           extract(hour FROM contact.first_at)::int AS hour,
           complained.cluster IS NOT NULL AS complained,
           coalesce(inbound.calls, 0) AS inbound_calls,
           coalesce(inbound.seconds, 0) AS inbound_seconds,
           coalesce(spoken.calls, 0) AS outbound_calls,
           coalesce(spoken.seconds, 0) AS operator_seconds,
           coalesce(promised.kept, false) AS promise_kept,
           coalesce(promised.open AND NOT promised.kept, false) AS promise_open,
           CASE WHEN given_up.claims = u.claims THEN given_up.day - CAST(:start_day AS date) END
               AS ended_day,
           earlier.cluster IS NOT NULL AS paid_earlier,
           coalesce(contact.parts, 0) * CAST(:sms_part_yen AS float8)
               + coalesce(spoken.minutes, 0) * CAST(:call_minute_yen AS float8)
               + coalesce(posted.letters, 0) * CAST(:letter_yen AS float8)
               + (coalesce(spoken.seconds, 0) + coalesce(inbound.seconds, 0)) / 3600.0
                 * CAST(:operator_hour_yen AS float8) AS cost_yen
    FROM report_cluster u
    LEFT JOIN contact USING (cluster)
    LEFT JOIN spoken USING (cluster)
    LEFT JOIN posted USING (cluster)
    LEFT JOIN inbound USING (cluster)
    LEFT JOIN promised USING (cluster)
    LEFT JOIN complained USING (cluster)
    LEFT JOIN refused USING (cluster)
    LEFT JOIN given_up USING (cluster)
    LEFT JOIN earlier USING (cluster)
)
SELECT (array_position(CAST(:arms AS text[]), arm) - 1)::int4 AS arm,
       (coalesce(array_position(CAST(:strata AS text[]), stratum), 0) - 1)::int4 AS stratum,
       (coalesce(array_position(CAST(:kinds AS text[]), kind), 0) - 1)::int4 AS kind,
       (coalesce(array_position(CAST(:legal_classes AS text[]), legal_class), 0) - 1)::int4
           AS legal_class,
       (coalesce(array_position(CAST(:periods AS text[]), period), 0) - 1)::int4 AS period,
       coalesce(width_bucket(outstanding_yen::float8, CAST(:amounts AS float8[])), 0)::int4
           AS amount_band,
       (coalesce(array_position(CAST(:ages AS text[]), age_band), 0) - 1)::int4 AS age_band,
       coalesce(width_bucket(hour::float8, CAST(:hours AS float8[])), -1)::int4 AS hour,
       (first_day IS NOT NULL)::int4 AS paid_something,
       (full_day IS NOT NULL)::int4 AS paid_in_full,
       (CASE WHEN promise_open THEN -1 ELSE promise_kept::int END)::int4 AS promise_kept,
       (inbound_calls > 0)::int4 AS inbound_call,
       complained::int4 AS complaint,
       opted_out::int4 AS opt_out,
       (ended_day IS NOT NULL)::int4 AS collection_ended,
       delivered::int4 AS delivered,
       paid_earlier::int4 AS paid_earlier,
       coalesce(first_day, -1)::int4 AS first_day,
       coalesce(ended_day, -1)::int4 AS ended_day,
       claims::int4 AS claims,
       inbound_calls::int4 AS inbound_calls,
       outbound_calls::int4 AS outbound_calls,
       inbound_seconds::int4 AS inbound_seconds,
       operator_seconds::int4 AS operator_seconds,
       paid_yen::float8 AS paid_yen,
       outstanding_yen::float8 AS outstanding_yen,
       cost_yen::float8 AS cost_yen
FROM unit
ORDER BY cluster
