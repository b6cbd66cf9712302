"""Messages from residents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row a message, its text sealed."""
    op.create_table(
        "inbound_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("provider_ref", sa.String(80), nullable=False),
        sa.Column("phone_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_id"], ["phone.id"], name=op.f("fk_inbound_message_phone_id_phone")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_message")),
        sa.UniqueConstraint(
            "provider", "provider_ref", name=op.f("uq_inbound_message_provider_provider_ref")
        ),
    )
    op.create_index(
        "ix_inbound_message_phone_id_received_at", "inbound_message", ["phone_id", "received_at"]
    )


def downgrade() -> None:
    """What people wrote is gone."""
    op.drop_table("inbound_message")
