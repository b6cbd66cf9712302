"""A restriction that is said again on its first day: the end of every INSERT that says one."""

from __future__ import annotations


def later(one: str, other: str) -> str:
    """The later of two last days (SQL expressions). None is the latest: until it is lifted."""
    first, second = (f"coalesce({day}, date 'infinity')" for day in (one, other))
    return f"nullif(greatest({first}, {second}), date 'infinity')"


#: Nobody shortens by saying it again what somebody else has said, alters their remark, or takes
#: their word away: to end a restriction takes two. What was lifted begins anew. Whose word it is
#: decides who may end it: staff's outweighs a resident's, a resident's what an operator concluded
#: (which a correction may lift), and all of them a file's, which the next file may change.
SAID_AGAIN = f"""
ON CONFLICT ON CONSTRAINT uq_restriction_said_once DO UPDATE SET
    lifted_at = NULL,
    ends_on = CASE WHEN restriction.lifted_at IS NULL
        THEN {later("restriction.ends_on", "excluded.ends_on")} ELSE excluded.ends_on END,
    origin = CASE WHEN restriction.lifted_at IS NULL
            AND array_position(ARRAY['operator', 'resident', 'staff'], restriction.origin::text)
                > array_position(ARRAY['operator', 'resident', 'staff'], excluded.origin::text)
        THEN restriction.origin ELSE excluded.origin END,
    note = CASE WHEN position(coalesce(excluded.note, '') IN coalesce(restriction.note, '')) > 0
        THEN restriction.note ELSE concat_ws(' / ', restriction.note, excluded.note) END
"""

#: Whether ``r``, of a number, leaves it alone until two persons lift it. One with a last day does
#: not: whoever asks for no more contacts names none. None that names a number begins later.
FOR_GOOD = "r.lifted_at IS NULL AND r.ends_on IS NULL"
