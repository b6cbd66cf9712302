"""The call log, and what operators concluded."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, identity, metadata, secret
from contact_service.store.tables.campaigns import target
from contact_service.store.tables.contacts import attempt
from contact_service.store.tables.ledger import debtor, phone, source_file

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
    Column("sub_reason", Text),  # of the office's own list
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
    Column("method", String(20)),  # PaymentMethod
    Column("instalments", SmallInteger),  # into how many parts; NULL: at once
)

referral = Table(
    "referral",
    metadata,
    identity(),
    Column("disposition_id", ForeignKey(disposition.c.id), nullable=False, unique=True),
    Column("target_id", ForeignKey(target.c.id), nullable=False),
    Column("desk", Text, nullable=False),
    Column("referred_at", Instant, nullable=False),
    Column("answers", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    # which of the guided questions were answered yes
    Column("followed_up_at", Instant),
    Column("followed_up_by", Text),
)

identity_check = Table(
    "identity_check",
    metadata,
    Column("attempt_id", ForeignKey(attempt.c.id), primary_key=True),
    # several people may share a telephone: what is owed by one is not said to another
    Column("debtor_id", ForeignKey(debtor.c.id), primary_key=True),
    Column("proof", String(30), nullable=False),  # IdentityProof
    Column("checked_at", Instant, nullable=False),
    Column("checked_by", Text, nullable=False),
)

operator_period = Table(
    "operator_period",
    metadata,
    identity(),
    Column("operator", Text, nullable=False),
    Column("state", String(12), nullable=False),  # OperatorState
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("seen_at", Instant, nullable=False),  # by the database's clock: is the desk open?
    Column("attempt_id", ForeignKey(attempt.c.id)),  # whom it was about
    Index(
        "uq_operator_period_now",
        "operator",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_operator_period_started_at", "started_at"),
)
