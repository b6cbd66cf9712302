"""Who did what."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, identity, metadata

audit_log = Table(
    "audit_log",
    metadata,
    identity(),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("office", String(40), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False),  # an identifier, never a name or number
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("ix_audit_log_at", "at"),
    Index("ix_audit_log_actor_id", "actor", "id"),
    Index("ix_audit_log_action_id", "action", "id"),
    Index("ix_audit_log_subject_id", "subject", "id"),
)
