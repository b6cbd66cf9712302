"""Carrier, residents and centre put together, and served as one application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from contact_service.clock import Clock
from contact_service.simulation import truth
from contact_service.simulation.carrier.assembly import Account, Carrier
from contact_service.simulation.carrier.breakage import Breakage
from contact_service.simulation.carrier.subscribers import NobodyThere
from contact_service.simulation.centre.office import Centre
from contact_service.simulation.control import Control
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents.collections import CollectionsFiles
from contact_service.simulation.residents.parameters import Parameters
from contact_service.simulation.residents.payments import Payments
from contact_service.simulation.residents.people import Residents
from contact_service.simulation.residents.population import Population
from contact_service.simulation.residents.telephones import Telephones
from contact_service.simulation.timeline import Timeline


@dataclass(frozen=True)
class Situation:
    """What is simulated."""

    clock: Clock
    population: Population
    folder: Path
    """Where files for the office, the ledger of the carrier and the truth are written."""
    seed: str
    account: Account
    service_url: str
    api_token: str = field(repr=False)
    centre_number: str
    operators: int
    """0: no centre and no inbound calls."""


def simulation(situation: Situation) -> tuple[ASGIApp, Timeline]:
    """The whole simulation, beginning at the clock's present, and its agenda."""
    parameters = Parameters()
    population, folder = situation.population, situation.folder
    folder.mkdir(parents=True, exist_ok=True)
    draws, timeline = Draws(situation.seed), Timeline(situation.clock)
    start = situation.clock.now()
    files = CollectionsFiles(folder, timeline)
    payments = Payments(parameters.payment, population, draws, timeline, start, files.add)
    telephones = Telephones(parameters.telephone, parameters.keys, draws, population.phone_kinds)
    residents = Residents(parameters, population, telephones, payments, draws)
    centre = None
    if situation.operators:
        centre = Centre(
            situation.centre_number,
            situation.operators,
            situation.service_url,
            situation.api_token,
            folder,
            timeline,
            residents,
            population.phones,
            parameters.call_back.withheld,
            draws,
        )
        residents.call_back = centre.call_back
    carrier = Carrier(
        situation.account, timeline, folder, draws, residents, centre or NobodyThere()
    )
    truth.write(
        folder, situation.seed, parameters, start, payments.end, len(population.by_household)
    )

    @asynccontextmanager
    async def life() -> AsyncIterator[None]:
        payments.begin()
        files.begin(start)
        async with AsyncExitStack() as stack:
            if centre:
                await stack.enter_async_context(centre.running(start))
            yield

    app = application(carrier, lambda: centre.waiting if centre else 0, life())
    return app, timeline


def application(
    carrier: Carrier,
    inbound_waiting: Callable[[], int] = lambda: 0,
    *others: AbstractAsyncContextManager[None],
) -> ASGIApp:
    """The carrier's API and the simulation's own door; ``others`` live as long as they do."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(carrier.running())
            for other in others:
                await stack.enter_async_context(other)
            await stack.enter_async_context(carrier.timeline.running())
            yield

    control = Control(carrier, inbound_waiting)
    routes = [carrier.routes(), *control.routes()]
    return Breakage(Starlette(routes=routes, lifespan=lifespan), carrier.faults)
