-- Calls by half-hour, weekday, day, week, run, and all of them: incoming, and out.
SELECT CASE GROUPING(slot, weekday, day, week, run_id)
           WHEN 15 THEN 'half_hour' WHEN 23 THEN 'weekday' WHEN 27 THEN 'day' WHEN 29 THEN 'week'
           WHEN 30 THEN 'campaign' ELSE 'total' END AS by,
       coalesce(slot::text, weekday::text, day::text, week::text, run_id::text) AS key,
       count(*) FILTER (WHERE origin = 'resident') AS offered,
       count(*) FILTER (WHERE origin = 'resident' AND result <> 'abandoned') AS answered,
       count(*) FILTER (WHERE origin = 'resident' AND result = 'abandoned') AS abandoned,
       sum(wait_seconds) FILTER (WHERE origin = 'resident') AS wait_seconds,
       count(wait_seconds) FILTER (WHERE origin = 'resident') AS waits,
       sum(talk_seconds + wrap_seconds) FILTER (WHERE origin = 'resident') AS handle_seconds,
       count(*) FILTER (WHERE origin = 'operator') AS dialled,
       count(*) FILTER (WHERE origin = 'operator' AND reached) AS reached,
       sum(talk_seconds) FILTER (WHERE origin = 'operator') AS talk_seconds,
       sum(wrap_seconds) FILTER (WHERE origin = 'operator') AS after_call_seconds
FROM report_centre_call
GROUP BY GROUPING SETS ((slot), (weekday), (day), (week), (run_id), ())
ORDER BY by, key
