-- What was spoken on each attempt: calls, minutes (each started minute) and handle time.
CREATE TEMPORARY TABLE report_talk ON COMMIT DROP AS
SELECT a.cluster, a.arm, a.step, c.origin, count(*) AS calls,
       sum((c.talk_seconds + 59) / 60) AS minutes,
       sum(c.talk_seconds + c.wrap_seconds) AS handle_seconds
FROM report_attempt a
JOIN call c ON c.attempt_id = a.id
WHERE c.origin IN ('auto_call', 'operator')
GROUP BY a.cluster, a.arm, a.step, c.origin
