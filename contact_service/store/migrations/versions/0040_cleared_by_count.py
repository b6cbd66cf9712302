"""Dead versions of attempts are cleared by their number and at full speed, not by a fifth of a
table that grows for years"""

from __future__ import annotations

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


def downgrade() -> None:
    op.execute("""
        ALTER TABLE attempt RESET (autovacuum_vacuum_scale_factor,
            autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)
    """)
