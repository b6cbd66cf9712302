"""Work that takes longer than a page may: asked for at a door, done by a worker."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, metadata

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(20), nullable=False),  # what is to be done: worker.JOBS
    Column("state", String(10), nullable=False),  # JobState
    Column("arguments", JSONB, nullable=False),  # identifiers and choices, nothing personal
    # who asked: the work is done in their name
    Column("actor", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("office", String(40), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger, nullable=False, server_default=text("0")),  # 0: not known
    Column("message", Text),  # why it was refused: Japanese / English
    Column("result", JSONB),
    Index("ix_job_open", "asked_at", postgresql_where=text("state IN ('waiting', 'running')")),
    Index("ix_job_kind_asked_at", "kind", "asked_at"),
)
