"""Which rows of which table are of the person ``:id``, and which of these are of others as well.

What is added to the schema and concerns people must have its line in :data:`SECTIONS`; a test
looks for tables that have none.
"""

from __future__ import annotations

from collections.abc import Mapping

from contact_service.retention.whose import numbers_of, targets_of

_THEM = "SELECT CAST(:id AS bigint)"
_CODE = "(SELECT code FROM debtor WHERE id = :id)"
_CLAIMS = "SELECT id FROM claim WHERE debtor_id = :id"
_TARGETS = targets_of(_THEM)
_ATTEMPTS = f"SELECT id FROM attempt WHERE target_id IN ({_TARGETS})"
_PHONES = numbers_of(_THEM)

#: Targets and numbers of theirs that concern somebody else, too. So do the sums of such a target.
_SHARED_TARGETS = f"""SELECT tc.target_id FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
    WHERE tc.target_id IN ({_TARGETS}) AND c.debtor_id <> :id"""
_SHARED_PHONES = f"""SELECT phone_id FROM debtor_phone
    WHERE phone_id IN ({_PHONES}) AND debtor_id <> :id
    UNION SELECT t.phone_id FROM target t JOIN target_claim tc ON tc.target_id = t.id
    JOIN claim c ON c.id = tc.claim_id
    WHERE t.phone_id IN ({_PHONES}) AND c.debtor_id <> :id"""

#: Calls of theirs: as an operator found, as they proved, after an auto-call to them, or known by
#: a number that is theirs alone. Who called from a shared one may be the other.
_CALLS = f"""SELECT id FROM inbound_call WHERE debtor_id = :id
    OR attempt_id IN ({_ATTEMPTS})
    OR id IN (SELECT conversation_id FROM identity_check WHERE debtor_id = :id)
    OR (debtor_id IS NULL AND phone_id IN ({_PHONES}) AND phone_id NOT IN ({_SHARED_PHONES}))"""
_SHARED_CONVERSATIONS = f"""SELECT id FROM attempt WHERE target_id IN ({_SHARED_TARGETS})
    UNION SELECT id FROM inbound_call WHERE id IN ({_CALLS}) AND (debtor_id <> :id
        OR (debtor_id IS NULL AND (phone_id IN ({_SHARED_PHONES}) OR attempt_id IN (
            SELECT id FROM attempt WHERE target_id IN ({_SHARED_TARGETS})))))
    UNION SELECT conversation_id FROM identity_check WHERE debtor_id <> :id
        AND (conversation_id IN ({_CALLS}) OR conversation_id IN ({_ATTEMPTS}))"""
_SAID = f"""SELECT id FROM disposition
    WHERE attempt_id IN ({_ATTEMPTS}) OR inbound_call_id IN ({_CALLS})"""
_CONVERSATION = f"conversation_id IN ({_ATTEMPTS}) OR conversation_id IN ({_CALLS})"
#: Reports by the carrier's identifier alone, of what was sent to them.
_REPORTED = """attempt_id IS NULL AND (provider, provider_ref) IN (
    SELECT provider, provider_ref FROM attempt WHERE target_id IN ({targets}))"""
#: Of a number: what names nobody else.
_RESTRICTIONS = f"""debtor_id = :id OR claim_id IN ({_CLAIMS})
    OR (debtor_id IS NULL AND debtor_code = {_CODE})
    OR (phone_id IN ({_PHONES}) AND debtor_id IS NULL AND claim_id IS NULL
        AND debtor_code IS NULL)"""
_MESSAGES = f"phone_id IN ({_PHONES})"

