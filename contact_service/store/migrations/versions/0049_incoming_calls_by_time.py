"""Incoming calls of some weeks are counted from an index alone, not out of all calls there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_call_inbound",
        "call",
        ["started_at"],
        postgresql_where=sa.text("direction = 'inbound'"),
        postgresql_include=["id", "phone_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_call_inbound", table_name="call")
