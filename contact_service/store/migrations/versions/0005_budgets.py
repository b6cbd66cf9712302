"""What budgets have been used up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row a budget and period."""
    op.create_table(
        "spent",
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "period", name="pk_spent"),
    )


def downgrade() -> None:
    """Budgets are counted from nothing again."""
    op.drop_table("spent")
