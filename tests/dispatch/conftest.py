"""A running run on a small ledger, and a lane to a scripted carrier."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import Engine

from campaigns.definition import Definition
from campaigns.vocabulary import Channel
from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.dispatch.drain import Drained, Lane, redis_client
from contact_service.dispatch.limits import RateLimit
from contact_service.dispatch.pacing import Pacing
from contact_service.dispatch.providers import ProviderConfig
from contact_service.dispatch.reconcile import Reconciled, collect_unknown, reconcile
from contact_service.domain.actors import Actor, Role
from contact_service.planning import runs
from contact_service.settings import Settings
from contact_service.store.crypto import Vault
from tests.dispatch.carrier import ScriptedCarrier
from tests.ledger import Ledger, definition

STAFF = Actor("planner", Role.STAFF)
APPROVER = Actor("approver", Role.APPROVER)
FIRST_DAY = date(2026, 10, 26)


@dataclass
class Floor:
    """Everything that a test of dispatch handles."""

    service: Service
    clock: FixedClock
    ledger: Ledger
    carrier: ScriptedCarrier
    config: ProviderConfig
    pacing: Pacing = field(default_factory=Pacing)

    def start(self, spec: Definition | None = None) -> UUID:
        """Plan and start a run of ``spec`` (one arm, all contacted)."""
        spec = spec or definition(arms=[{"name": "contact"}])
        engine, now = self.service.engine, self.clock.now()
        run_id = runs.plan(engine, STAFF, spec, spec.model_dump_json(), FIRST_DAY, now).run_id
        runs.start(engine, APPROVER, run_id, now, [])
        return run_id

    def lane(self, channel: Channel = Channel.SMS) -> Lane:
        """A lane as a worker of its own would have it."""
        client = redis_client(self.service.settings.broker_url)
        lane, rate = f"{self.config.name}/{id(self)}-{channel}", self.config.per_second[channel]
        limit = RateLimit(client, lane, rate, self.config.limits)
        return Lane(self.service, self.config, self.carrier, channel, limit, self.pacing)

    def drain(self, channel: Channel = Channel.SMS, seconds: float = 60) -> Drained:
        """Drain a lane until nothing is due."""
        return asyncio.run(self.lane(channel).drain(seconds))

    def settle_unknown(self) -> Reconciled:
        """Collect overdue leases and ask the carrier."""
        collect_unknown(self.service)
        return asyncio.run(reconcile(self.service, self.config, self.carrier))

    def settle_unknown_in_thread(self) -> Reconciled:
        """The same from inside an event loop, as another process would do it."""
        with ThreadPoolExecutor(1) as other:
            return other.submit(self.settle_unknown).result()

    def drain_in_thread(self) -> Drained:
        """Drain as another worker would, from inside an event loop."""
        with ThreadPoolExecutor(1) as other:
            return other.submit(self.drain).result()

    def states(self, channel: str = "sms") -> dict[str, int]:
        """How many attempts of a channel are in which state."""
        return dict(
            self.ledger.rows(
                "SELECT state, count(*) FROM attempt WHERE channel = :c GROUP BY 1", c=channel
            )
        )  # type: ignore[arg-type]

    def reasons(self, channel: str = "sms") -> dict[str, int]:
        """Why attempts of a channel were put aside."""
        return dict(
            self.ledger.rows(
                "SELECT reason, count(*) FROM attempt WHERE channel = :c AND state = 'skipped' "
                "GROUP BY 1",
                c=channel,
            )
        )  # type: ignore[arg-type]


@pytest.fixture
def floor(engine: Engine, vault: Vault, clock: FixedClock, settings: Settings) -> Floor:
    config = ProviderConfig(
        name="scripted",
        adapter="scripted",
        live=False,
        per_second={Channel.SMS: 2000, Channel.AUTO_CALL: 2000},
        in_flight=100,
    )
    service = Service(settings, engine, vault, clock)
    return Floor(service, clock, Ledger(engine, vault), ScriptedCarrier(), config)
