"""Who has recorded results is read off an index, and not off all of them."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_disposition_recorded_by", "disposition", ["recorded_by", "recorded_at"])


def downgrade() -> None:
    op.drop_index("ix_disposition_recorded_by", "disposition")
