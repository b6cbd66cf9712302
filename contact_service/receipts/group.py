"""Group commit: reports that come at the same time are written together.

A commit waits for the disk; a hundred reports that share one wait a hundredth of it each. Nobody
is answered before the commit that holds their report.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from contact_service.bootstrap import Service
from contact_service.receipts.events import Reported, store_receipts

MOST_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class _Waiting:
    provider: str
    reports: Sequence[Reported]
    stored: asyncio.Future[None]


class GroupCommit:
    """One process's writer of reports. Use from one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def store(self, provider: str, reports: Sequence[Reported]) -> None:
        """Return once ``reports`` are on disk and have been heeded.

        Raises ``DBAPIError`` when the database is away; ``DataError``, ``IntegrityError`` or
        ``UnicodeEncodeError`` for a value that cannot be stored. The latter do not touch other
        requests' reports.
        """
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(provider, reports, stored))
        self._have_writer()
        await stored

    def _have_writer(self, _ended: asyncio.Task[None] | None = None) -> None:
        if self._waiting and (self._writer is None or self._writer.done()):
            self._writer = asyncio.create_task(self._write())
            # one that failed leaves those behind it to the next
            self._writer.add_done_callback(self._have_writer)

    async def _write(self) -> None:
        while self._waiting:
            group = self._next_group()
            try:
                await self._store(group)
            finally:  # whatever happened, nobody waits for ever, or is told that it is stored
                for each in group:
                    if not each.stored.done():
                        each.stored.cancel()

    def _next_group(self) -> list[_Waiting]:
        """Those who wait longest, of one carrier."""
        provider, group = self._waiting[0].provider, list[_Waiting]()
        while (
            self._waiting and len(group) < MOST_TOGETHER and self._waiting[0].provider == provider
        ):
            group.append(self._waiting.popleft())
        return group

    async def _store(self, group: list[_Waiting]) -> None:
        provider = group[0].provider
        reports = [report for each in group for report in each.reports]
        now = self._service.clock.now()
        try:
            await asyncio.to_thread(store_receipts, self._service.engine, provider, reports, now)
        except (DataError, IntegrityError, UnicodeEncodeError) as error:
            if len(group) == 1:
                _settle(group, error)
                return
            for each in group:  # one of them is to blame, and alone bears it
                await self._store([each])
        except DBAPIError as error:
            _settle(group, error)
        else:
            _settle(group, None)


def _settle(group: list[_Waiting], error: Exception | None) -> None:
    for each in group:
        if each.stored.done():
            continue  # whoever asked is gone
        if error is None:
            each.stored.set_result(None)
        else:
            each.stored.set_exception(error)
