"""The simulation's own door: its state, its faults, what it accepted."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contact_service.simulation.carrier.assembly import Carrier
from contact_service.simulation.faults import FaultPlan

LONGEST_WAIT = 60.0


class Control:
    """Endpoints under ``/simulation``."""

    def __init__(self, carrier: Carrier, inbound_waiting: Callable[[], int]) -> None:
        self._carrier = carrier
        self._timeline = carrier.timeline
        self._faults = carrier.faults
        self._inbound_waiting = inbound_waiting

    def routes(self) -> list[Route]:
        """The door's paths."""
        return [
            Route("/simulation/state", self.state),
            Route("/simulation/accepted", self.accepted),
            Route("/simulation/faults", self.faults, methods=["GET"]),
            Route("/simulation/faults", self.set_faults, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Where the simulation stands; with ``wait``, as soon as it is idle or time is up."""
        try:
            wait = min(float(request.query_params.get("wait", 0)), LONGEST_WAIT)
        except ValueError:
            return JSONResponse({"error": "wait: seconds as a number"}, 422)
        if wait > 0:
            await self._timeline.settle(wait)
        now = self._timeline.clock.now()
        following = self._timeline.next_at()
        return JSONResponse(
            {
                "idle": self._timeline.idle(now),
                "now": now.isoformat(),
                "next_event_at": following.isoformat() if following else None,
                "messages": len(self._carrier.messages.records),
                "calls": len(self._carrier.calls.records),
                "callbacks_pending": self._carrier.callbacks.pending,
                "inbound_waiting": self._inbound_waiting(),
            }
        )

    async def accepted(self, _: Request) -> Response:
        """How often each number and each callback address was accepted."""
        return JSONResponse(self._carrier.ledger.summary())

    async def faults(self, _: Request) -> Response:
        """The plan in force, and how often each fault has struck."""
        plan = self._faults.plan.model_dump()
        return JSONResponse({**plan, "injected": dict(self._faults.injected)})

    async def set_faults(self, request: Request) -> Response:
        """Put a plan in force; ``{}`` heals everything."""
        try:
            plan = FaultPlan.model_validate_json(await request.body())
        except ValidationError as fault:
            detail = [{"field": e["loc"], "error": e["msg"]} for e in fault.errors()]
            return JSONResponse({"errors": detail}, 422)
        self._faults.set(plan)
        return await self.faults(request)
