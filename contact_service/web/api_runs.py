"""Runs and the year's calendar for other systems of the office."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from fastapi import BackgroundTasks, Depends, Query, Request
from pydantic import BaseModel, Field

from contact_service.dispatch.switches import switches
from contact_service.domain.actors import Actor
from contact_service.domain.life import MOVES, Action
from contact_service.domain.states import RunState
from contact_service.identity.tokens import Scope
from contact_service.planning import overview, preview, runs
from contact_service.planning.calendar import fiscal_year_of
from contact_service.planning.overview import Counts
from contact_service.planning.progress import StepProgress
from contact_service.web import run_now
from contact_service.web.api_base import api_router, may
from contact_service.web.api_campaigns import Reason, Worked, worked
from contact_service.web.calendar_page import calendar_of
from contact_service.web.carrier import service_of

router = api_router("/api", "campaigns")
READS = Depends(may(Scope.CAMPAIGNS_READ, *preview.READERS))
STARTS = Depends(may(Scope.CAMPAIGNS_WRITE, *MOVES[Action.START].roles))
MOVING: dict[Action, Callable[..., None]] = {
    Action.PAUSE: runs.pause,
    Action.RESUME: runs.resume,
    Action.STOP: runs.stop,
}


@dataclass(frozen=True, slots=True)
class RunNow:
    """How a run stands. ``counts`` and ``steps`` are those of ``as_of``, some seconds ago on a
    large ledger, and null until they are there."""

    run_id: UUID
    campaign: str
    title: str
    version: int
    first_day: date
    training: bool
    state: RunState
    stopped: Mapping[str, str]
    """What is stopped altogether, and why: nothing goes out by it."""
    starting: bool
    refused: str | None
    """Why the last start came to nothing."""
    as_of: datetime | None
    counts: Counts | None
    steps: Sequence[StepProgress]


class NeededReason(BaseModel):
    """Why: whoever looks later needs it."""

    reason: str = Field(min_length=1, max_length=200)


@router.get("/runs/{run_id}", summary="実施 / how a run stands")
def run(
    request: Request, background: BackgroundTasks, run_id: UUID, caller: Actor = READS
) -> RunNow:
    """実施の状態と進み / its state and how far it is"""
    return _now(request, background, caller, run_id)


@router.post("/runs/{run_id}/start", status_code=202, summary="今すぐ始める / start now")
def start(
    request: Request,
    background: BackgroundTasks,
    run_id: UUID,
    body: Reason,
    caller: Actor = STARTS,
) -> RunNow:
    """対象者を確定し、連絡できる時間であれば送り始める（GETで確かめる） / targets are taken and,
    in hours, contacts begin; follow it by GET"""
    run_now.begin_start(service_of(request), background, caller, run_id, body.reason.strip())
    return _now(request, background, caller, run_id)


@router.get("/calendar", summary="年間予定 / the year's calendar")
@router.post("/calendar", summary="計算し直す / work it out anew")
def calendar(
    request: Request,
    background: BackgroundTasks,
    year: int | None = Query(None, ge=2000, le=2100, description="年度 / the fiscal year"),
    caller: Actor = READS,
) -> Worked:
    """年度の実施、重なり、見込まれる受電（計算は別に進む） / runs of a fiscal year, who would hear
    from two, expected inbound calls; worked out beside"""
    service = service_of(request)
    first, last = fiscal_year_of(date(year, 4, 1) if year else service.clock.now().date())
    anew = request.method == "POST"
    return worked(calendar_of(service, caller, background, first, last, anew))


def _move(action: Action) -> Callable[..., RunNow]:
    def move(
        request: Request,
        background: BackgroundTasks,
        run_id: UUID,
        body: NeededReason,
        caller: Actor = Depends(may(Scope.CAMPAIGNS_WRITE, *MOVES[action].roles)),
    ) -> RunNow:
        service = service_of(request)
        run_now.state_of(service, caller, run_id)
        MOVING[action](service.engine, caller, run_id, service.clock.now(), body.reason.strip())
        return _now(request, background, caller, run_id)

    return move


for _action in MOVING:
    router.add_api_route(
        "/runs/{run_id}/" + _action,
        _move(_action),
        methods=["POST"],
        summary=f"{MOVES[_action].ja} / {_action}",
        description="理由が要り、監査記録に残ります / it takes a reason, which the audit log keeps",
    )


def _now(request: Request, background: BackgroundTasks, caller: Actor, run_id: UUID) -> RunNow:
    service = service_of(request)
    state = run_now.state_of(service, caller, run_id)
    starting = run_now.starting(service, run_id)
    progress = run_now.progress(service, background, run_id)
    with service.engine.connect() as connection:
        head = overview.head_of(connection, run_id)
        stopped = switches(connection)
    return RunNow(
        **head._asdict(),
        run_id=run_id,
        stopped=stopped,
        state=state,
        starting=starting is not None and not starting.done,
        refused=run_now.refused(starting, state) or None,
        as_of=progress.as_of,
        counts=progress.counts,
        steps=progress.steps,
    )
