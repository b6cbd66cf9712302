"""What goes on all day does not take longer the more a ledger holds: dead versions of attempts are
cleared by their number and at full speed, and what is over or ended lately is found by an
index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE attempt SET (autovacuum_vacuum_scale_factor = 0,
            autovacuum_vacuum_threshold = 50000, autovacuum_vacuum_cost_delay = 0)
    """)
    op.create_index(
        "ix_attempt_expires_at",
        "attempt",
        ["expires_at"],
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_attempt_outcome_at",
        "attempt",
        ["outcome_at"],
        postgresql_where=sa.text("state = 'finished'"),
    )


def downgrade() -> None:
    op.drop_index("ix_attempt_outcome_at", table_name="attempt")
    op.drop_index("ix_attempt_expires_at", table_name="attempt")
    op.execute("""
        ALTER TABLE attempt RESET (autovacuum_vacuum_scale_factor,
            autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)
    """)
