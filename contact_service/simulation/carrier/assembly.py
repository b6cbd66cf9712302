"""The carrier put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.routing import Mount

from contact_service.simulation.carrier.api import Api
from contact_service.simulation.carrier.callbacks import Callbacks
from contact_service.simulation.carrier.calls import Calls
from contact_service.simulation.carrier.ledger import Ledger
from contact_service.simulation.carrier.messages import Messages
from contact_service.simulation.carrier.outgoing import Outgoing
from contact_service.simulation.carrier.subscribers import Subscribers, Switchboard
from contact_service.simulation.draws import Draws
from contact_service.simulation.faults import Faults
from contact_service.simulation.timeline import Timeline


@dataclass(frozen=True)
class Account:
    """The carrier's one customer."""

    sid: str
    token: str = field(repr=False)


class Carrier:
    """Messages, calls and callbacks for any subscribers and any switchboard."""

    def __init__(
        self,
        account: Account,
        timeline: Timeline,
        folder: Path,
        draws: Draws,
        subscribers: Subscribers,
        switchboard: Switchboard,
    ) -> None:
        self._account = account
        self.timeline = timeline
        self.faults = Faults(draws)
        self.ledger = Ledger(folder, draws)
        self._outgoing = Outgoing(account.token)
        self.callbacks = Callbacks(self._outgoing, timeline, self.faults, self.ledger)
        self.messages = Messages(
            account.sid, self.ledger, timeline, self.callbacks, subscribers, draws
        )
        self.calls = Calls(
            account.sid,
            self.ledger,
            timeline,
            self.callbacks,
            self._outgoing,
            subscribers,
            switchboard,
            draws,
        )

    def routes(self) -> Mount:
        """The REST API."""
        account, clock = self._account, self.timeline.clock
        return Api(account.sid, account.token, clock, self.messages, self.calls).routes()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connections and the ledger's file are open inside the block."""
        try:
            async with self._outgoing:
                yield
        finally:
            self.ledger.close()
