-- Incoming calls by channel and whole hours since the contact that they followed; of contacts
-- since which 72 hours are over.
SELECT caused_by AS channel, ceil(extract(epoch FROM started_at - contact_at) / 3600)::int AS hour,
       count(*) AS calls
FROM report_centre_call
WHERE origin = 'resident' AND contact_at >= CAST(:start AS date)
  AND contact_at + interval '72 hours' <= CAST(:until AS timestamptz)
GROUP BY 1, 2
ORDER BY 1, 2
