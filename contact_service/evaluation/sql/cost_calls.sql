-- Minutes of auto-calls (each started minute) and seconds of operators, by arm and step.
SELECT arm, step, origin, sum(calls) AS calls, sum(minutes) AS minutes,
       sum(handle_seconds) AS handle_seconds
FROM report_talk
GROUP BY arm, step, origin
