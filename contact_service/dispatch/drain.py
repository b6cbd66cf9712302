"""Draining a lane: lease, let go of the connection, send, record; for some seconds.

A lane is one carrier and one channel. Requests overlap across batches: the next batch is
leased while the last answers of this one are still out, so nobody waits for the slowest.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import redis
import uvloop

from campaigns.definition import Definition
from campaigns.vocabulary import Channel, Outcome
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch import contacts, switches
from contact_service.dispatch.lease import Lease, lease, stopped
from contact_service.dispatch.limits import RateLimit
from contact_service.dispatch.pacing import Pacing
from contact_service.dispatch.providers import ProviderConfig
from contact_service.dispatch.record import Answer, record
from contact_service.dispatch.sharing import Sharing
from contact_service.dispatch.window import Drained, Leased, Window
from contact_service.planning.definitions import definitions_running
from providers.base import Cause, Provider, Refused, Throttled

log = logs.log(__name__)

MOST_IN_A_BATCH = 500
#: A request must be over before its lease is: what a lease must have left when one starts.
#: No adapter's total time-out may exceed it.
LONGEST_REQUEST_SECONDS = 30.0
#: What was leased goes out at once or not at all: a stop, a payment or closing time may have
#: come since. A worker that was held up for longer gives it back.
FRESH_SECONDS = 1.5

OWNER = f"{socket.gethostname()}:{os.getpid()}"


@dataclass
class Lane:
    """One carrier and channel, drained by this process."""

    service: Service
    config: ProviderConfig
    provider: Provider
    channel: Channel
    limit: RateLimit
    pacing: Pacing = field(default_factory=Pacing)
    #: Whether this lane is for urgent campaigns alone, or for the others alone.
    urgent: bool = False
    #: Called at named points of the protocol; the crash tests end the process there.
    reached: Callable[[str], None] = field(default=lambda point: None)
    _composer: contacts.Composer = field(init=False)
    #: How long requests took that :meth:`_heed` has not told of yet.
    _took: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._composer = contacts.composer(self.service, self.config, self.channel)

    @property
    def batch_size(self) -> int:
        """Small enough to be sent within a second, so that a stop is felt soon."""
        return max(1, min(MOST_IN_A_BATCH, int(self.config.per_second[self.channel])))

    async def drain(self, seconds: float) -> Drained:
        """Send what is due until nothing is, or for ``seconds``. Raises ``redis.RedisError``
        and ``sqlalchemy.exc.DBAPIError`` when a server is away; leases left behind expire."""
        window = Window(self, time.monotonic() + seconds)
        await window.run()
        return window.drained

    def lease(self, size: int) -> tuple[list[Leased], int]:
        """Lease up to ``size`` due attempts; also how many were looked at."""
        seconds = self.service.settings.lease_seconds
        began = time.monotonic()
        with self.service.engine.begin() as connection:
            definitions = {
                run_id: item
                for run_id, item in definitions_running(connection).items()
                if self.pacing.campaign(item.campaign).urgent is self.urgent
            }
            now = self.service.clock.now()

            def take(of: Mapping[UUID, Definition], most: int) -> tuple[list[Lease], int]:
                return lease(
                    connection,
                    dict(of),
                    self.channel,
                    self.config.name,
                    OWNER,
                    now,
                    most,
                    seconds,
                    carrier="live" if self.config.live else "simulated",
                )

            sharing = Sharing(
                self.config, self.provider, self.channel, self.pacing, self.service.settings
            )
            leases, looked_at = sharing.lease(connection, definitions, now, size, take)
            # a stop that came while a busy database judged must not wait for all of the rest
            looked = time.monotonic()
            late = stopped(connection, leases, self.channel, self.config.name)
            self.reached("leased")
        self.reached("committed")
        before = min(looked + FRESH_SECONDS, began + seconds - LONGEST_REQUEST_SECONDS)
        before = -math.inf if late else before
        return [Leased(item, definitions[item.run_id], before) for item in leases], looked_at

    async def send(self, leased: Leased) -> Answer:
        """Hand one leased attempt to the carrier; one that had to wait is given back unsent."""
        item = leased.lease
        if time.monotonic() > leased.send_before:
            # we were held up: what was checked may be true no more, and somebody else may take
            # it before our request would be over
            return Answer(item.attempt_id, item.lease_number, Throttled(timedelta(0), "late"))
        try:
            contact = self._composer.contact(item, leased.definition)
        except contacts.CANNOT_PREPARE as error:  # one bad row must not stop the others
            log.error(
                "contact.unprepared", attempt=str(item.attempt_id), fault=type(error).__name__
            )
            refused = Refused(Cause.NEVER_THIS_CONTENT, Outcome.OTHER, "unprepared")
            return Answer(item.attempt_id, item.lease_number, refused)
        self.reached("sending")
        began = time.monotonic()
        result = await self.provider.submit(contact)
        self._took.append(time.monotonic() - began)
        self.reached("answered")
        return Answer(item.attempt_id, item.lease_number, result)

    def record(self, answers: list[Answer]) -> int:
        """Write answers, and heed what they say of the carrier. Returns how many counted."""
        self.reached("recording")
        now = self.service.clock.now()
        with self.service.engine.begin() as connection:
            recorded = record(connection, self.config.name, answers, now)
        self._heed(answers)
        log.info(
            "dispatch.recorded", lane=f"{self.config.name}/{self.channel}", answers=len(answers)
        )
        return recorded

    def _heed(self, answers: list[Answer]) -> None:
        """Slow down or stop the lane when the carrier says so; tell how it does."""
        took, self._took = self._took, []
        self.limit.observe([answer.result for answer in answers], took)
        pauses = [
            answer.result.retry_after.total_seconds()
            for answer in answers
            if isinstance(answer.result, Throttled)
        ]
        if pauses and max(pauses) > 0:
            self.limit.hold(min(max(pauses), 300))
        refused = [
            answer.result
            for answer in answers
            if isinstance(answer.result, Refused) and answer.result.cause is Cause.OUR_CREDENTIALS
        ]
        if refused:
            reason = f"認証または設定の誤り / credentials or setup refused ({refused[0].code})"
            now = self.service.clock.now()
            with self.service.engine.begin() as connection:
                switches.pause_provider(connection, self.config.name, reason, now)
            log.error("provider.paused", provider=self.config.name, code=refused[0].code)


def event_loop() -> asyncio.AbstractEventLoop:
    """The event loop that requests run on."""
    return uvloop.new_event_loop()


def redis_client(url: str) -> redis.Redis:
    """A client that gives up soon: without Redis nothing is sent, and the beat comes again."""
    return redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
