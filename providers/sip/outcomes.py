"""What the end of a call means: SIP codes and Q.850 causes to the closed vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from providers.base import Cause, Outcome

#: By SIP code (RFC 3261, 21; RFC 8197, 8688).
BY_CODE: Mapping[int, Outcome] = {
    404: Outcome.INVALID_NUMBER,
    408: Outcome.UNREACHABLE,  # the far end's word; ours, when nothing answers, is "no response"
    410: Outcome.INVALID_NUMBER,
    480: Outcome.UNREACHABLE,
    484: Outcome.INVALID_NUMBER,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    488: Outcome.NETWORK,  # our codecs: nobody was called
    500: Outcome.NETWORK,
    502: Outcome.NETWORK,
    503: Outcome.NETWORK,
    504: Outcome.NETWORK,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.INVALID_NUMBER,
    606: Outcome.NETWORK,
    607: Outcome.OPTED_OUT,  # "unwanted": the person asked their carrier not to get this
    608: Outcome.REJECTED,
}
#: By ITU-T Q.850 cause, from a Reason header: the telephone network's own word, which says
#: more than the code that a gateway made of it.
BY_CAUSE: Mapping[int, Outcome] = {
    1: Outcome.INVALID_NUMBER,
    17: Outcome.BUSY,
    18: Outcome.UNREACHABLE,
    19: Outcome.NO_ANSWER,
    20: Outcome.UNREACHABLE,
    21: Outcome.REJECTED,
    22: Outcome.INVALID_NUMBER,
    27: Outcome.UNREACHABLE,
    28: Outcome.INVALID_NUMBER,
    34: Outcome.NETWORK,
    38: Outcome.NETWORK,
    41: Outcome.NETWORK,
    42: Outcome.NETWORK,
    102: Outcome.NETWORK,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call that nobody answered ended, in the far end's words."""

    code: int
    """SIP code of the final answer; 0: none came."""
    cause: int | None = None
    """Q.850 cause, where a Reason header gave one."""
    retry_after: int | None = None
    """Seconds, where a Retry-After header gave them."""


def outcome_of(ending: Ending) -> Outcome:
    """What an unanswered call's end means."""
    if ending.code == 607:
        return BY_CODE[607]
    if ending.cause is not None and ending.cause in BY_CAUSE:
        return BY_CAUSE[ending.cause]
    if ending.code in BY_CODE:
        return BY_CODE[ending.code]
    if ending.code == 0 or 500 <= ending.code < 600:
        return Outcome.NETWORK
    return Outcome.OTHER


#: Answers that come from the trunk itself, before any telephone rang, and are about us: the
#: call was provably not placed.
REFUSED_TO_US: Mapping[int, Cause] = {
    401: Cause.OUR_CREDENTIALS,
    403: Cause.OUR_CREDENTIALS,
    407: Cause.OUR_CREDENTIALS,
    488: Cause.OUR_CREDENTIALS,  # our configuration: the codecs
    503: Cause.TRY_LATER,
}

_CAUSE = re.compile(r"^\s*Q\.850\s*;.*?\bcause\s*=\s*([0-9]{1,3})", re.IGNORECASE)


def q850(reasons: list[str]) -> int | None:
    """The Q.850 cause among Reason headers (RFC 3326), e.g. ``Q.850;cause=17;text="busy"``."""
    for header in reasons:
        for reason in header.split(","):
            if found := _CAUSE.match(reason):
                return int(found[1])
    return None
