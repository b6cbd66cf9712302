-- The same by kind of claim; contacts with somebody who owes several kinds count under each.
SELECT 'kind' AS by, n.kind AS key, k.channel, h.hours, count(*) AS contacts,
       sum((SELECT count(*) FROM unnest(b.after) AS since WHERE since <= h.hours * 3600)) AS calls
FROM report_centre_contact k
CROSS JOIN unnest(CAST(:hours AS int[])) AS h(hours)
LEFT JOIN report_centre_kind n
    ON n.phone_id = k.phone_id AND n.target_id IS NOT DISTINCT FROM k.target_id
LEFT JOIN (
    SELECT phone_id, contact_at, array_agg(extract(epoch FROM started_at - contact_at)) AS after
    FROM report_centre_call
    WHERE origin = 'resident' AND contact_at IS NOT NULL
    GROUP BY phone_id, contact_at
) b ON b.phone_id = k.phone_id AND b.contact_at = k.at
WHERE k.at >= CAST(:start AS date)
  AND k.at + h.hours * interval '1 hour' <= CAST(:until AS timestamptz)
GROUP BY n.kind, k.channel, h.hours
ORDER BY n.kind, k.channel, h.hours
