-- The half-hours of each day in which the centre was at work: from the first to the last call of
-- people, and the seconds that operators were there. Where the desk's own record has the day, they
-- are there while free, talking or wrapping up; else, from the call log, each extension from its
-- first call to the end of its last (breaks in between included).
CREATE TEMPORARY TABLE report_centre_slot ON COMMIT DROP AS
WITH hours AS (
    SELECT day, min(slot) AS opens, max(slot) AS closes
    FROM report_centre_call
    WHERE origin <> 'auto_call'
    GROUP BY day
), recorded AS (
    SELECT operator AS who, started_at AS since,
           coalesce(ended_at, least(CAST(:now AS timestamptz), CAST(:end AS date) + 1)) AS until
    FROM operator_period
    WHERE state IN ('free', 'talking', 'wrapping_up')
      AND started_at >= CAST(:start AS date) AND started_at < CAST(:end AS date) + 1
), told AS (
    SELECT extension AS who,
           min(started_at + coalesce(wait_seconds, 0) * interval '1 second') AS since,
           max(started_at
               + (coalesce(wait_seconds, 0) + talk_seconds + wrap_seconds) * interval '1 second')
               AS until
    FROM report_centre_call
    WHERE origin <> 'auto_call' AND extension IS NOT NULL
      AND day NOT IN (SELECT since::date FROM recorded)
    GROUP BY day, extension
), present AS (
    SELECT since, until FROM recorded
    UNION ALL
    SELECT since, until FROM told
), staffed AS (
    SELECT s AS starts, sum(extract(epoch FROM least(until, s + interval '30 minutes')
                                        - greatest(since, s))) AS seconds
    FROM present, generate_series(date_bin('30 minutes', since, timestamptz '2000-01-01 00:00+09'),
                                  until - interval '1 microsecond', interval '30 minutes') AS s
    GROUP BY s
)
SELECT starts::time AS slot, extract(isodow FROM starts)::int AS weekday, starts::date AS day,
       date_trunc('week', starts)::date AS week, o.open, coalesce(s.seconds, 0)::float8 AS seconds
FROM (SELECT g AS starts, true AS open
      FROM hours, generate_series((day + opens)::timestamptz, (day + closes)::timestamptz,
                                  interval '30 minutes') AS g) o
FULL JOIN staffed s USING (starts)
