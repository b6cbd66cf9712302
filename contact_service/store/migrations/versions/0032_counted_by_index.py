"""What is still to come and what went out lately, counted from indexes alone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_attempt_ahead",
        "attempt",
        ["run_id", "channel", "due_at"],
        postgresql_where=sa.text("state = 'planned'"),
        postgresql_include=["requested", "expires_at"],
    )
    op.create_index(
        "ix_attempt_submitted_at",
        "attempt",
        ["submitted_at"],
        postgresql_where=sa.text("submitted_at IS NOT NULL"),
        postgresql_include=["run_id", "channel"],
    )


def downgrade() -> None:
    op.drop_index("ix_attempt_submitted_at", table_name="attempt")
    op.drop_index("ix_attempt_ahead", table_name="attempt")
