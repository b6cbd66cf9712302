-- The same by kind of claim. Who owes several kinds counts under each; NULL: nobody known.
SELECT 'kind' AS by, k.kind AS key,
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
FROM report_centre_call c
LEFT JOIN report_centre_kind k
    ON k.phone_id = c.phone_id AND k.target_id IS NOT DISTINCT FROM c.target_id
GROUP BY k.kind
ORDER BY k.kind
