-- Everything that happened to, or was said by, the person :id, the newest first.
-- Columns: at, day_only (the source knows no time), kind, what, result, reason, yen, seconds,
-- day, author, sealed, context, ref.
WITH theirs AS (
    SELECT id FROM claim WHERE debtor_id = :id AND kind = ANY(:own_kinds)
), numbers AS (
    SELECT phone_id FROM debtor_phone WHERE debtor_id = :id
), attempts AS (
    SELECT a.* FROM attempt a WHERE a.target_id IN (
        SELECT tc.target_id FROM target_claim tc JOIN theirs ON theirs.id = tc.claim_id)
), dispositions AS (
    SELECT d.* FROM disposition d JOIN attempts a ON a.id = d.attempt_id
    UNION ALL
    SELECT d.* FROM disposition d JOIN inbound_call i ON i.id = d.inbound_call_id
    -- a call names no claim: what another office's operator wrote down of it is that office's
    WHERE i.debtor_id = :id AND (:whole OR d.office IN ('*', :office))
), entry (at, day_only, kind, what, result, reason, yen, seconds, day, author, sealed, context,
    ref) AS (
    -- it fell due
    SELECT c.due_on::timestamptz, true, 'due', c.kind, NULL::text, NULL::text, c.assessed_yen,
        NULL::int, NULL::date, NULL::text, NULL::bytea,
        c.assessed_year || '-' || c.instalment, NULL::text
    FROM claim c WHERE c.id IN (SELECT id FROM theirs)
    UNION ALL
    -- 督促
    SELECT c.demand_sent_on::timestamptz, true, 'demand', c.kind, NULL, NULL, c.assessed_yen,
        NULL, NULL, NULL, NULL, c.assessed_year || '-' || c.instalment, NULL
    FROM claim c WHERE c.id IN (SELECT id FROM theirs) AND c.demand_sent_on IS NOT NULL
    UNION ALL
    SELECT p.paid_on::timestamptz, true, 'payment', p.kind, p.method, NULL, p.amount_yen, NULL,
        NULL, NULL, NULL, c.assessed_year || '-' || c.instalment, p.source_file_id::text
    FROM payment p JOIN theirs ON theirs.id = p.claim_id JOIN claim c ON c.id = p.claim_id
    UNION ALL
    -- each try to reach them, made or planned
    SELECT coalesce(a.submitted_at, a.outcome_at, a.due_at), false,
        CASE WHEN a.state IN ('planned', 'skipped') THEN a.state ELSE 'contact' END,
        a.channel, coalesce(a.outcome, a.state), a.reason, a.price_yen,
        (SELECT max(k.talk_seconds) FROM call k WHERE k.attempt_id = a.id), NULL, NULL, NULL,
        (SELECT v.definition ->> 'title' FROM run r
            JOIN campaign_version v ON v.id = r.campaign_version_id WHERE r.id = a.run_id),
        a.step
    FROM attempts a
    UNION ALL
    SELECT e.occurred_at, false, 'key', e.channel, e.outcome, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, e.status
    FROM event e JOIN attempts a ON a.id = e.attempt_id WHERE e.via = 'keypad'
    UNION ALL
    -- messages and calls by their numbers, whoever used them
    SELECT m.received_at, false, 'message', m.says, NULL, NULL, NULL, NULL, NULL, NULL, m.body,
        NULL, NULL
    FROM inbound_message m JOIN numbers ON numbers.phone_id = m.phone_id
    WHERE {message_of_theirs}
    UNION ALL
    SELECT k.started_at, false, 'call', k.direction, k.result, NULL, NULL, k.talk_seconds, NULL,
        k.extension, NULL, NULL, k.source_file_id::text
    FROM call k JOIN numbers ON numbers.phone_id = k.phone_id WHERE k.attempt_id IS NULL
    UNION ALL
    SELECT i.came_at, false, 'incoming', i.state, NULL, NULL, NULL, NULL, NULL, i.taken_by, NULL,
        NULL, NULL
    FROM inbound_call i
    WHERE i.debtor_id = :id
        OR (i.debtor_id IS NULL AND i.phone_id IN (SELECT phone_id FROM numbers))
    UNION ALL
    -- what an operator wrote down, with the promise
    SELECT d.recorded_at, false, 'conversation', d.kind, d.sub_reason, p.method, p.amount_yen,
        p.instalments, p.promised_on, d.recorded_by, d.note, NULL, NULL
    FROM dispositions d LEFT JOIN promise p ON p.disposition_id = d.id
    UNION ALL
    SELECT f.referred_at, false, 'referral', f.desk, NULL, NULL, NULL, NULL,
        f.followed_up_at::date, f.followed_up_by, NULL, NULL, NULL
    FROM dispositions d JOIN referral f ON f.disposition_id = d.id
    UNION ALL
    SELECT coalesce(s.submitted_at, s.due_at), false, 'support_text', s.state, NULL, s.reason,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM dispositions d JOIN support_text s ON s.disposition_id = d.id
    UNION ALL
    SELECT r.starts_on::timestamptz, true, 'restricted', r.kind, r.origin, r.note, NULL, NULL,
        r.ends_on, NULL, NULL, NULL, r.source_file_id::text
    FROM restriction r WHERE r.id IN (
        SELECT id FROM restriction WHERE debtor_id = :id
        UNION SELECT r2.id FROM restriction r2 JOIN numbers ON numbers.phone_id = r2.phone_id
        UNION SELECT r3.id FROM restriction r3 JOIN theirs ON theirs.id = r3.claim_id)
        AND {told_to_them}
    UNION ALL
    SELECT r.lifted_at, false, 'lifted', r.kind, NULL, l.reason, NULL, NULL, NULL, l.decided_by,
        NULL, NULL, NULL
    FROM restriction r LEFT JOIN restriction_lift l ON l.restriction_id = r.id AND l.lifted
    WHERE r.lifted_at IS NOT NULL AND (r.debtor_id = :id
        OR r.phone_id IN (SELECT phone_id FROM numbers) OR r.claim_id IN (SELECT id FROM theirs))
        AND {told_to_them}
    UNION ALL
    -- who looked, for all; what they wrote of why, for their own office
    SELECT l.at, false, 'looked_at', l.details ->> 'reason', NULL,
        CASE WHEN :whole OR l.office IN ('*', :office) THEN l.details ->> 'note' END, NULL,
        NULL, NULL, l.actor, NULL, NULL, NULL
    FROM audit_log l WHERE l.subject = 'debtor:' || :id AND l.action = 'person.open'
    UNION ALL
    -- the files that told of them, as they stand in the ledger; another office's is not named
    SELECT f.imported_at, false, 'file', f.kind, f.name, NULL, NULL, NULL, NULL, f.imported_by,
        NULL, NULL, f.id::text
    FROM source_file f WHERE (:whole OR f.office = :office) AND f.id IN (
        SELECT source_file_id FROM debtor WHERE id = :id
        UNION SELECT source_file_id FROM claim WHERE id IN (SELECT id FROM theirs))
)
SELECT * FROM entry
WHERE at IS NOT NULL AND (CAST(:before AS timestamptz) IS NULL OR at <= :before)
ORDER BY at DESC, kind, ref, context, what, result, reason, yen, seconds, day, author, sealed
LIMIT :most OFFSET :seen
