-- The units as numbers, in the order of their cluster: −1 where nothing is known. Texts are
-- places in the lists given.
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
FROM report_unit
ORDER BY cluster
