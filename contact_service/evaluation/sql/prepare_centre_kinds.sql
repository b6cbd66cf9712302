-- The kinds of claim that a call or a contact was about: those of its target, else of the people
-- whose number it is. Several kinds: several rows.
CREATE TEMPORARY TABLE report_centre_kind ON COMMIT DROP AS
WITH about AS (
    SELECT phone_id, target_id FROM report_centre_call
    UNION
    SELECT phone_id, target_id FROM report_centre_contact
)
SELECT a.phone_id, a.target_id, c.kind
FROM about a
JOIN target_claim t ON t.target_id = a.target_id
JOIN claim c ON c.id = t.claim_id
UNION
SELECT a.phone_id, a.target_id, c.kind
FROM about a
JOIN debtor_phone p ON p.phone_id = a.phone_id
JOIN claim c ON c.debtor_id = p.debtor_id
WHERE a.target_id IS NULL
