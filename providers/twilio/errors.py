"""Twilio's error codes in our vocabulary.

Source: Twilio's public error and warning dictionary. It may grow at any time, so a code that
is not listed here means "other", never a failure of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import Cause, Outcome, Refused

_NUMBER = (Cause.NEVER_THIS_NUMBER, Outcome.INVALID_NUMBER)
_UNREACHABLE = (Cause.NEVER_THIS_NUMBER, Outcome.UNREACHABLE)
_OPTED_OUT = (Cause.NEVER_THIS_NUMBER, Outcome.OPTED_OUT)
_NUMBER_BLOCKED = (Cause.NEVER_THIS_NUMBER, Outcome.BLOCKED)
_CONTENT = (Cause.NEVER_THIS_CONTENT, Outcome.BLOCKED)
# Wrong for every contact alike: better to stop and tell staff than to use up all attempts.
_OURS = (Cause.OUR_CREDENTIALS, Outcome.OTHER)

#: Codes of a request that was not taken.
REFUSALS: Mapping[int, tuple[Cause, Outcome]] = {
    # the account
    20003: _OURS,  # authentication failed
    20004: _OURS,  # method not allowed: the address is not Twilio's API
    20005: _OURS,  # account not active
    20006: _OURS,  # access denied
    20008: _OURS,  # test credentials
    20404: _OURS,  # no such account
    21203: _OURS,  # international calling not enabled
    21215: _OURS,  # no permission to call this country
    21408: _OURS,  # no permission to message this country
    13227: _OURS,  # no permission to call this country
    32205: _OURS,  # no permission to call this country
    30002: _OURS,  # account suspended
    # our sender, our addresses
    21205: _OURS,  # address of the instructions not valid
    21210: _OURS,  # sender not verified
    21212: _OURS,  # sender not valid
    21213: _OURS,  # sender missing
    21602: _CONTENT,  # no text
    21603: _OURS,  # sender missing
    21606: _OURS,  # sender cannot send messages
    21609: _OURS,  # address for reports not valid
    21659: _OURS,  # sender is not Twilio's
    21660: _OURS,  # sender is another account's
    21701: _OURS,  # no such messaging service
    21703: _OURS,  # messaging service without senders
    21705: _OURS,  # messaging service not valid
    # the number
    21201: _NUMBER,  # no number given
    21202: _NUMBER,  # premium number
    21211: _NUMBER,  # not valid
    21214: _UNREACHABLE,  # cannot be reached
    21216: _NUMBER_BLOCKED,  # not allowed to call this number
    21217: _NUMBER,  # does not appear to be valid
    21219: _OURS,  # trial account, number not verified
    21401: _NUMBER,  # not valid
    21407: _NUMBER,  # of a type that takes neither messages nor calls
    21421: _NUMBER,  # not valid
    21604: _NUMBER,  # no number given
    21608: _OURS,  # trial account, number not verified
    21610: _OPTED_OUT,  # the recipient replied STOP
    21612: _UNREACHABLE,  # not reachable by SMS from this sender
    21614: _NUMBER,  # not a mobile number
    21635: _NUMBER,  # a landline
    13223: _NUMBER,  # format not valid
    13224: _NUMBER,  # not valid or not supported
    13225: _NUMBER_BLOCKED,  # forbidden number
    13226: _NUMBER,  # no such country code
    # the text
    21605: _CONTENT,  # too long
    21617: _CONTENT,  # more than 1,600 characters
    21618: _CONTENT,  # cannot be sent
    21619: _CONTENT,  # no text
    30007: _CONTENT,  # filtered
    30010: _OURS,  # dearer than the account's limit
    30018: _OURS,  # the country wants the sender registered
    30034: _OURS,  # sender not registered
    35111: _OURS,  # only a messaging service schedules
    35114: _CONTENT,  # the time to send at is not valid
    35117: _CONTENT,  # nor within 5 minutes and 35 days
}

#: Codes of a request that was not taken because there were too many.
THROTTLES: frozenset[int] = frozenset(
    {
        20429,  # too many requests
        10004,  # too many calls at once
        21611,  # the sender's queue is full
    }
)

#: Codes of a message that was taken and did not arrive.
DELIVERY: Mapping[int, Outcome] = {
    21610: Outcome.OPTED_OUT,
    30001: Outcome.NETWORK,  # queue overflow
    30002: Outcome.CANCELED,  # account suspended before it went out
    30003: Outcome.UNREACHABLE,  # handset off or out of range
    30004: Outcome.BLOCKED,  # blocked by the recipient or the carrier
    30005: Outcome.INVALID_NUMBER,  # unknown handset
    30006: Outcome.INVALID_NUMBER,  # a landline, or a carrier that takes no messages
    30007: Outcome.BLOCKED,  # filtered as unwanted
    30008: Outcome.OTHER,  # Twilio was not told why
    30009: Outcome.NETWORK,  # a part was lost
    30010: Outcome.BLOCKED,  # dearer than the account's limit
    30017: Outcome.NETWORK,  # congestion
    30019: Outcome.BLOCKED,  # too long for the carrier
    30022: Outcome.NETWORK,  # more than the sender may send
    30023: Outcome.NETWORK,  # the day's limit of the sender
    30036: Outcome.UNDELIVERED,  # validity ran out
    30410: Outcome.NETWORK,  # the carrier timed out
    30500: Outcome.NETWORK,  # a fault at the carrier
}

# Without a code of Twilio's the answer may be from a proxy or a wrong address.
_STATUSES: Mapping[int, tuple[Cause, Outcome]] = dict.fromkeys((401, 403, 404, 405, 407), _OURS)


def refusal(status: int, code: int) -> Refused:
    """What a 4xx answer means. ``code`` is Twilio's, or the status where it gave none.

    Twilio's own words stay out of the result: they quote the number.
    """
    cause, outcome = REFUSALS.get(code) or _STATUSES.get(status, (Cause.UNKNOWN, Outcome.OTHER))
    return Refused(cause, outcome, code=str(code), detail=f"HTTP {status}")


def delivery_failure(code: int | None) -> Outcome:
    """What became of a message that did not arrive. ``None``: Twilio gave no code."""
    if code is None:
        return Outcome.UNDELIVERED
    return DELIVERY.get(code, Outcome.OTHER)
