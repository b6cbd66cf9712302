"""Who calls the centre, when, and how each call is told to the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from contact_service.clock import TOKYO
from contact_service.domain.states import CallResult
from contact_service.domain.windows import HALF_HOUR, at_tokyo
from contact_service.simulation.carrier.subscribers import Connection
from contact_service.simulation.centre.floor import Caller, Floor, Handled
from contact_service.simulation.centre.hours import Duty
from contact_service.simulation.centre.profile import DAYS, INBOUND_BY_HALF_HOUR, Profile
from contact_service.simulation.centre.service import Service
from contact_service.simulation.draws import Draws
from contact_service.simulation.timeline import Timeline


class Inbound:
    """Calls from the population at large, call-backs, and transferred auto-calls."""

    def __init__(
        self,
        timeline: Timeline,
        floor: Floor,
        duty: Duty,
        service: Service,
        profile: Profile,
        draws: Draws,
        centre_number: str,
        phones: list[str],
        withheld: float,
    ) -> None:
        self._timeline = timeline
        self._floor = floor
        self._duty = duty
        self._service = service
        self._p = profile
        self._draws = draws
        self._centre_number = centre_number
        self._phones = phones
        self._withheld = withheld

    def begin(self, at: datetime) -> None:
        """Plan the rest of today's calls, and every following day's at its midnight."""
        today = at.astimezone(TOKYO).date()
        if self._duty.opens_on(today):
            for arrival in self._arrivals(today):
                if arrival >= at:
                    self._timeline.at(arrival, self._somebody_calls)
        self._timeline.at(at_tokyo(today + timedelta(days=1), time.min), self.begin)

    def call_back(self, number: str, at: datetime) -> None:
        """Somebody will call because of a contact, at ``at`` or once the centre is open."""
        self._timeline.at(self._in_hours(number, at), lambda t: self._resident_calls(number, t))

    def connect(
        self, number: str, caller: str, at: datetime, ended: Callable[[Connection], None]
    ) -> bool:
        """Take a transferred auto-call. The queue picks up at once, as exchanges do."""
        if number != self._centre_number or not self._floor.is_open(at):
            return False

        def over(handled: Handled) -> None:
            self._record(handled)
            seconds = round((handled.ended_at - at).total_seconds())
            gave_up = handled.extension is None
            ended(Connection(handled.ended_at, "completed", seconds, gave_up))

        self._arrive(caller, "transfer", at, over)
        return True

    def _arrivals(self, day: date) -> list[datetime]:
        """Poisson in each half-hour, with the month's mean; evenly spread inside it."""
        arrivals = []
        for start, month in INBOUND_BY_HALF_HOUR.items():
            count = self._draws.poisson(month / DAYS, "inbound", day, start)
            for nth in range(count):
                share = self._draws.uniform("inbound at", day, start, nth)
                arrivals.append(at_tokyo(day, start) + share * HALF_HOUR)
        return arrivals

    def _in_hours(self, number: str, at: datetime) -> datetime:
        if self._floor.is_open(at):
            return at
        day = self._duty.next_opening(at)
        start = self._draws.choose(INBOUND_BY_HALF_HOUR, "calls back in", number, at)
        return at_tokyo(day, start) + self._draws.uniform("calls back at", number, at) * HALF_HOUR

    def _somebody_calls(self, at: datetime) -> None:
        number = None
        if self._phones:
            which = int(self._draws.uniform("who calls", at) * len(self._phones))
            number = self._phones[which]
        self._arrive(number, "anybody", at, self._record)

    def _resident_calls(self, number: str, at: datetime) -> None:
        self._arrive(number, "call back", at, self._record)

    def _arrive(
        self, number: str | None, why: str, at: datetime, ended: Callable[[Handled], None]
    ) -> None:
        draws, subject = self._draws, (why, number, at)
        talk, wrap = self._p.inbound_talk, self._p.inbound_wrap
        hidden = why != "transfer" and draws.happens(self._withheld, "withheld", *subject)
        self._floor.arrive(
            Caller(
                at,
                timedelta(seconds=draws.lognormal(talk.mean, talk.sigma, "talk", *subject)),
                timedelta(seconds=draws.lognormal(wrap.mean, wrap.sigma, "wrap", *subject)),
                timedelta(
                    seconds=draws.exponential(self._p.patience_seconds, "patience", *subject)
                ),
                None if hidden else number,
                ended,
            )
        )

    def _record(self, handled: Handled) -> None:
        caller = handled.caller
        answered_at = handled.answered_at or handled.ended_at
        talked = handled.answered_at is not None
        self._service.log_call(
            {
                "key": f"centre:{self._draws.token('call', caller.arrived_at, caller.number)}",
                "started_at": caller.arrived_at.astimezone(UTC).isoformat(),
                "from": caller.number,
                "wait_seconds": round((answered_at - caller.arrived_at).total_seconds()),
                "talk_seconds": round((handled.ended_at - answered_at).total_seconds()),
                "wrap_seconds": round(caller.wrap.total_seconds()) if talked else 0,
                "result": CallResult.TALKED if talked else CallResult.ABANDONED,
                "extension": handled.extension,
            }
        )
