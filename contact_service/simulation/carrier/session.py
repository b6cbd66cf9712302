"""One answered call: fetch TwiML, go through its verbs, take keys, connect, hang up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from contact_service.logs import log
from contact_service.simulation.carrier import twiml
from contact_service.simulation.carrier.outgoing import NoAnswer, Outgoing
from contact_service.simulation.carrier.records import API_VERSION, CallRecord
from contact_service.simulation.carrier.subscribers import (
    AnsweredCall,
    Connection,
    Pickup,
    Reaction,
    Switchboard,
)
from contact_service.simulation.timeline import LOOK_AHEAD, Action, Timeline

_log = log(__name__)

#: Answering machines stop recording, and people lose patience with a recording, after so long
#: (time spent with an operator excepted).
RECORDING_LIMIT = timedelta(seconds=60)
LISTENING_LIMIT = timedelta(minutes=10)
#: Between the end of a question and the key that answers it.
REACTION_SECONDS = 1.5


class Session:
    """What happens between picking up and hanging up."""

    def __init__(
        self,
        call: CallRecord,
        reaction: Reaction,
        timeline: Timeline,
        outgoing: Outgoing,
        switchboard: Switchboard,
        ended: Callable[[AnsweredCall], None],
    ) -> None:
        self._call = call
        self._reaction = reaction
        self._timeline = timeline
        self._outgoing = outgoing
        self._switchboard = switchboard
        self._ended = ended
        self._verbs: list[twiml.Verb] = []
        self._pressed: list[str] = []
        self._unanswered = 0
        self._transferred = False
        self._deadline: datetime | None = None

    def start(self, at: datetime) -> None:
        """Ask for the first document."""
        machine = self._reaction.pickup is Pickup.MACHINE
        self._deadline = at + (RECORDING_LIMIT if machine else LISTENING_LIMIT)
        self._fetch(at, self._call.url, self._call.method)

    def finish(self, at: datetime) -> None:
        """Hang up."""
        if not self._call.over:
            pressed = tuple(self._pressed)
            pickup = self._reaction.pickup
            self._ended(AnsweredCall(self._call.to, at, pickup, pressed, self._transferred))

    def _fetch(
        self, at: datetime, url: str, method: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self._timeline.exchange(at, self._load(at, url, method, extra or {}))

    async def _load(self, at: datetime, url: str, method: str, extra: Mapping[str, str]) -> None:
        after = at + LOOK_AHEAD
        try:
            reply = await self._outgoing.send(method, url, {**self._form("in-progress"), **extra})
            if reply.status != 200:
                raise twiml.BadTwiml(f"HTTP {reply.status}")
            self._verbs = twiml.parse(reply.body, url)
        except (NoAnswer, twiml.BadTwiml) as fault:
            # The carrier says "an application error has occurred" and hangs up.
            _log.warning("no instructions for a call", sid=self._call.sid, reason=str(fault))
            self._timeline.at(after, self.finish)
            return
        self._later(after, self._step)

    def _form(self, status: str) -> dict[str, str]:
        call = self._call
        form = {
            "AccountSid": call.account,
            "ApiVersion": API_VERSION,
            "CallSid": call.sid,
            "CallStatus": status,
            "Called": call.to,
            "Caller": call.sender,
            "Direction": "outbound-api",
            "From": call.sender,
            "To": call.to,
        }
        if call.answered_by:
            form["AnsweredBy"] = call.answered_by
        return form

    def _later(self, at: datetime, action: Action) -> None:
        """Go on at ``at``, or hang up at the deadline if that comes first."""
        if self._deadline is not None and at > self._deadline:
            self._timeline.at(self._deadline, self.finish)
        else:
            self._timeline.at(at, action)

    def _step(self, at: datetime) -> None:
        if self._call.over:
            return
        match self._verbs.pop(0) if self._verbs else twiml.Hangup():
            case twiml.Listen(seconds):
                self._later(at + timedelta(seconds=seconds), self._step)
            case twiml.Gather() as gather:
                self._ask(gather, at)
            case twiml.Redirect(url, method):
                self._fetch(at, url, method)
            case twiml.Dial() as dial:
                self._dial(dial, at)
            case twiml.Hangup():
                self.finish(at)

    def _ask(self, gather: twiml.Gather, at: datetime) -> None:
        heard = at + timedelta(seconds=gather.prompt_seconds)
        if len(self._pressed) < len(self._reaction.keys) and not self._unanswered:
            pause = min(REACTION_SECONDS, gather.timeout)
            if gather.digits != 1:
                pause += gather.timeout  # the carrier waits for further keys
            key = self._reaction.keys[len(self._pressed)]
            self._later(heard + timedelta(seconds=pause), lambda t: self._press(gather, key, t))
            return
        self._unanswered += 1
        if self._reaction.pickup is Pickup.PERSON and (
            self._reaction.hangs_up or self._unanswered > 1
        ):
            self._later(at + timedelta(seconds=gather.prompt_seconds / 2), self.finish)
            return
        silence = heard + timedelta(seconds=gather.timeout)
        if gather.action_on_empty:
            self._later(silence, lambda t: self._submit(gather, "", t))
        else:
            self._later(silence, self._step)

    def _press(self, gather: twiml.Gather, key: str, at: datetime) -> None:
        if not self._call.over:
            self._pressed.append(key)
            self._submit(gather, key, at)

    def _submit(self, gather: twiml.Gather, digits: str, at: datetime) -> None:
        if not self._call.over:
            self._fetch(at, gather.action, gather.method, {"Digits": digits})

    def _dial(self, dial: twiml.Dial, at: datetime) -> None:
        self._deadline = None
        taken = self._switchboard.connect(
            dial.number,
            dial.caller or self._call.to,
            at,
            lambda connection: self._disconnected(dial, connection),
        )
        if not taken:
            unanswered = Connection(at + timedelta(seconds=dial.timeout), "no-answer", 0)
            self._timeline.at(unanswered.ended_at, lambda _: self._disconnected(dial, unanswered))

    def _disconnected(self, dial: twiml.Dial, connection: Connection) -> None:
        if self._call.over:
            return
        at = connection.ended_at
        self._deadline = at + LISTENING_LIMIT
        self._transferred = connection.status == "completed" and not connection.caller_hung_up
        extra = {
            "DialCallStatus": connection.status,
            "DialCallDuration": str(connection.seconds),
        }
        if connection.caller_hung_up:
            if dial.action:
                form = self._form("completed") | extra
                self._timeline.background(self._tell(dial.action, dial.method, form))
            self.finish(at)
        elif dial.action:
            self._fetch(at, dial.action, dial.method, extra)
        else:
            self._step(at)

    async def _tell(self, url: str, method: str, form: Mapping[str, str]) -> None:
        try:
            await self._outgoing.send(method, url, form)
        except NoAnswer:
            _log.warning("the end of a transfer could not be told", sid=self._call.sid)
