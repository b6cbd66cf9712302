-- Due dates after which people call: those of at least one in twenty of the claims that fell due
-- from a fortnight before the period on.
SELECT due_on
FROM claim
WHERE due_on BETWEEN CAST(:start AS date) - 14 AND CAST(:end AS date)
GROUP BY due_on
HAVING count(*) * 20 >= (
    SELECT count(*) FROM claim
    WHERE due_on BETWEEN CAST(:start AS date) - 14 AND CAST(:end AS date)
)
ORDER BY due_on
