-- Seconds that operators were busy in each half-hour of the day: a call that lasts into the next
-- half-hour keeps somebody busy there, too; of them, the seconds of calls that began earlier.
SELECT s::time AS slot,
       sum(extract(epoch FROM least(until, s + interval '30 minutes') - greatest(since, s)))::float8
           AS busy_seconds,
       coalesce(sum(extract(epoch FROM least(until, s + interval '30 minutes')
                                  - greatest(since, s)))
           FILTER (WHERE began < s), 0)::float8 AS carried_over_seconds
FROM (
    SELECT started_at AS began,
           started_at + coalesce(wait_seconds, 0) * interval '1 second' AS since,
           started_at
               + (coalesce(wait_seconds, 0) + talk_seconds + wrap_seconds) * interval '1 second'
               AS until
    FROM report_centre_call
    WHERE origin <> 'auto_call' AND talk_seconds + wrap_seconds > 0
) c, generate_series(date_bin('30 minutes', since, timestamptz '2000-01-01 00:00+09'),
                     until - interval '1 microsecond', interval '30 minutes') AS s
GROUP BY s::time
ORDER BY s::time
