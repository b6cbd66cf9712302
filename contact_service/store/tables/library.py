"""What worked (効果のあった取組み事例): finished trials that other offices may learn from."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, identity, metadata
from contact_service.store.tables.campaigns import run

library_entry = Table(
    "library_entry",
    metadata,
    identity(),
    Column("run_id", ForeignKey(run.c.id), nullable=False, unique=True),
    Column("campaign", String(60), nullable=False),
    Column("title", Text, nullable=False),
    Column("definition", Text, nullable=False),  # as approved
    Column("entry", JSONB, nullable=False),  # setting, effects, cost; small numbers withheld
    Column("lessons", Text, nullable=False),  # in the words of those who did it
    Column("office", Text, nullable=False),
    Column("training", Boolean, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", Text, nullable=False),
)