#: By table: which rows are of the person.
SECTIONS: Mapping[str, str] = {
    "debtor": "id = :id",
    "household": "id = (SELECT household_id FROM debtor WHERE id = :id)",
    "debtor_phone": "debtor_id = :id",
    "phone": f"id IN ({_PHONES})",
    "claim": "debtor_id = :id",
    "payment": f"claim_id IN ({_CLAIMS}) OR (claim_id IS NULL AND debtor_code = {_CODE})",
    "restriction": _RESTRICTIONS,
    "restriction_lift": f"restriction_id IN (SELECT id FROM restriction WHERE {_RESTRICTIONS})",
    "target": f"id IN ({_TARGETS})",
    "target_claim": f"claim_id IN ({_CLAIMS})",
    "exclusion": "debtor_id = :id",
    "attempt": f"id IN ({_ATTEMPTS})",
    "event": f"attempt_id IN ({_ATTEMPTS}) OR ({_REPORTED.format(targets=_TARGETS)})",
    "letter_line": f"claim_id IN ({_CLAIMS})",
    "inbound_message": _MESSAGES,
    "call": f"phone_id IN ({_PHONES}) OR attempt_id IN ({_ATTEMPTS})",
    "inbound_call": f"id IN ({_CALLS})",
    "identity_check": "debtor_id = :id",
    "placed_call": _CONVERSATION,
    "operator_period": _CONVERSATION,
    "disposition": f"id IN ({_SAID})",
    "result_correction": f"disposition_id IN ({_SAID})",
    "quality_review": f"disposition_id IN ({_SAID})",
    "promise": f"disposition_id IN ({_SAID})",
    "referral": f"disposition_id IN ({_SAID})",
    "support_text": f"disposition_id IN ({_SAID})",
    "legal_hold": "debtor_id = :id",
}

_OF_A_SHARED_CALL = f"""disposition_id IN (SELECT id FROM disposition
    WHERE coalesce(attempt_id, inbound_call_id) IN ({_SHARED_CONVERSATIONS}))"""
#: By table: which of these rows tell of somebody else, too, or may.
SHARED: Mapping[str, str] = {
    "debtor_phone": f"phone_id IN ({_SHARED_PHONES})",
    "phone": f"id IN ({_SHARED_PHONES})",
    "restriction": f"phone_id IN ({_SHARED_PHONES})",
    "restriction_lift": f"""restriction_id IN (
        SELECT id FROM restriction WHERE phone_id IN ({_SHARED_PHONES}))""",
    "target": f"id IN ({_SHARED_TARGETS})",
    "attempt": f"target_id IN ({_SHARED_TARGETS})",
    "event": f"""attempt_id IN (SELECT id FROM attempt WHERE target_id IN ({_SHARED_TARGETS}))
        OR ({_REPORTED.format(targets=_SHARED_TARGETS)})""",
    "inbound_message": f"phone_id IN ({_SHARED_PHONES})",
    "call": f"phone_id IN ({_SHARED_PHONES})",
    "inbound_call": f"id IN ({_SHARED_CONVERSATIONS})",
    "placed_call": f"conversation_id IN ({_SHARED_CONVERSATIONS})",
    "operator_period": f"conversation_id IN ({_SHARED_CONVERSATIONS})",
    "disposition": f"coalesce(attempt_id, inbound_call_id) IN ({_SHARED_CONVERSATIONS})",
    "result_correction": _OF_A_SHARED_CALL,
    "quality_review": _OF_A_SHARED_CALL,
    "promise": _OF_A_SHARED_CALL,
    "referral": _OF_A_SHARED_CALL,
    "support_text": _OF_A_SHARED_CALL,
}

#: Who saw them or did something about them: by their page, at the desk, in a conversation, and
#: whoever read, reviewed or corrected what was said, written or restricted.
LOOKED = f"""
    SELECT at, actor, role, office, action, details FROM audit_log
    WHERE subject = 'debtor:' || :id OR subject IN (
        SELECT a.id::text FROM ({_ATTEMPTS}) a
        UNION ALL SELECT c.id::text FROM ({_CALLS}) c
        UNION ALL SELECT 'disposition:' || d.id FROM ({_SAID}) d
        UNION ALL SELECT 'correction:' || id FROM result_correction
            WHERE disposition_id IN ({_SAID})
        UNION ALL SELECT 'message:' || id FROM inbound_message WHERE {_MESSAGES}
        UNION ALL SELECT 'restriction:' || id FROM restriction WHERE {_RESTRICTIONS})
    ORDER BY id
"""
