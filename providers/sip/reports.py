"""How a call is reported, by post and when asked, and what the words mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from providers.base import Channel, EndedCall, Outcome, Receipt
from providers.sip.detection import AnsweredBy
from providers.sip.journal import LOST, Entry
from providers.sip.outcomes import Ending, outcome_of

#: Nothing final yet.
UNDER_WAY = frozenset({"placing", "taken", "ringing", "answered"})
COMPLETED = "completed"
#: Nobody picked up: code and cause say why.
ENDED = "ended"
#: Not one answer came from the trunk.
NO_RESPONSE = "no-response"
#: The trunk took the call, and it never rang.
NO_PROGRESS = "no-progress"
#: What must be spoken could not be: no recording, no speech, or the service did not answer.
SPEECHLESS = "speechless"

_MEANING: Mapping[str, Outcome] = {
    NO_RESPONSE: Outcome.NETWORK,
    NO_PROGRESS: Outcome.NETWORK,
    SPEECHLESS: Outcome.OTHER,
    LOST: Outcome.UNKNOWN,
}
_KEPT = ("CallRef", "CallStatus", "SipCode", "Q850", "AnsweredBy", "TalkSeconds", "At")


def form_of(entry: Entry) -> dict[str, str]:
    """A report of a call, as fields of a form. It holds no number."""
    fields = {
        "CallRef": entry.ref,
        "CallStatus": entry.status,
        "At": entry.changed_at.isoformat(timespec="milliseconds"),
        "SipCode": entry.code,
        "Q850": entry.cause,
        "AnsweredBy": entry.answered_by,
        "TalkSeconds": entry.talk_seconds,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


def ended(form: Mapping[str, str]) -> EndedCall:
    """An incoming call that is over. Raises ``KeyError`` and ``ValueError`` when it is none."""
    began, seconds = datetime.fromisoformat(form["At"]), int(form["TalkSeconds"])
    if began.tzinfo is None or not 0 <= seconds < 86_400:
        raise ValueError("an instant without a zone, or a length that is none")
    told = form.get("Transferred")
    transferred = None if told is None else told == "yes"
    return EndedCall(form["CallRef"], form.get("From"), began, seconds, transferred)


def receipt_of(form: Mapping[str, str], reference: str | None) -> Receipt:
    """A report as a receipt. Raises ``ValueError`` when it is none."""
    status, ref = form.get("CallStatus", ""), form.get("CallRef", "")
    if not (status and ref):
        raise ValueError("a report without a call or a status")
    outcome, final = _meaning(form)
    at = datetime.fromisoformat(form["At"]) if "At" in form else None
    if at is not None and at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return Receipt(
        channel=Channel.AUTO_CALL,
        provider_ref=ref,
        status=status,
        outcome=outcome,
        final=final,
        occurred_at=at,
        reference=reference,
        talk_seconds=_integer(form, "TalkSeconds"),
        raw={name: form[name] for name in _KEPT if name in form},
    )


def _meaning(form: Mapping[str, str]) -> tuple[Outcome | None, bool]:
    status = form["CallStatus"]
    if status in UNDER_WAY:
        return None, False
    if status == COMPLETED:
        # what a person pressed is recorded where the menu is walked, and outranks this
        machine = form.get("AnsweredBy") == AnsweredBy.MACHINE
        return (Outcome.MACHINE if machine else Outcome.ANSWERED), True
    if status == ENDED:
        return outcome_of(Ending(_integer(form, "SipCode") or 0, _integer(form, "Q850"))), True
    if status in _MEANING:
        return _MEANING[status], True
    return Outcome.OTHER, False


def _integer(form: Mapping[str, str], name: str) -> int | None:
    value = form.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ValueError(f"{name} is no count")
    return int(value)
