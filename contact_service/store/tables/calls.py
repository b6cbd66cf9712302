"""The call log, and what operators concluded."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    # six weeks of them are counted for the wallboard
    Index(
        "ix_call_inbound",
        "started_at",
        postgresql_where=text("direction = 'inbound'"),
        postgresql_include=["id", "phone_id"],
    ),
    Index("ix_call_phone_id", "phone_id"),
    Index("ix_call_attempt_id", "attempt_id"),
)

inbound_call = Table(
    "inbound_call",
    metadata,
    Column("id", Uuid, primary_key=True),  # derived from the carrier and its identifier
    Column("provider", String(40), nullable=False),  # "desk": a call back agreed on at the desk
    Column("provider_ref", String(80), nullable=False),
    Column("state", String(12), nullable=False),  # InboundState
    Column("came_at", Instant, nullable=False),
    Column("ended_at", Instant),  # when the caller hung up
    Column("phone_id", ForeignKey(phone.c.id)),  # NULL: withheld, or nobody's in the ledger
    secret("number"),  # E.164, until the conversation is closed
    Column("attempt_id", ForeignKey(attempt.c.id)),  # the auto-call that was put through
    Column("due_at", Instant),  # of a call back; NULL: the caller is on the line
    Column("asked", Boolean, nullable=False),  # whether the caller asked to be called back
    Column("reserved_for", Text),
    Column("try_number", SmallInteger, nullable=False, server_default=text("1")),
    # of a call back: how often it has been tried, this time included
    Column("taken_by", Text),
    Column("taken_at", Instant),
    Column("debtor_id", ForeignKey(debtor.c.id)),  # whom an operator found, if the number did not
    UniqueConstraint("provider", "provider_ref"),
    Index("ix_inbound_call_phone_id", "phone_id"),
    Index("ix_inbound_call_debtor_id", "debtor_id"),
    Index("ix_inbound_call_open", "state", postgresql_where=text("state <> 'closed'")),
)

disposition = Table(
    "disposition",
    metadata,
    identity(),
    # of a call that a campaign planned, or of one that came in
    Column("attempt_id", ForeignKey(attempt.c.id), unique=True),
    Column("inbound_call_id", ForeignKey(inbound_call.c.id), unique=True),
    Column("kind", String(20), nullable=False),  # DispositionKind
    Column("sub_reason", Text),  # of the office's own list
    secret("note"),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    # the recorder's; "*": they were of all offices
    Column("office", String(40), nullable=False, server_default=text("'*'")),
    CheckConstraint("num_nonnulls(attempt_id, inbound_call_id) = 1", name="of_one_conversation"),
    Index("ix_disposition_recorded_at", "recorded_at"),
    Index("ix_disposition_recorded_by", "recorded_by", "recorded_at"),
)

result_correction = Table(
    "result_correction",
    metadata,
    identity(),
    Column("disposition_id", ForeignKey(disposition.c.id), nullable=False, index=True),
    Column("was", JSONB, nullable=False),  # the result before, with its promise or referral
    Column("became", String(20), nullable=False),  # DispositionKind
    Column("corrected_at", Instant, nullable=False),
    Column("corrected_by", Text, nullable=False),
    secret("why", nullable=False),
    # restrictions that the old result made: in force until somebody else has decided
    Column("restrictions", ARRAY(BigInteger), nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("lifted", Boolean),
)

quality_review = Table(
    "quality_review",
    metadata,
    Column("disposition_id", ForeignKey(disposition.c.id), primary_key=True),
    Column("seed", Text),  # NULL: chosen by hand
    Column("drawn_at", Instant, nullable=False),
    Column("drawn_by", Text, nullable=False),
    Column("mark", String(12)),  # QualityMark; NULL: not looked at yet
    secret("remark"),
    Column("reviewed_at", Instant),
    Column("reviewed_by", Text),
)

promise = Table(
    "promise",
    metadata,
    identity(),
    Column("disposition_id", ForeignKey(disposition.c.id), nullable=False, unique=True),
    Column("target_id", ForeignKey(target.c.id)),  # NULL: a caller whom no campaign is about
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
    Column("target_id", ForeignKey(target.c.id)),  # NULL: a caller whom no campaign is about
    Column("desk", Text, nullable=False),
    Column("referred_at", Instant, nullable=False),
    Column("answers", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    # which of the guided questions were answered yes
    Column("followed_up_at", Instant),
    Column("followed_up_by", Text),
)

support_text = Table(
    "support_text",
    metadata,
    Column("id", Uuid, primary_key=True),  # the reference that the carrier is given
    Column("disposition_id", ForeignKey(disposition.c.id), unique=True),  # NULL: only a test
    Column("tested_by", Text),  # whose own number it goes to, to see how it arrives
    secret("number"),  # E.164, until it is handed over
    Column("training", Boolean, nullable=False),
    Column("body", Text, nullable=False),  # support desks, or a campaign's message as a test
    Column("state", String(12), nullable=False),  # AttemptState
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),  # by the database's clock
    Column("provider", String(40)),
    Column("provider_ref", String(80)),
    Column("submitted_at", Instant),
    Column("reason", String(60)),
    Index(
        "ix_support_text_open",
        "due_at",
        postgresql_where=text("state IN ('planned', 'leased')"),
    ),
)

identity_check = Table(
    "identity_check",
    metadata,
    Column("conversation_id", Uuid, primary_key=True),  # an attempt's or an inbound call's
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
    Column("conversation_id", Uuid),  # whom it was about: an attempt's or an inbound call's
    Index(
        "uq_operator_period_now",
        "operator",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_operator_period_started_at", "started_at"),
)

operator_phone = Table(
    "operator_phone",
    metadata,
    Column("operator", Text, primary_key=True),
    secret("number", nullable=False),  # E.164: where calls are put through to
)

placed_call = Table(
    "placed_call",
    metadata,
    Column("id", Uuid, primary_key=True),  # of the button: pressed twice, it is one call
    Column("conversation_id", Uuid, nullable=False),
    Column("operator", Text, nullable=False),
    Column("provider", String(40), nullable=False),
    Column("provider_ref", String(80)),
    Column("placed_at", Instant, nullable=False),
    Column("result", String(12), nullable=False),  # PlacedCallResult
    Index("ix_placed_call_conversation_id", "conversation_id"),
)
