"""When a trunk was heard of last: callers of one that is gone do not wait on the desks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trunk_heartbeat",
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_trunk_heartbeat")),
    )


def downgrade() -> None:
    op.drop_table("trunk_heartbeat")
