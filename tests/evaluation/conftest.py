"""A service and the people who read its reports."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.settings import Settings
from contact_service.store.crypto import Vault


@pytest.fixture
def service(settings: Settings, engine: Engine, vault: Vault, clock: FixedClock) -> Service:
    return Service(settings, engine, vault, clock)


@pytest.fixture
def evaluator() -> Actor:
    return Actor("evaluator", Role.EVALUATOR)
