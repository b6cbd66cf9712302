"""What the console keeps of its own: work in progress, figures that take long, recordings."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from contact_service.store.tables.base import Instant, identity, metadata

#: A definition that is being written; it need not be valid. Gone once it is submitted.
campaign_draft = Table(
    "campaign_draft",
    metadata,
    identity(),
    Column("text", Text, nullable=False),
    Column("title", Text, nullable=False),  # as far as it can be read
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("office", String(40), nullable=False, server_default=text("'*'")),  # 所管課
)

#: Figures that take longer than a page may: worked out beside, shown when they are there.
computed = Table(
    "computed",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of what was asked
    Column("kind", String(20), nullable=False),
    Column("asked_at", Instant, nullable=False),  # by the service's clock
    Column("begun_at", Instant, nullable=False),  # by the database's clock
    Column("done", Boolean, nullable=False, server_default=text("false")),
    Column("figures", JSONB),
    Column("wrong", Text),  # why there are none
)

#: Recordings for auto-calls, every version; the file in the audio folder is the one in use.
recording = Table(
    "recording",
    metadata,
    identity(),
    Column("name", String(64), nullable=False),  # as scripts name it: notice-greeting.wav
    Column("version", Integer, nullable=False),
    Column("wav", LargeBinary, nullable=False),  # 8 kHz mono, 16 bits
    Column("seconds", Float, nullable=False),
    Column("loudness", Float),  # of what was handed in, LUFS
    Column("peak_db", Float),
    Column("faults", ARRAY(Text), nullable=False),
    Column("spoken", Text),  # the text, when speech was made from it
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("used_at", Instant),  # when it was put into the audio folder last
    UniqueConstraint("name", "version"),
)
