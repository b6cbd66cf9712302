"""The console: drafts, figures that take long, recordings, tests to one's own number"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0015"
down_revision = "0023"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaign_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_draft")),
    )
    op.create_table(
        "computed",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("begun_at", _INSTANT, nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("figures", JSONB()),
        sa.Column("wrong", sa.Text()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_computed")),
    )
    op.create_table(
        "recording",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wav", sa.LargeBinary(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("loudness", sa.Float()),
        sa.Column("peak_db", sa.Float()),
        sa.Column("faults", ARRAY(sa.Text()), nullable=False),
        sa.Column("spoken", sa.Text()),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_recording_name_version")),
    )
    # a text to one's own number, to see how it arrives, goes the way of every text
    op.alter_column("support_text", "disposition_id", nullable=True)
    op.add_column("support_text", sa.Column("tested_by", sa.Text()))


def downgrade() -> None:
    op.drop_column("support_text", "tested_by")
    op.execute("DELETE FROM support_text WHERE disposition_id IS NULL")
    op.alter_column("support_text", "disposition_id", nullable=False)
    op.drop_table("recording")
    op.drop_table("computed")
    op.drop_table("campaign_draft")
