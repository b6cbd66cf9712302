"""Status callbacks: in order for each item, once retried, and spoilt on request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contact_service.logs import log
from contact_service.simulation.carrier.ledger import Ledger
from contact_service.simulation.carrier.outgoing import NoAnswer, Outgoing
from contact_service.simulation.faults import Faults
from contact_service.simulation.timeline import Timeline

_log = log(__name__)

#: Real seconds before the one retry. Twilio retries once when no connection could be made;
#: this carrier also retries once after a 5xx answer, so that a restart of the customer's
#: server shorter than this loses nothing, and a longer one does.
RETRY_AFTER = 0.5


@dataclass(frozen=True, slots=True)
class Callback:
    """One report on its way."""

    sid: str
    url: str
    form: Mapping[str, str]
    final: bool


class Callbacks:
    """Sends reports; those of one item one after another, those of many items at once."""

    def __init__(
        self, outgoing: Outgoing, timeline: Timeline, faults: Faults, ledger: Ledger
    ) -> None:
        self._outgoing = outgoing
        self._ledger = ledger
        self._timeline = timeline
        self._faults = faults
        self._queues: dict[str, deque[Callback]] = {}
        self._held: dict[str, Callback] = {}
        self._late = 0

    @property
    def pending(self) -> int:
        """Reports not yet delivered or given up."""
        return sum(map(len, self._queues.values())) + len(self._held) + self._late

    def report(self, callback: Callback, at: datetime) -> None:
        """Something happened at ``at``: tell the customer, unless a fault interferes."""
        strikes = self._faults.strikes
        if strikes("drop_callbacks"):
            return
        if not callback.final and strikes("reorder_callbacks"):
            self._held[callback.sid] = callback
            return
        copies = 2 if strikes("double_callbacks") else 1
        batch = [callback] * copies
        if held := self._held.pop(callback.sid, None):
            batch.append(held)
        if strikes("late_callbacks"):
            self._late += len(batch)
            due = at + timedelta(seconds=self._faults.plan.late_seconds)
            self._timeline.at(due, lambda _: self._send_late(batch))
        else:
            self._enqueue(batch)

    def _send_late(self, batch: list[Callback]) -> None:
        self._late -= len(batch)
        self._enqueue(batch)

    def _enqueue(self, batch: list[Callback]) -> None:
        sid = batch[0].sid
        if sid in self._queues:
            self._queues[sid].extend(batch)
        else:
            self._queues[sid] = deque(batch)
            self._timeline.background(self._drain(sid))

    async def _drain(self, sid: str) -> None:
        queue = self._queues[sid]
        try:
            while queue:
                if not await self._deliver(queue[0]):
                    await asyncio.sleep(RETRY_AFTER)
                    if not await self._deliver(queue[0]):
                        _log.warning("callback given up", sid=sid)
                queue.popleft()
        finally:
            del self._queues[sid]

    async def _deliver(self, callback: Callback) -> bool:
        try:
            reply = await self._outgoing.send("POST", callback.url, callback.form)
        except NoAnswer:
            return False
        if reply.status < 300:
            form = callback.form
            status = form.get("MessageStatus") or form.get("CallStatus") or ""
            self._ledger.acknowledged(callback.sid, status)
        return reply.status < 500
