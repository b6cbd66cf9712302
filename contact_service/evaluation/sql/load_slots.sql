-- Calls by half-hour of working days. ``open_days``: days on which that half-hour lies between
-- the first and last call; of the centre for people's calls, of the machine for auto-calls.
WITH hours AS MATERIALIZED (
    SELECT period, origin = 'auto_call' AS machine, day, min(slot) AS opens, max(slot) AS closes
    FROM report_call
    WHERE day = ANY(CAST(:working_days AS date[]))
    GROUP BY 1, 2, 3
), slots AS (
    SELECT period, origin, slot, count(*) AS calls,
           count(*) FILTER (WHERE result <> 'abandoned') AS handled,
           sum(handle_seconds) AS handle_seconds
    FROM report_call
    WHERE day = ANY(CAST(:working_days AS date[]))
    GROUP BY period, origin, slot
)
SELECT s.period, s.origin, s.slot, s.calls, s.handled, s.handle_seconds,
       (SELECT count(*) FROM hours h
        WHERE h.period = s.period AND h.machine = (s.origin = 'auto_call')
          AND s.slot BETWEEN h.opens AND h.closes) AS open_days
FROM slots s
ORDER BY s.period, s.origin, s.slot
