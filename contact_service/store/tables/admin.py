"""Who did what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    text,
)
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
    Column("origin", Text, nullable=False, server_default=text("''")),  # from where
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False),  # an identifier, never a name or number
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("ref", Uuid, unique=True),  # drawn; no line can be there twice
    Column("mac", LargeBinary),  # of all the above, by whoever wrote it (store.audit)
    Index("ix_audit_log_at", "at"),
    Index("ix_audit_log_actor_id", "actor", "id"),
    Index("ix_audit_log_action_id", "action", "id"),
    Index("ix_audit_log_subject_id", "subject", "id"),
)

# Which index keys have been put in force: the highest is what indexes are written with
# (store.indexing). Without a line it is the first key.
index_generation = Table(
    "index_generation",
    metadata,
    Column("generation", SmallInteger, primary_key=True, autoincrement=False),
    Column("since", Instant, nullable=False),
)

# The lines of the audit log one after the other, each proven with all before it: a line that is
# missing breaks the chain. Made by a chore a moment after they are written, so that nobody who
# writes one waits for anybody else (store.audit_chain).
audit_chain = Table(
    "audit_chain",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # from 1, no gaps
    Column("entry_id", BigInteger, ForeignKey("audit_log.id"), nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),
    Column("sealed_at", Instant, nullable=False),
)
