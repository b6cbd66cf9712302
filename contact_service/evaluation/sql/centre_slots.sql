-- Half-hours in which the centre was open, and operators' seconds, by half-hour, weekday, day,
-- week, and in all.
SELECT CASE GROUPING(slot, weekday, day, week)
           WHEN 7 THEN 'half_hour' WHEN 11 THEN 'weekday' WHEN 13 THEN 'day' WHEN 14 THEN 'week'
           ELSE 'total' END AS by,
       coalesce(slot::text, weekday::text, day::text, week::text) AS key,
       count(*) FILTER (WHERE open) AS open_half_hours, count(DISTINCT day) AS days,
       sum(seconds) AS staffed_seconds
FROM report_centre_slot
GROUP BY GROUPING SETS ((slot), (weekday), (day), (week), ())
ORDER BY by, key
