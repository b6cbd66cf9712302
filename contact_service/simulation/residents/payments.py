"""Who pays, when, what and how: potential outcomes with a known truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from contact_service.clock import TOKYO
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents import parameters
from contact_service.simulation.residents.population import Claim, Population, Resident
from contact_service.simulation.timeline import Timeline


class Cause(StrEnum):
    """A contact that makes a household likelier to pay; named as its effect's parameter."""

    SMS_DELIVERED = "sms_delivered"
    CALL_CONFIRMED = "call_confirmed"
    CALL_UNCONFIRMED = "call_unconfirmed"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class Payment:
    """One claim paid, as the office's collections file will show it."""

    resident: Resident
    claim: Claim
    paid_on: date
    method: str
    known_at: datetime
    """When the data reaches the office."""


class Payments:
    """Decides, and plans each payment on the timeline."""

    def __init__(
        self,
        parameters: parameters.Payment,
        population: Population,
        draws: Draws,
        timeline: Timeline,
        start: datetime,
        paid: Callable[[list[Payment]], None],
    ) -> None:
        self._p = parameters
        self._population = population
        self._draws = draws
        self._timeline = timeline
        self._start = start
        self.end = start + timedelta(days=parameters.horizon_days)
        self._paid = paid
        self._causes: dict[int, set[Cause]] = {}
        self._decided: set[int] = set()
        self.paid_households: set[int] = set()

    def begin(self) -> None:
        """Plan the payments that come without any contact: evenly over the horizon."""
        for household in self._population.by_household:
            if self._disposition(household) < self._p.baseline:
                share = self._draws.uniform("pays at", household)
                self._plan(household, self._start + share * (self.end - self._start))

    def contacted(self, household: int, cause: Cause, at: datetime) -> None:
        """A household was contacted; it may decide to pay because of that."""
        if at >= self.end:
            return
        causes = self._causes.setdefault(household, set())
        causes.add(cause)
        threshold = self._p.baseline + sum(getattr(self._p, known) for known in causes)
        if household not in self._decided and self._disposition(household) < threshold:
            self._plan(household, at + self._lag(household, self.end - at))

    def _disposition(self, household: int) -> float:
        return self._draws.uniform("disposition to pay", household)

    def _lag(self, household: int, longest: timedelta) -> timedelta:
        """Exponential, conditional on falling within ``longest`` (inverse of the truncated
        distribution): no payment that the parameters promise is lost beyond the horizon."""
        mean = timedelta(days=self._p.lag_days)
        within = 1.0 - math.exp(-(longest / mean))
        u = self._draws.uniform("lag", household)
        return -math.log(1.0 - u * within) * mean

    def _plan(self, household: int, at: datetime) -> None:
        self._decided.add(household)
        self._timeline.at(at, lambda instant: self._pay(household, instant))

    def _pay(self, household: int, at: datetime) -> None:
        self.paid_households.add(household)
        owed = [
            (resident, claim)
            for resident in self._population.by_household[household]
            for claim in resident.claims
        ]
        if owed and not self._draws.happens(self._p.in_full, "in full", household):
            one = int(self._draws.uniform("which claim", household) * len(owed))
            owed = owed[one : one + 1]
        method = self._draws.choose(self._p.methods, "method", household)
        days = self._p.slow_days if method == self._p.slow_method else self._p.fast_days
        known_at = at + timedelta(days=self._draws.between(*days, "reported", household))
        paid_on = at.astimezone(TOKYO).date()
        self._paid([Payment(who, what, paid_on, method, known_at) for who, what in owed])
