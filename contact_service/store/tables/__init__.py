"""The schema, one module per area. ``metadata`` is what the migrations must amount to."""

from contact_service.store.tables import (
    admin,
    calls,
    campaigns,
    console,
    contacts,
    identity,
    jobs,
    ledger,
    library,
    pacing,
    retention,
)
from contact_service.store.tables.base import metadata

__all__ = [
    "admin",
    "calls",
    "campaigns",
    "console",
    "contacts",
    "identity",
    "jobs",
    "ledger",
    "library",
    "metadata",
    "pacing",
    "retention",
]
