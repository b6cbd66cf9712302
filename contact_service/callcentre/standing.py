"""Whose word a restriction is: a corrected result's alone, or somebody else's as well."""

from __future__ import annotations

from typing import Any

from contact_service.callcentre.restricting import RESTRICTS_NUMBER, RESTRICTS_PERSON

#: Who was concerned by the call that came in ``i``: who was identified last, whom the operator
#: found, or everybody who has the number (as ``inbound_results.whom_it_concerned``).
_CALLED = """
    r.debtor_id = coalesce((SELECT k.debtor_id FROM identity_check k
        WHERE k.conversation_id = i.id ORDER BY k.checked_at DESC LIMIT 1), i.debtor_id)
    OR (i.debtor_id IS NULL
        AND NOT EXISTS (SELECT FROM identity_check k WHERE k.conversation_id = i.id)
        AND EXISTS (SELECT FROM debtor_phone dp
            WHERE dp.phone_id = i.phone_id AND dp.debtor_id = r.debtor_id))
"""
_TARGETED = """
    EXISTS (SELECT FROM target_claim tc JOIN claim c ON c.id = tc.claim_id
        WHERE tc.target_id = a.target_id AND c.debtor_id = r.debtor_id)
"""
#: The days on which result ``d`` was said: as it was recorded, or corrected to what it is.
_SAID_ON = """(SELECT CAST(d.recorded_at AS date) UNION ALL
    SELECT CAST(rc.corrected_at AS date) FROM result_correction rc
    WHERE rc.disposition_id = d.id AND rc.became = d.kind)"""

#: A result as it stands says what the restriction ``r`` says. Of a person each day has its own;
#: one of a number goes on for whoever concludes the same later.
_STANDS = f"""
    SELECT FROM disposition d
    JOIN unnest(CAST(:results AS text[]), CAST(:restricts AS text[])) AS v(result, kind)
        ON v.result = d.kind AND v.kind = r.kind
    LEFT JOIN attempt a ON a.id = d.attempt_id
    LEFT JOIN inbound_call i ON i.id = d.inbound_call_id
    WHERE CASE WHEN r.phone_id IS NULL
        THEN r.starts_on IN {_SAID_ON} AND ({_CALLED} OR {_TARGETED})
        ELSE r.starts_on <= ANY {_SAID_ON} AND coalesce(a.phone_id, i.phone_id) = r.phone_id END
"""

#: Whether nobody but operators has said what the restriction ``r`` says, and no result that stands
#: still says it: two supervisors may lift it with the result that made it. Nobody's protection is
#: lifted because somebody else's result was wrong. Binds :func:`results_and_kinds`.
SAID_BY_NO_OTHER = f"""
    (r.lifted_at IS NULL AND r.origin = 'operator' AND r.source_file_id IS NULL
    AND NOT EXISTS ({_STANDS}))
"""


def results_and_kinds() -> dict[str, Any]:
    """Which result makes which kind of restriction, as :data:`SAID_BY_NO_OTHER` binds it."""
    pairs = [*RESTRICTS_PERSON.items(), *RESTRICTS_NUMBER.items()]
    return {
        "results": [result.value for result, _ in pairs],
        "restricts": [kind.value for _, kind in pairs],
    }
