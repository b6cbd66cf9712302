"""A service, the people who read its reports, and worlds that are built once a test process.

What is shared is read only: a test that changes anything takes ``service`` or rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Engine

from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import run_figures, run_report, written
from contact_service.settings import Settings
from contact_service.store.crypto import Vault, load_vault
from contact_service.store.engine import connect
from tests.conftest import NOW, empty
from tests.evaluation.world import NOBODY, RUN, Report, World, build, told

EVALUATOR = Actor("evaluator", Role.EVALUATOR)


@pytest.fixture
def service(settings: Settings, engine: Engine, vault: Vault, clock: FixedClock) -> Service:
    return Service(settings, engine, vault, clock)


@pytest.fixture
def evaluator() -> Actor:
    return EVALUATOR


@contextmanager
def _service(running: Settings, world: World | None) -> Iterator[Service]:
    with empty(running) as settings:
        engine = connect(settings)
        if world is not None:
            with engine.begin() as connection:
                build(connection, world)
        yield Service(settings, engine, load_vault(running.keys_path), FixedClock(NOW))
        engine.dispose()


@pytest.fixture(scope="session")
def shared(running_servers: Settings) -> Iterator[Service]:
    """A service whose ledger holds ``World()``."""
    with _service(running_servers, World()) as found:
        yield found


@pytest.fixture(scope="session")
def nobody(running_servers: Settings) -> Iterator[Service]:
    """A service whose ledger holds ``NOBODY``."""
    with _service(running_servers, NOBODY) as found:
        yield found


@pytest.fixture(scope="session")
def blank(running_servers: Settings) -> Iterator[Engine]:
    """An empty database for worlds that are rolled back."""
    with _service(running_servers, None) as found:
        yield found.engine


@pytest.fixture(scope="session")
def known(shared: Service) -> dict[str, Any]:
    """The figures of ``World()``, nothing withheld."""
    with shared.engine.begin() as connection:
        return told(*run_figures(connection, RUN, NOW))


@pytest.fixture(scope="session")
def report(shared: Service) -> Callable[[str], Report]:
    """The report of ``World()`` in a language, and as the content of a file, each made once."""

    @cache
    def of(lang: str) -> Report:
        document, figures = run_report(shared, EVALUATOR, RUN, lang)

        @cache
        def content(form: Format) -> bytes:
            return written(document, figures, form)

        return Report(document, figures, content)

    return of
