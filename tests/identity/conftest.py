"""A service with an administrator at its shell."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.identity import passwords
from contact_service.settings import Settings
from contact_service.store.crypto import Vault

ADMINISTRATOR = Actor("root", Role.ADMINISTRATOR)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of tests need not withstand anybody; what is stored in earnest has its own test."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_NOBODYS", quick.hash("nobody's"))


@pytest.fixture
def service(settings: Settings, engine: Engine, vault: Vault, clock: FixedClock) -> Service:
    return Service(settings, engine, vault, clock)
