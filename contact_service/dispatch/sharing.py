"""Who goes next: campaigns share a lane by weight, each within its budgets."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from campaigns.definition import Definition
from campaigns.vocabulary import Channel
from contact_service.dispatch.budgets import Budget, Prices, Purse, budgets_of
from contact_service.dispatch.lease import Lease, open_now
from contact_service.dispatch.pacing import Pacing
from contact_service.dispatch.providers import ProviderConfig
from contact_service.settings import Settings
from providers.base import Provider

#: Leases up to so many attempts of these runs; the leases, and how many were dealt with.
TakeFrom = Callable[[Mapping[UUID, Definition], int], tuple[list[Lease], int]]


@dataclass(frozen=True, slots=True)
class Sharing:
    """The rules by which one lane is shared."""

    config: ProviderConfig
    provider: Provider
    channel: Channel
    pacing: Pacing
    settings: Settings

    def lease(
        self,
        connection: Connection,
        definitions: Mapping[UUID, Definition],
        now: datetime,
        size: int,
        take: TakeFrom,
    ) -> tuple[list[Lease], int]:
        """Lease up to ``size`` attempts with ``take``, fairly between the runs that have any.

        What a run leaves unused goes to the others. Returns the leases and how many attempts
        were dealt with. Raises ``NoPrice``.
        """
        runs = {run_id: definitions[run_id] for run_id in open_now(dict(definitions), now)}
        budgets = {run_id: self._budgets(item, now) for run_id, item in runs.items()}
        concurrent = self.config.limits.concurrent_calls is not None
        limited = any(budgets.values()) or (concurrent and self.channel is Channel.AUTO_CALL)
        if not limited and len(runs) < 2:
            return take(runs, size)
        purse = Purse(connection, self.config, budgets)
        if self.channel is Channel.AUTO_CALL:
            purse.limit_calls(self.config, now)
        leases: list[Lease] = []
        dealt_with, waiting = 0, dict(runs)
        while waiting and dealt_with < size:
            rooms = {run_id: purse.room(run_id, self._steps(runs[run_id])) for run_id in waiting}
            # what is left of a budget that several share is shared like the lane itself
            places = int(min(size - dealt_with, max(rooms.values())))
            if not places:
                break
            for run_id, share in self._shares(waiting, places).items():
                most = int(min(share, purse.room(run_id, self._steps(runs[run_id]))))
                got, looked_at = take({run_id: runs[run_id]}, most) if most else ([], 0)
                purse.use(run_id, got)
                leases += got
                dealt_with += looked_at
                if looked_at < share:
                    del waiting[run_id]
        purse.close()
        return leases, dealt_with

    def _steps(self, definition: Definition) -> list[str]:
        return [step.name for step in definition.steps if step.channel is self.channel]

    def _budgets(self, definition: Definition, now: datetime) -> list[Budget]:
        prices = Prices(self.provider, definition, self.channel, self.settings)
        return budgets_of(self.config, self.pacing, prices, now)

    def _shares(self, waiting: Mapping[UUID, Definition], size: int) -> dict[UUID, int]:
        """``size`` places by weight; what does not divide is drawn, by weight again, so that
        small batches are fair on average."""
        runs = list(waiting)
        weights = [self.pacing.campaign(waiting[run_id].campaign).weight for run_id in runs]
        total = sum(weights)
        exact = [size * weight / total for weight in weights]
        shares = {run_id: int(share) for run_id, share in zip(runs, exact, strict=True)}
        rest = [share - int(share) for share in exact]
        for _ in range(size - sum(shares.values())):
            (chosen,) = random.choices(range(len(runs)), [part + 1e-9 for part in rest])
            shares[runs[chosen]] += 1
            rest[chosen] = 0.0
        return {run_id: share for run_id, share in shares.items() if share}
