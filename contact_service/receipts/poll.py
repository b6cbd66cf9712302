"""Asking carriers for outcomes, where their reports cannot reach us or did not come."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from campaigns.vocabulary import Channel
from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch.providers import ProviderConfig
from contact_service.receipts.events import Reported, Via, store_receipts
from providers.base import Provider, ProviderUnavailable

log = logs.log(__name__)

MOST_AT_ONCE = 200
ASK_TOGETHER = 20
#: How long a report may be missing, by the service's clock, before we ask.
PATIENCE = {True: timedelta(minutes=30), False: timedelta(minutes=1)}
#: A call is over within minutes, and until we hear so it takes up one of the lines.
CALL_PATIENCE = timedelta(minutes=3)
#: Beats between two questions about the same attempt: half a minute.
PAUSE_BEATS = 30


async def poll(service: Service, config: ProviderConfig, provider: Provider) -> int:
    """Ask one carrier about accepted attempts without an outcome. Returns how many it knew."""
    if not provider.capabilities.polling:
        return 0
    now = service.clock.now()
    with service.engine.begin() as connection:
        pause = PAUSE_BEATS * service.settings.beat_seconds
        open_attempts = _open_attempts(connection, config, now, pause)
    gate = asyncio.Semaphore(ASK_TOGETHER)

    async def ask(channel: Channel, provider_ref: str) -> Reported | None:
        async with gate:
            try:
                receipt = await provider.look_up(channel, provider_ref)
            except ProviderUnavailable:
                return None  # asked again with the next poll
        return Reported(receipt, None, Via.POLL) if receipt else None

    answers = await asyncio.gather(*(ask(channel, ref) for channel, ref in open_attempts))
    reports = [answer for answer in answers if answer is not None]
    if reports:
        await asyncio.to_thread(store_receipts, service.engine, config.name, reports, now)
    if open_attempts:
        log.info("poll", provider=config.name, asked=len(open_attempts), known=len(reports))
    return len(reports)


def _open_attempts(
    connection: Connection, config: ProviderConfig, now: datetime, pause: float
) -> list[tuple[Channel, str]]:
    rows = connection.execute(
        text("""
        UPDATE attempt a SET checked_at = clock_timestamp()
        FROM (
            SELECT id FROM attempt
            WHERE state = 'accepted' AND provider = :provider
            AND (submitted_at < :before
                OR (channel = 'auto_call' AND submitted_at < :calls_before)
                -- the clock was set back since: nobody can tell how long we have waited
                OR submitted_at > :now)
            AND (checked_at IS NULL
                OR checked_at < clock_timestamp() - make_interval(secs => :pause))
            ORDER BY checked_at NULLS FIRST LIMIT :most FOR UPDATE SKIP LOCKED
        ) due
        WHERE a.id = due.id RETURNING a.channel, a.provider_ref
        """),
        {
            "provider": config.name,
            "now": now,
            "before": now - PATIENCE[config.webhook],
            "calls_before": now - CALL_PATIENCE,
            "pause": pause,
            "most": MOST_AT_ONCE,
        },
    )
    return [(Channel(row.channel), row.provider_ref) for row in rows]
