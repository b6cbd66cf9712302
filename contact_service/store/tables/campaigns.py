"""Definitions, their versions, and the runs that freeze them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from contact_service.store.tables.base import Instant, identity, metadata
from contact_service.store.tables.ledger import claim, debtor, phone

campaign_version = Table(
    "campaign_version",
    metadata,
    identity(),
    Column("key", String(60), nullable=False),  # the campaign's own name
    Column("version", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of the text, as approved
    Column("text", Text, nullable=False),  # the definition as written
    Column("definition", JSONB, nullable=False),  # the same, checked
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("state", String(12), nullable=False, server_default=text("'draft'")),  # VersionState
    Column("approved_at", Instant),
    Column("approved_by", Text),
    UniqueConstraint("key", "version"),
    UniqueConstraint("key", "sha256"),
)

run = Table(
    "run",
    metadata,
    Column("id", Uuid, primary_key=True),  # derived from the version and the day it describes
    Column("campaign_version_id", ForeignKey(campaign_version.c.id), nullable=False),
    Column("as_of", Date, nullable=False),  # the day whose ledger the targets were taken from
    Column("seed", Text, nullable=False),
    Column("state", String(12), nullable=False),  # RunState
    Column("starts_at", Instant, nullable=False),  # midnight of the first day
    Column("planned_at", Instant, nullable=False),  # when it was put on the calendar
    Column("planned_by", Text, nullable=False),
    Column("frozen_at", Instant),  # when its targets were taken from the ledger; NULL: not yet
    Column("training", Boolean, nullable=False),
    Column("assessed_debtors", Integer, nullable=False),
    Column("assessed_claims", Integer, nullable=False),
    # how many days people are left alone after something has happened; 0: not at all
    Column("quiet_conversation_days", SmallInteger, nullable=False, server_default=text("0")),
    Column("quiet_promise_days", SmallInteger, nullable=False, server_default=text("0")),
    Column("quiet_payment_days", SmallInteger, nullable=False, server_default=text("0")),
    # restrictions that do not apply here, by name; the approver has seen them
    Column("lifted", ARRAY(String(30)), nullable=False, server_default=text("'{}'")),
)

run_step = Table(
    "run_step",
    metadata,
    Column("run_id", ForeignKey(run.c.id), primary_key=True),
    Column("step", String(40), primary_key=True),
    Column("position", SmallInteger, nullable=False),  # from 1
    Column("channel", String(12), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("unless", ARRAY(String(20)), nullable=False),  # outcomes that make it needless
    # [{"on", "after_seconds", "most", "part", "channel"}]: part of the day; fallback's channel
    Column("retries", JSONB, nullable=False),
    Column("most_tries", SmallInteger),  # in all; NULL: as retries allow
    # {"only": [outcome], "only_after": {step: [outcome]}, "unless_after": {…}, "paid": bool,
    # "paid_since": step}: what must hold at the moment of contact
    Column("conditions", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
)

target = Table(
    "target",
    metadata,
    Column("id", Uuid, primary_key=True),  # derived from run and telephone number, or person
    Column("run_id", ForeignKey(run.c.id), nullable=False),
    Column("cluster", BigInteger, nullable=False),  # people who share a home or a number
    Column("stratum", Text, nullable=False),
    Column("arm", String(40), nullable=False),
    Column("phone_id", ForeignKey(phone.c.id)),  # NULL: only letters reach the addressee
    Column("phone_kind", String(10)),
    Column("addressee_id", ForeignKey(debtor.c.id), nullable=False),  # whose number it is
    Column("outstanding_yen", BigInteger, nullable=False),  # frozen
    Column("claims", Integer, nullable=False),  # frozen
    Column("age_band", String(10)),  # the addressee's, frozen; NULL: not known
    UniqueConstraint("run_id", "phone_id"),  # one contact per number, whoever stands behind it
    Index("ix_target_run_id_cluster", "run_id", "cluster"),
    Index("ix_target_phone_id", "phone_id"),
)

target_claim = Table(
    "target_claim",
    metadata,
    Column("target_id", Uuid, primary_key=True),  # written with the target, see attempt.run_id
    Column("claim_id", ForeignKey(claim.c.id), primary_key=True),
    Column("outstanding_yen", BigInteger, nullable=False),  # frozen
    Column("period", String(12), nullable=False),  # Period, frozen
    Column("legal_class", String(20), nullable=False),  # LegalClass, frozen
    Index("ix_target_claim_claim_id", "claim_id"),
)

exclusion = Table(
    "exclusion",
    metadata,
    Column("run_id", ForeignKey(run.c.id), primary_key=True),
    Column("debtor_id", ForeignKey(debtor.c.id), primary_key=True),
    Column("reason", String(40), nullable=False),  # the first that applied, in the flow's order
    Index("ix_exclusion_run_id_reason", "run_id", "reason"),
)

campaign_transition = Table(
    "campaign_transition",
    metadata,
    identity(),
    Column("campaign_version_id", ForeignKey(campaign_version.c.id), nullable=False),
    Column("run_id", ForeignKey(run.c.id)),  # NULL: the version itself moved
    Column("action", String(12), nullable=False),  # domain.life.Action
    Column("before", String(12)),  # NULL: it was not there
    Column("after", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("reason", Text, nullable=False),  # why, in the actor's words; may be empty
    Index("ix_campaign_transition_campaign_version_id", "campaign_version_id"),
    Index("ix_campaign_transition_run_id", "run_id"),
)

trial_registration = Table(
    "trial_registration",
    metadata,
    Column("run_id", ForeignKey(run.c.id, ondelete="CASCADE"), primary_key=True),
    Column("protocol", JSONB, nullable=False),  # campaigns.protocol
    Column("sha256", String(64), nullable=False),  # of its canonical form
    Column("allocation_sha256", String(64), nullable=False),  # planning.allocation.digest
    Column("clusters", JSONB, nullable=False),  # by arm
    Column("warnings", JSONB, nullable=False),  # what was said of its size
    Column("registered_at", Instant, nullable=False),
)

stop_switch = Table(
    "stop_switch",
    metadata,
    Column("scope", String(80), primary_key=True),  # all, provider:<name>, channel:<name>
    Column("reason", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
)
