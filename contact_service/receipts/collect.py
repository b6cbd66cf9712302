"""Reports that come over a carrier's own connection: stored first, then acknowledged."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from contact_service import logs
from contact_service.bootstrap import Service
from contact_service.dispatch.providers import ProviderConfig
from contact_service.receipts.events import Reported, Via, store_receipts
from contact_service.receipts.messages import store_messages
from providers.base import Provider

log = logs.log(__name__)

MOST_AT_ONCE = 500


async def collect(service: Service, config: ProviderConfig, provider: Provider) -> int:
    """Take what has come, write it down, and only then tell the carrier so: what is lost in
    between comes again, and what comes again changes nothing. Returns how many reports."""
    if not provider.capabilities.connection_receipts:
        return 0
    count = 0
    while True:
        found = await provider.collect(MOST_AT_ONCE, timedelta(0))
        if not found:
            return count
        reports = [
            Reported(receipt, None, Via.CONNECTION) for one in found for receipt in one.receipts
        ]
        messages = [one.message for one in found if one.message is not None]
        now = service.clock.now()
        await asyncio.to_thread(store_receipts, service.engine, config.name, reports, now)
        if messages:
            await asyncio.to_thread(store_messages, service, config.name, messages, now)
        await provider.acknowledge([one.handle for one in found])
        count += len(reports)
        log.info("collect", provider=config.name, reports=len(reports), messages=len(messages))
