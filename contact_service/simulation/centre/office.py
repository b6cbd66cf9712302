"""The telephone centre put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from contact_service.simulation.carrier.subscribers import Connection
from contact_service.simulation.centre.floor import Floor
from contact_service.simulation.centre.hours import Duty
from contact_service.simulation.centre.inbound import Inbound
from contact_service.simulation.centre.outbound import Outbound, Reachable
from contact_service.simulation.centre.profile import Profile
from contact_service.simulation.centre.service import Service
from contact_service.simulation.draws import Draws
from contact_service.simulation.timeline import Timeline


class Centre:
    """Operators, their queue, those who call it, and its line to the service."""

    def __init__(
        self,
        number: str,
        operators: int,
        service_url: str,
        api_token: str,
        folder: Path,
        timeline: Timeline,
        people: Reachable,
        phones: list[str],
        withheld: float,
        draws: Draws,
    ) -> None:
        profile = Profile()
        duty = Duty(operators, profile.evening_share)
        self._service = Service(service_url, api_token, folder, timeline)
        outbound = Outbound(timeline, self._service, people, profile, draws)
        self._floor = Floor(timeline, duty, operators, profile.outbound_share, outbound)
        self._inbound = Inbound(
            timeline,
            self._floor,
            duty,
            self._service,
            profile,
            draws,
            number,
            phones,
            withheld,
        )

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return self._floor.waiting

    def call_back(self, number: str, at: datetime) -> None:
        """A resident will call at ``at``, or when the centre is open again."""
        self._inbound.call_back(number, at)

    def connect(
        self, number: str, caller: str, at: datetime, ended: Callable[[Connection], None]
    ) -> bool:
        """Take a transferred auto-call."""
        return self._inbound.connect(number, caller, at, ended)

    @asynccontextmanager
    async def running(self, start: datetime) -> AsyncIterator[None]:
        """At work inside the block; what could not be handed over by its end is kept."""
        self._service.begin()
        self._inbound.begin(start)
        self._floor.begin(start)
        try:
            yield
        finally:
            await self._service.close()
