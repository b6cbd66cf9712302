"""The call log, and what operators concluded."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from contact_service.store.tables.base import Instant, identity, metadata, secret
from contact_service.store.tables.campaigns import target
from contact_service.store.tables.contacts import attempt
from contact_service.store.tables.ledger import phone, source_file

call = Table(
    "call",
    metadata,
    identity(),
    Column("origin", String(12), nullable=False),  # auto_call, operator, resident
    Column("direction", String(8), nullable=False),  # inbound, outbound
    Column("started_at", Instant, nullable=False),
    Column("wait_seconds", Integer),  # an inbound caller's time in the queue; NULL: not recorded
    Column("talk_seconds", Integer, nullable=False),
    Column("wrap_seconds", Integer, nullable=False),  # after-call work
    Column("result", String(20), nullable=False),  # CallResult
    Column("extension", String(12)),
    Column("phone_id", ForeignKey(phone.c.id)),
    Column("attempt_id", ForeignKey(attempt.c.id)),
    Column("source_file_id", ForeignKey(source_file.c.id)),
    Column("source_line", Integer),
    Column("deduplication_key", String(80), nullable=False, unique=True),
    Index("ix_call_started_at", "started_at"),
    Index("ix_call_phone_id", "phone_id"),
    Index("ix_call_attempt_id", "attempt_id"),
)

disposition = Table(
    "disposition",
    metadata,
    identity(),
    Column("attempt_id", ForeignKey(attempt.c.id), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),  # DispositionKind
    secret("note"),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
)

promise = Table(
    "promise",
    metadata,
    identity(),
    Column("disposition_id", ForeignKey(disposition.c.id), nullable=False, unique=True),
    Column("target_id", ForeignKey(target.c.id), nullable=False),
    Column("promised_on", Date, nullable=False),  # the day it will be paid
    Column("amount_yen", BigInteger, nullable=False),
)

referral = Table(
    "referral",
    metadata,
    identity(),
    Column("disposition_id", ForeignKey(disposition.c.id), nullable=False, unique=True),
    Column("target_id", ForeignKey(target.c.id), nullable=False),
    Column("desk", Text, nullable=False),
    Column("referred_at", Instant, nullable=False),
)
