"""The operator's desk: call backs, identity checks, what operators do, referrals followed up"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "attempt",
        sa.Column("requested", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.add_column("attempt", sa.Column("reserved_for", sa.Text()))
    op.create_index(
        op.f("ix_attempt_requested"),
        "attempt",
        ["due_at"],
        postgresql_where=sa.text("state = 'planned' AND requested"),
    )
    op.add_column("disposition", sa.Column("sub_reason", sa.Text()))
    op.add_column("promise", sa.Column("method", sa.String(20)))
    op.add_column("promise", sa.Column("instalments", sa.SmallInteger()))
    op.add_column(
        "referral",
        sa.Column("answers", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
    )
    op.add_column("referral", sa.Column("followed_up_at", sa.DateTime(timezone=True)))
    op.add_column("referral", sa.Column("followed_up_by", sa.Text()))
    op.create_table(
        "identity_check",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.String(30), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_identity_check_attempt_id_attempt")
        ),
        sa.ForeignKeyConstraint(
            ["debtor_id"], ["debtor.id"], name=op.f("fk_identity_check_debtor_id_debtor")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "debtor_id", name=op.f("pk_identity_check")),
    )
    op.create_table(
        "operator_period",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt_id", sa.Uuid()),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_operator_period_attempt_id_attempt")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_period")),
    )
    op.create_index(
        op.f("uq_operator_period_now"),
        "operator_period",
        ["operator"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_operator_period_started_at"), "operator_period", ["started_at"])


def downgrade() -> None:
    op.drop_table("operator_period")
    op.drop_table("identity_check")
    op.drop_column("referral", "followed_up_by")
    op.drop_column("referral", "followed_up_at")
    op.drop_column("referral", "answers")
    op.drop_column("promise", "instalments")
    op.drop_column("promise", "method")
    op.drop_column("disposition", "sub_reason")
    op.drop_index(op.f("ix_attempt_requested"), "attempt")
    op.drop_column("attempt", "reserved_for")
    op.drop_column("attempt", "requested")
