"""What is going on and what waits for whoever asks, for other systems of the office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import Depends, Request

from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor
from contact_service.domain.states import RunState
from contact_service.identity.tokens import Scope
from contact_service.planning import overview, versions
from contact_service.planning.overview import Needs, Today
from contact_service.planning.preview import READERS
from contact_service.planning.versions import Version
from contact_service.web.api_base import api_router, may
from contact_service.web.api_pages import ApiPage, Asked
from contact_service.web.carrier import service_of

router = api_router("/api", "campaigns")
SEES = Depends(may(Scope.CAMPAIGNS_READ, *READERS))


@dataclass(frozen=True, slots=True)
class RunInShort:
    """One run; more of it by ``/api/runs/{run_id}``."""

    run_id: UUID
    title: str
    state: RunState
    first_day: date


@dataclass(frozen=True, slots=True)
class Start:
    """What the first page says."""

    runs: Sequence[RunInShort]
    """Under way, paused, or waiting for their day, and the last that ended."""
    today: Sequence[Today]
    stopped: Mapping[str, str]
    """What is stopped, and why."""
    needs: Needs
    """What waits for the holder of the token."""


@router.get("/start", summary="今日 / what goes on now")
def start(request: Request, caller: Actor = SEES) -> Start:
    """実施、今日の連絡、止まっているもの、あなたを待っているもの / runs, today's contacts, what is
    stopped, and what waits for you"""
    service = service_of(request)
    now = service.clock.now()
    with service.engine.connect() as connection:
        shown = overview.waiting_runs(connection, caller)
        stopped = switches(connection)
        return Start(
            [
                RunInShort(run_id, title, RunState(state), day)
                for run_id, title, state, day in overview.lines(connection, shown)
            ],
            overview.today(connection, caller, now),
            stopped,
            overview.needs(connection, caller, now, stopped),
        )


@router.get("/approvals", summary="承認待ちの版 / versions that wait for a second person")
def approvals(request: Request, asked: Asked, caller: Actor = SEES) -> ApiPage[Version]:
    """承認を待つ版（計画の名前の順）。出した人は承認できない / versions that wait for a second
    person, by campaign; whoever handed one in cannot approve it"""
    with service_of(request).engine.connect() as connection:
        found = versions.waiting(connection, caller)
    return asked.listed(found, lambda one: (one.key, one.number), str, int)
