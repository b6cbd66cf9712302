-- Contacts by channel, with the incoming calls of which they were the last cause within 1, 24 and
-- 72 hours; by half-hour, weekday, day, week, run, and in all. For each span only contacts since
-- which it is over by the end of what is recorded.
SELECT CASE GROUPING(slot, weekday, day, week, run_id)
           WHEN 15 THEN 'half_hour' WHEN 23 THEN 'weekday' WHEN 27 THEN 'day' WHEN 29 THEN 'week'
           WHEN 30 THEN 'campaign' ELSE 'total' END AS by,
       coalesce(slot::text, weekday::text, day::text, week::text, run_id::text) AS key, channel, hours,
       count(*) AS contacts, sum(calls) AS calls
FROM (
    SELECT k.channel, k.slot, k.weekday, k.day, k.week, k.run_id, h.hours,
           (SELECT count(*) FROM unnest(b.after) AS since WHERE since <= h.hours * 3600) AS calls
    FROM report_centre_contact k
    CROSS JOIN unnest(CAST(:hours AS int[])) AS h(hours)
    LEFT JOIN (
        SELECT phone_id, contact_at, array_agg(extract(epoch FROM started_at - contact_at)) AS after
        FROM report_centre_call
        WHERE origin = 'resident' AND contact_at IS NOT NULL
        GROUP BY phone_id, contact_at
    ) b ON b.phone_id = k.phone_id AND b.contact_at = k.at
    WHERE k.at >= CAST(:start AS date)
      AND k.at + h.hours * interval '1 hour' <= CAST(:until AS timestamptz)
) found
GROUP BY GROUPING SETS ((channel, hours, slot), (channel, hours, weekday), (channel, hours, day),
                        (channel, hours, week), (channel, hours, run_id), (channel, hours))
ORDER BY by, key, channel, hours
