"""Attempts, and what carriers reported of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, identity, metadata, secret
from contact_service.store.tables.campaigns import run, target
from contact_service.store.tables.ledger import claim, phone

attempt = Table(
    "attempt",
    metadata,
    Column("id", Uuid, primary_key=True),  # derived from target, step and try
    # the target's run and number again, written from its row by the same statement: checking
    # them once more for each of a million attempts would be most of the time that planning takes
    Column("run_id", Uuid, nullable=False),
    Column("phone_id", BigInteger),  # NULL: a letter
    Column("target_id", ForeignKey(target.c.id), nullable=False),
    Column("step", String(40), nullable=False),
    Column("try_number", SmallInteger, nullable=False),  # from 1
    Column("channel", String(12), nullable=False),
    Column("state", String(12), nullable=False),  # AttemptState
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    # the lease: who holds it, which one it is (fencing), and until when by the database's clock
    Column("lease_owner", Text),
    Column("lease_number", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", Instant),
    Column("leased_at", Instant),  # by the service's clock
    # what was handed over
    Column("provider", String(40)),
    Column("provider_ref", String(80)),
    Column("submitted_at", Instant),
    Column("parts", SmallInteger),
    Column("price_yen", Integer),
    # what became of it
    Column("outcome", String(20)),
    Column("outcome_at", Instant),
    Column("reason", String(60)),  # why skipped, refused, or unknown
    Column("detail", Text),
    Column("checked_at", Instant),  # when an unknown was last looked for, by the database's clock
    Column("needs_person", Boolean, nullable=False, server_default=text("false")),
    # a call back that the person asked for, and whether one operator alone is to make it
    Column("requested", Boolean, nullable=False, server_default=text("false")),
    Column("reserved_for", Text),
    UniqueConstraint("target_id", "step", "try_number"),
    CheckConstraint("state <> 'leased' OR lease_until IS NOT NULL", name="leased_has_an_end"),
    CheckConstraint("(phone_id IS NULL) = (channel = 'letter')", name="letters_need_no_number"),
    Index(
        "ix_attempt_due",
        "channel",
        "due_at",
        "id",
        postgresql_where=text("state = 'planned'"),
    ),
    Index(
        "ix_attempt_requested",
        "due_at",
        postgresql_where=text("state = 'planned' AND requested"),
    ),
    Index("ix_attempt_leased_phone", "phone_id", postgresql_where=text("state = 'leased'")),
    Index("ix_attempt_unknown", "provider", postgresql_where=text("state = 'unknown'")),
    Index("ix_attempt_accepted", "provider", postgresql_where=text("state = 'accepted'")),
    Index("ix_attempt_run_id_step", "run_id", "step"),
    # what is still to come is counted from this alone, and asked for by pages all day
    Index(
        "ix_attempt_ahead",
        "run_id",
        "channel",
        "due_at",
        postgresql_where=text("state = 'planned'"),
        postgresql_include=["requested", "expires_at"],
    ),
    Index(
        "ix_attempt_submitted_at",
        "submitted_at",
        postgresql_where=text("submitted_at IS NOT NULL"),
        postgresql_include=["run_id", "channel"],
    ),
    # looked through every other second for what is over, and for what goes wrong
    Index("ix_attempt_expires_at", "expires_at", postgresql_where=text("state = 'planned'")),
    Index("ix_attempt_outcome_at", "outcome_at", postgresql_where=text("state = 'finished'")),
    Index(
        "ix_attempt_phone_id_submitted_at",
        "phone_id",
        "submitted_at",
        postgresql_where=text("submitted_at IS NOT NULL"),
    ),
    Index(
        "uq_attempt_provider_ref",
        "provider",
        "provider_ref",
        unique=True,
        postgresql_where=text("provider_ref IS NOT NULL"),
    ),
    # each contact leaves two dead versions: a fifth of what has grown for years is too many to
    # wait for, and at the usual restraint clearing a million rows takes five minutes and more
    postgresql_with={
        "autovacuum_vacuum_scale_factor": 0,
        "autovacuum_vacuum_threshold": 50_000,
        "autovacuum_vacuum_cost_delay": 0,
    },
)

event = Table(
    "event",
    metadata,
    identity(),
    Column("provider", String(40), nullable=False),
    Column("provider_ref", String(80), nullable=False),
    Column("attempt_id", Uuid),  # when the report named it; else matched by provider_ref
    Column("channel", String(12), nullable=False),
    Column("status", String(60), nullable=False),  # the carrier's word
    Column("outcome", String(20)),
    Column("rank", SmallInteger, nullable=False),  # how much it says: OUTCOME_RANK
    Column("final", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("via", String(10), nullable=False),  # Via of receipts.events
    Column("talk_seconds", Integer),
    Column("raw", JSONB, nullable=False),
    Column("deduplication_key", Text, nullable=False),
    UniqueConstraint("provider", "deduplication_key"),
    Index("ix_event_provider_ref", "provider", "provider_ref"),
    Index("ix_event_attempt_id", "attempt_id"),
)

inbound_message = Table(
    "inbound_message",
    metadata,
    identity(),
    Column("provider", String(40), nullable=False),
    Column("provider_ref", String(80), nullable=False),
    Column("phone_id", ForeignKey(phone.c.id), nullable=False),
    secret("body"),
    Column("opted_out", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("says", String(12), nullable=False, server_default=text("'other'")),  # ReplyKind
    Column("taken_by", Text),
    Column("done_at", Instant),  # dealt with; NULL and not understood: an operator must look
    UniqueConstraint("provider", "provider_ref"),
    Index("ix_inbound_message_phone_id_received_at", "phone_id", "received_at"),
    Index("ix_inbound_message_open", "received_at", postgresql_where=text("done_at IS NULL")),
)

letter_batch = Table(
    "letter_batch",
    metadata,
    identity(),
    Column("run_id", ForeignKey(run.c.id), nullable=False),
    Column("step", String(40), nullable=False),
    Column("number", Integer, nullable=False),  # within the step, from 1
    Column("letters", Integer, nullable=False),
    Column("handed_over_at", Instant, nullable=False),
    Column("handed_over_by", Text, nullable=False),
    UniqueConstraint("run_id", "step", "number"),
)

letter_line = Table(
    "letter_line",
    metadata,
    Column("batch_id", ForeignKey(letter_batch.c.id), primary_key=True),
    Column("line", Integer, primary_key=True),  # of the file, from 1, without its heading
    Column("letter", Integer, nullable=False),  # within the batch, from 1: one a person
    Column("attempt_id", ForeignKey(attempt.c.id), nullable=False),
    Column("claim_id", ForeignKey(claim.c.id), nullable=False),
    Column("outstanding_yen", BigInteger, nullable=False),  # as handed over
)
