"""Who must be kept although the time is over."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, text

from contact_service.store.tables.base import Instant, identity, metadata
from contact_service.store.tables.ledger import debtor

legal_hold = Table(
    "legal_hold",
    metadata,
    identity(),
    Column("debtor_id", ForeignKey(debtor.c.id), nullable=False),
    Column("reason", Text, nullable=False),  # of a lawsuit, an audit, a request; no name
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    # whose it is (所管課), to end too; "*": of whoever sees all
    Column("office", String(40), nullable=False, server_default=text("'*'")),
    Column("lifted_at", Instant),
    Column("lifted_by", Text),
    Index(
        "uq_legal_hold_in_force",
        "debtor_id",
        "office",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
)
