"""The one place that wires the service: servers, schema, keys, clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from contact_service.clock import Clock, clock_from
from contact_service.embedded.servers import servers
from contact_service.settings import Settings
from contact_service.store.crypto import Vault, create_keys, load_vault
from contact_service.store.engine import connect
from contact_service.store.migrate import migrate


@dataclass(frozen=True)
class Service:
    """What a door needs to call the rooms below it."""

    settings: Settings
    engine: Engine
    vault: Vault
    clock: Clock


def wire(settings: Settings, *, pool_size: int = 4) -> Service:
    """A service on servers that are already known. Migrates nothing."""
    create_keys(settings.keys_path)
    return Service(
        settings,
        connect(settings, pool_size=pool_size),
        load_vault(settings.keys_path),
        clock_from(settings.clock),
    )


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """A service with its servers up and its schema current, inside the block."""
    with servers(settings) as found:
        service = wire(found)
        try:
            migrate(service.engine)
            yield service
        finally:
            service.engine.dispose()
