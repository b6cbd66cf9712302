"""Texts to people in hardship: where help is, with their consent"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "support_text",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("disposition_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.LargeBinary()),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("lease_until", _INSTANT),
        sa.Column("provider", sa.String(40)),
        sa.Column("provider_ref", sa.String(80)),
        sa.Column("submitted_at", _INSTANT),
        sa.Column("reason", sa.String(60)),
        sa.ForeignKeyConstraint(
            ["disposition_id"],
            ["disposition.id"],
            name=op.f("fk_support_text_disposition_id_disposition"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_text")),
        sa.UniqueConstraint("disposition_id", name=op.f("uq_support_text_disposition_id")),
    )
    op.create_index(
        op.f("ix_support_text_open"),
        "support_text",
        ["due_at"],
        postgresql_where=sa.text("state IN ('planned', 'leased')"),
    )


def downgrade() -> None:
    op.drop_table("support_text")
