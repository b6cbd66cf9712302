-- Contacts of a run that a carrier took or an operator made, by arm and channel.
SELECT t.arm, a.channel, count(*) AS contacts
FROM attempt a
JOIN target t ON t.id = a.target_id
WHERE a.run_id = :run_id AND a.state IN ('accepted', 'unknown', 'finished')
  AND NOT (a.state = 'finished' AND a.provider_ref IS NULL AND a.channel <> 'operator')
GROUP BY t.arm, a.channel
ORDER BY t.arm, a.channel
