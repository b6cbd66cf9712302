"""Operators call people from the service's list and tell it what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from contact_service.domain.states import DispositionKind
from contact_service.simulation.carrier.subscribers import Pickup, Reaction
from contact_service.simulation.centre.floor import Release
from contact_service.simulation.centre.profile import Profile, Spread
from contact_service.simulation.centre.service import Assignment, Service
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents.people import Conclusion
from contact_service.simulation.timeline import LOOK_AHEAD, Timeline

#: What an operator notes when nobody can be talked to.
_UNREACHED = {
    Pickup.NO_ANSWER: DispositionKind.ABSENT,
    Pickup.UNREACHABLE: DispositionKind.ABSENT,
    Pickup.BUSY: DispositionKind.BUSY,
    Pickup.MACHINE: DispositionKind.VOICEMAIL,
    Pickup.NOT_IN_USE: DispositionKind.WRONG_NUMBER,
}


class Reachable(Protocol):
    """The people behind the numbers, for operators."""

    def answer_operator(self, number: str, count: int, at: datetime) -> Reaction: ...

    def talk(self, number: str, count: int, at: datetime) -> Conclusion: ...


@dataclass(frozen=True, slots=True)
class _Call:
    """One operator's call, decided when it is dialled."""

    started_at: datetime
    conclusion: Conclusion
    ringing: float
    talk: int
    wrap: int

    @property
    def free_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.ringing + self.talk + self.wrap)


class Outbound:
    """The operators' list worked off, one person at a time."""

    def __init__(
        self,
        timeline: Timeline,
        service: Service,
        people: Reachable,
        profile: Profile,
        draws: Draws,
    ) -> None:
        self._timeline = timeline
        self._service = service
        self._people = people
        self._p = profile
        self._draws = draws
        self._counts: Counter[str] = Counter()
        self._pause_until: datetime | None = None

    def offers(self, at: datetime) -> bool:
        return self._pause_until is None or at >= self._pause_until

    def take(self, extension: str, at: datetime, release: Release, look_again: Release) -> None:
        ready = timedelta(seconds=self._p.preparation_seconds)
        self._timeline.exchange(at, self._ask(extension, at + ready, release, look_again), ready)

    async def _ask(
        self, extension: str, ready_at: datetime, release: Release, look_again: Release
    ) -> None:
        person = await self._service.next_person(extension)
        if person is None:
            # All operators stop asking; the floor looks again when the pause is over.
            self._pause_until = ready_at + timedelta(seconds=self._p.pause_seconds)
            self._timeline.at(ready_at, release)
            self._timeline.at(self._pause_until, look_again)
        else:
            self._timeline.at(ready_at, lambda at: self._dial(extension, person, at, release))

    def _dial(self, extension: str, person: Assignment, at: datetime, release: Release) -> None:
        self._counts[person.phone] += 1
        count = self._counts[person.phone]
        reaction = self._people.answer_operator(person.phone, count, at)
        call = self._decide(person.phone, count, reaction, at)
        self._timeline.at(
            call.free_at,
            lambda t: self._timeline.exchange(t, self._dispose(extension, person, call, release)),
        )

    def _decide(self, number: str, count: int, reaction: Reaction, at: datetime) -> _Call:
        p, subject = self._p, (number, count)
        if reaction.pickup is Pickup.PERSON:
            conclusion = self._people.talk(number, count, at)
            if conclusion.kind is DispositionKind.WRONG_NUMBER:
                seconds = self._length(p.wrong_number, "talk", subject)
                return _Call(at, conclusion, reaction.ring_seconds, seconds, 0)
            talk = self._length(p.outbound_talk, "talk", subject)
            wrap = self._length(p.outbound_wrap, "wrap", subject)
            return _Call(at, conclusion, reaction.ring_seconds, talk, wrap)
        conclusion = Conclusion(_UNREACHED[reaction.pickup])
        match reaction.pickup:
            case Pickup.MACHINE:
                seconds = self._length(p.voicemail, "talk", subject)
                return _Call(at, conclusion, reaction.ring_seconds, seconds, 0)
            case Pickup.NO_ANSWER:
                return _Call(at, conclusion, p.no_answer_seconds, 0, 0)
            case _:
                return _Call(at, conclusion, p.busy_seconds, 0, 0)

    def _length(self, spread: Spread, what: str, subject: tuple[str, int]) -> int:
        return round(self._draws.lognormal(spread.mean, spread.sigma, "outbound", what, *subject))

    async def _dispose(
        self, extension: str, person: Assignment, call: _Call, release: Release
    ) -> None:
        promise = None
        if call.conclusion.promised_on is not None:
            promise = {
                "on": call.conclusion.promised_on.isoformat(),
                "amount_yen": call.conclusion.amount_yen,
            }
        await self._service.dispose(
            {
                "attempt_id": person.attempt_id,
                "operator": extension,
                "disposition": call.conclusion.kind,
                "started_at": call.started_at.astimezone(UTC).isoformat(),
                "talk_seconds": call.talk,
                "wrap_seconds": call.wrap,
                "promise": promise,
                "note": None,
            }
        )
        self._timeline.at(call.free_at + LOOK_AHEAD, release)
