"""Leases that are over are found among those of a number: one index less a contact"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_attempt_lease_until", table_name="attempt")


def downgrade() -> None:
    op.create_index(
        "ix_attempt_lease_until",
        "attempt",
        ["lease_until"],
        postgresql_where=sa.text("state = 'leased'"),
    )
