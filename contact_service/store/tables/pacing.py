"""What was used up of what is stated."""

from __future__ import annotations

from sqlalchemy import Column, Double, String, Table

from contact_service.store.tables.base import metadata

#: Budgets, raised in the transaction that leases; see dispatch.budgets.
spent = Table(
    "spent",
    metadata,
    Column("scope", String(100), primary_key=True),  # what is counted, and whose it is
    Column("period", String(20), primary_key=True),  # a day, a half-hour, all
    Column("amount", Double, nullable=False),
)
