"""The life of a call: queued → ringing → in-progress → completed, or busy, no-answer,
failed, canceled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from contact_service.simulation.carrier.callbacks import Callback, Callbacks
from contact_service.simulation.carrier.errors import Refusal
from contact_service.simulation.carrier.ledger import Ledger
from contact_service.simulation.carrier.numbers import is_dialable
from contact_service.simulation.carrier.outgoing import Outgoing, is_address
from contact_service.simulation.carrier.records import API_VERSION, CallRecord, rfc2822
from contact_service.simulation.carrier.session import Session
from contact_service.simulation.carrier.store import Records
from contact_service.simulation.carrier.subscribers import (
    AnsweredCall,
    Pickup,
    Reaction,
    Subscribers,
    Switchboard,
)
from contact_service.simulation.draws import Draws
from contact_service.simulation.timeline import Timeline

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
#: What becomes of a call that nobody picks up: final status and SIP answer.
UNANSWERED: Mapping[Pickup, tuple[str, int]] = {
    Pickup.NOT_IN_USE: ("failed", 404),
    Pickup.UNREACHABLE: ("failed", 480),
    Pickup.BUSY: ("busy", 486),
    Pickup.NO_ANSWER: ("no-answer", 487),
}
#: Who the carrier says picked up, and how many seconds it listens before it says so.
DETECTION: Mapping[Pickup, tuple[str, float]] = {
    Pickup.PERSON: ("human", 2.4),
    Pickup.MACHINE: ("machine_start", 4.0),
}
DEFAULT_TIMEOUT, LONGEST_TIMEOUT = 60, 600


class Calls:
    """Takes calls and lets them live."""

    def __init__(
        self,
        account: str,
        ledger: Ledger,
        timeline: Timeline,
        callbacks: Callbacks,
        outgoing: Outgoing,
        subscribers: Subscribers,
        switchboard: Switchboard,
        draws: Draws,
    ) -> None:
        self.records: Records[CallRecord] = Records()
        self._account = account
        self._ledger = ledger
        self._timeline = timeline
        self._callbacks = callbacks
        self._outgoing = outgoing
        self._subscribers = subscribers
        self._switchboard = switchboard
        self._draws = draws
        self._sessions: dict[str, Session] = {}

    def create(self, form: Mapping[str, str], events: frozenset[str], at: datetime) -> CallRecord:
        """Take a call; ``events`` as asked in StatusCallbackEvent. Raises :class:`Refusal`."""
        to, url, sender = form.get("To", ""), form.get("Url", ""), form.get("From", "")
        checks = (
            (not to, 21201),
            (not is_dialable(to), 21211),
            (not is_dialable(sender), 21213),
            (not is_address(url), 21205),
            (not form.get("Timeout", "0").isdecimal(), 20001),
        )
        for wrong, code in checks:
            if wrong:
                raise Refusal(code)
        status_callback = form.get("StatusCallback") or None
        call = CallRecord(
            sid=self._ledger.accept("call", to, {"url": url}, status_callback, at),
            account=self._account,
            to=to,
            sender=sender,
            url=url,
            method=form.get("Method", "POST").upper(),
            status_callback=status_callback,
            events=(events & EVENTS) or frozenset({"completed"}),
            timeout=min(int(form.get("Timeout", DEFAULT_TIMEOUT)), LONGEST_TIMEOUT),
            machine_detection=form.get("MachineDetection") in ("Enable", "DetectMessageEnd"),
            created_at=at,
            count=self.records.count_to(to) + 1,
        )
        self.records.add(call)
        dialled = at + timedelta(seconds=self._draws.between(0.2, 1.0, "dial", call.sid))
        self._timeline.at(dialled, lambda t: self._dial(call, t))
        return call

    def update(self, call: CallRecord, status: str, at: datetime) -> None:
        """Cancel or end a call from outside. Raises :class:`Refusal` when it is too late."""
        if call.over or (status == "canceled" and call.status == "in-progress"):
            raise Refusal(21220)
        if session := self._sessions.get(call.sid):
            session.finish(at)
        else:
            self._end(call, "canceled", at)

    def _dial(self, call: CallRecord, at: datetime) -> None:
        if call.over:
            return
        call.started_at = at
        self._report(call, "initiated", "initiated", at)
        reaction = self._subscribers.pick_up(call.to, call.count, at)
        progress = at + timedelta(seconds=self._draws.between(0.8, 2.5, "progress", call.sid))
        if reaction.pickup in (Pickup.NOT_IN_USE, Pickup.UNREACHABLE, Pickup.BUSY):
            status, sip_code = UNANSWERED[reaction.pickup]
            self._timeline.at(progress, lambda t: self._end(call, status, t, sip_code))
        else:
            self._timeline.at(progress, lambda t: self._ring(call, reaction, t))

    def _ring(self, call: CallRecord, reaction: Reaction, at: datetime) -> None:
        if call.over:
            return
        self._move(call, "ringing", at)
        self._report(call, "ringing", "ringing", at)
        if reaction.pickup is Pickup.NO_ANSWER or reaction.ring_seconds >= call.timeout:
            status, sip_code = UNANSWERED[Pickup.NO_ANSWER]
            given_up = at + timedelta(seconds=call.timeout)
            self._timeline.at(given_up, lambda t: self._end(call, status, t, sip_code))
        else:
            picked_up = at + timedelta(seconds=reaction.ring_seconds)
            self._timeline.at(picked_up, lambda t: self._answer(call, reaction, t))

    def _answer(self, call: CallRecord, reaction: Reaction, at: datetime) -> None:
        if call.over:
            return
        call.answered_at = at
        self._move(call, "in-progress", at)
        session = Session(
            call,
            reaction,
            self._timeline,
            self._outgoing,
            self._switchboard,
            lambda answered: self._hung_up(call, answered),
        )
        self._sessions[call.sid] = session
        self._report(call, "answered", "in-progress", at)
        if call.machine_detection:
            answered_by, seconds = DETECTION[reaction.pickup]
            detected = at + timedelta(seconds=seconds)
            self._timeline.at(detected, lambda t: self._detected(call, answered_by, session, t))
        else:
            session.start(at)

    def _detected(self, call: CallRecord, answered_by: str, session: Session, at: datetime) -> None:
        if not call.over:
            call.answered_by = answered_by
            session.start(at)

    def _hung_up(self, call: CallRecord, answered: AnsweredCall) -> None:
        del self._sessions[call.sid]
        self._end(call, "completed", answered.ended_at, 200)
        self._subscribers.call_ended(answered, call.count)

    def _end(
        self, call: CallRecord, status: str, at: datetime, sip_code: int | None = None
    ) -> None:
        if call.over:
            return
        call.ended_at, call.sip_code = at, sip_code
        self._move(call, status, at)
        self._report(call, "completed", status, at)

    def _move(self, call: CallRecord, status: str, at: datetime) -> None:
        call.status, call.updated_at = status, at

    def _report(self, call: CallRecord, event: str, status: str, at: datetime) -> None:
        if call.status_callback is None or event not in call.events:
            return
        form = {
            "AccountSid": call.account,
            "ApiVersion": API_VERSION,
            "CallSid": call.sid,
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Called": call.to,
            "Caller": call.sender,
            "Direction": "outbound-api",
            "From": call.sender,
            "SequenceNumber": str(call.sequence),
            "Timestamp": rfc2822(at) or "",
            "To": call.to,
        }
        call.sequence += 1
        if call.answered_by:
            form["AnsweredBy"] = call.answered_by
        if call.over:
            form["CallDuration"] = str(call.duration)
            form["Duration"] = str(-(-call.duration // 60))
            if call.sip_code:
                form["SipResponseCode"] = str(call.sip_code)
        final = event == "completed"
        self._callbacks.report(Callback(call.sid, call.status_callback, form, final), at)
