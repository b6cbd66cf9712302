"""The residents together: how they take contacts, what they conclude, whom they call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contact_service.clock import TOKYO
from contact_service.domain.states import DispositionKind
from contact_service.simulation.carrier.subscribers import (
    AnsweredCall,
    MessageFate,
    Pickup,
    Reaction,
)
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents.parameters import Parameters
from contact_service.simulation.residents.payments import Cause, Payments
from contact_service.simulation.residents.population import Population
from contact_service.simulation.residents.telephones import Telephones

CallBack = Callable[[str, datetime], None]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a talk with an operator ended."""

    kind: DispositionKind
    promised_on: date | None = None
    amount_yen: int | None = None


class Residents:
    """Subscribers of the carrier, and the people whom operators talk to."""

    def __init__(
        self,
        parameters: Parameters,
        population: Population,
        telephones: Telephones,
        payments: Payments,
        draws: Draws,
    ) -> None:
        self._p = parameters
        self._population = population
        self._telephones = telephones
        self._payments = payments
        self._draws = draws
        self.call_back: CallBack | None = None
        """How residents reach the centre; ``None`` while there is none."""
        self._unsubscribed: set[str] = set()

    def accepts_messages(self, number: str) -> bool:
        return number not in self._unsubscribed

    def message_fate(self, number: str, count: int) -> MessageFate:
        return self._telephones.message_fate(number, count)

    def message_delivered(self, number: str, count: int, at: datetime) -> None:
        if self._telephones.unsubscribes(number):
            self._unsubscribed.add(number)
        self._heard(number, Cause.SMS_DELIVERED, at)
        self._may_call_back(self._p.call_back.after_sms, number, ("sms", count), at)

    def pick_up(self, number: str, count: int, at: datetime) -> Reaction:
        return self._telephones.pick_up(number, count, at, "carrier")

    def call_ended(self, call: AnsweredCall, count: int) -> None:
        first = call.keys[:1]
        if call.pickup is Pickup.PERSON and first == (self._p.keys.confirm,):
            self._heard(call.to, Cause.CALL_CONFIRMED, call.ended_at)
        elif call.pickup is Pickup.PERSON and not first:
            self._heard(call.to, Cause.CALL_UNCONFIRMED, call.ended_at)
        if not call.transferred and first in ((), (self._p.keys.confirm,)):
            share = self._p.call_back.after_call
            self._may_call_back(share, call.to, ("call", count), call.ended_at)

    def answer_operator(self, number: str, count: int, at: datetime) -> Reaction:
        """What an operator's ``count``-th call to a number meets."""
        return self._telephones.pick_up(number, count, at, "operator")

    def talk(self, number: str, count: int, at: datetime) -> Conclusion:
        """A talk with an operator at ``at``: what the person says in the end."""
        households = self._population.households_of(number)
        if not households or not self._telephones.right_person(number):
            return Conclusion(DispositionKind.WRONG_NUMBER)
        owed = sum(claim.yen for who in self._population.by_phone[number] for claim in who.claims)
        if not owed or households <= self._payments.paid_households:
            return Conclusion(DispositionKind.PAID_ALREADY)
        subject = (number, count)
        kind = DispositionKind(self._draws.choose(self._p.talk.conclusions, "conclusion", *subject))
        if kind is not DispositionKind.PROMISED:
            return Conclusion(kind)
        self._heard(number, Cause.PROMISE, at)
        soonest, latest = self._p.talk.promise_days
        days = int(self._draws.between(soonest, latest + 1, "promise", *subject))
        return Conclusion(kind, at.astimezone(TOKYO).date() + timedelta(days=days), owed)

    def _heard(self, number: str, cause: Cause, at: datetime) -> None:
        """A message reached a number; strangers are not moved by it."""
        if self._telephones.right_person(number):
            for household in sorted(self._population.households_of(number)):
                self._payments.contacted(household, cause, at)

    def _may_call_back(
        self, share: float, number: str, subject: tuple[str, int], at: datetime
    ) -> None:
        known = number in self._population.by_phone
        if self.call_back and known and self._draws.happens(share, "calls back", number, *subject):
            mean = self._p.call_back.delay_hours
            hours = self._draws.exponential(mean, "calls back after", number, *subject)
            self.call_back(number, at + timedelta(hours=hours))
