"""Requests for what concerns many people at once, decided by a second person"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0026"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bulk_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("granted", sa.Boolean()),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by",
            name=op.f("ck_bulk_access_two_persons"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_access")),
    )
    op.create_index(
        "uq_bulk_access_undecided",
        "bulk_access",
        ["kind", "subject", "asked_by"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("bulk_access")
