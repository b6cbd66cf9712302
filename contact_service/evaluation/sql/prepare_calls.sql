-- The call log of the period with Tokyo days and half-hours, and the seconds an agent was busy.
-- An auto-call costs an agent's time only when it was transferred, and not when the centre
-- recorded the transferred part as an inbound call of its own: within the hour (an auto-call is
-- dated when it was handed over, and carriers queue), from that number or from one that is not
-- known (exchanges often show the office's own number for a transferred call).
CREATE TEMPORARY TABLE report_call ON COMMIT DROP AS
SELECT c.origin, c.started_at::date AS day,
       date_bin('30 minutes', c.started_at::timestamp, '2000-01-01')::time AS slot,
       CASE WHEN c.started_at::date < :change THEN 'before' ELSE 'after' END AS period,
       c.result, c.wait_seconds, c.talk_seconds + c.wrap_seconds AS handle_seconds,
       CASE
           WHEN c.origin <> 'auto_call' THEN c.talk_seconds + c.wrap_seconds
           WHEN a.id IS NOT NULL AND NOT EXISTS (
               SELECT FROM call i
               WHERE (i.phone_id = c.phone_id OR i.phone_id IS NULL) AND i.origin = 'resident'
                 AND i.started_at BETWEEN c.started_at
                     AND c.started_at + (c.talk_seconds + 3600) * interval '1 second'
           ) THEN c.talk_seconds + c.wrap_seconds
           ELSE 0
       END AS agent_seconds
FROM call c
LEFT JOIN attempt a
    ON a.id = c.attempt_id AND c.origin = 'auto_call' AND a.outcome = 'transferred'
WHERE c.started_at >= CAST(:start AS date) AND c.started_at < CAST(:end AS date) + 1
