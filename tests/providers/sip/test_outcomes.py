"""What the end of a call means, by code, by Q.850 cause, and by silence."""

from __future__ import annotations

import pytest

from providers.base import Outcome
from providers.sip.outcomes import Ending, outcome_of, q850
from providers.sip.reports import receipt_of


@pytest.mark.parametrize(
    ("code", "cause", "outcome"),
    [
        (486, None, Outcome.BUSY),
        (600, None, Outcome.BUSY),
        (487, None, Outcome.NO_ANSWER),
        (480, None, Outcome.UNREACHABLE),
        (408, None, Outcome.UNREACHABLE),
        (404, None, Outcome.INVALID_NUMBER),
        (410, None, Outcome.INVALID_NUMBER),
        (484, None, Outcome.INVALID_NUMBER),
        (604, None, Outcome.INVALID_NUMBER),
        (603, None, Outcome.REJECTED),
        (607, None, Outcome.OPTED_OUT),
        (608, None, Outcome.REJECTED),
        (500, None, Outcome.NETWORK),
        (503, None, Outcome.NETWORK),
        (599, None, Outcome.NETWORK),
        (0, None, Outcome.NETWORK),
        (403, None, Outcome.OTHER),
        (480, 19, Outcome.NO_ANSWER),  # the telephone network's own word is more exact
        (480, 17, Outcome.BUSY),
        (503, 1, Outcome.INVALID_NUMBER),
        (500, 34, Outcome.NETWORK),
        (403, 21, Outcome.REJECTED),
        (486, 99, Outcome.BUSY),  # a cause that says nothing changes nothing
        (607, 21, Outcome.OPTED_OUT),
    ],
)
def test_the_end_of_a_call(code: int, cause: int | None, outcome: Outcome) -> None:
    assert outcome_of(Ending(code, cause)) is outcome
    form = {"CallRef": "TR", "CallStatus": "ended", "SipCode": str(code)}
    if cause is not None:
        form["Q850"] = str(cause)
    receipt = receipt_of(form, None)
    assert (receipt.outcome, receipt.final) == (outcome, True)


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        (['Q.850;cause=17;text="User busy"'], 17),
        (["q.850 ; cause = 1"], 1),
        (['SIP;cause=200;text="x", Q.850;cause=34'], 34),
        (["SIP;cause=486"], None),
        (["SIP;cause=486", "Q.850;cause=21"], 21),
        ([], None),
        (["Q.850;text=none"], None),
    ],
)
def test_the_cause_in_a_reason(headers: list[str], cause: int | None) -> None:
    assert q850(headers) == cause


@pytest.mark.parametrize(
    ("status", "by", "outcome"),
    [
        ("completed", "human", Outcome.ANSWERED),
        ("completed", "unknown", Outcome.ANSWERED),
        ("completed", "machine", Outcome.MACHINE),
        ("no-response", None, Outcome.NETWORK),
        ("no-progress", None, Outcome.NETWORK),
        ("lost", None, Outcome.UNKNOWN),
    ],
)
def test_other_ends(status: str, by: str | None, outcome: Outcome) -> None:
    form = {"CallRef": "TR", "CallStatus": status, **({"AnsweredBy": by} if by else {})}
    assert receipt_of(form, None).outcome is outcome
