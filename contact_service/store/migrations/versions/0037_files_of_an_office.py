"""A file is its office's (所管課): another office sees neither it nor its rejected rows. What is
there already is for those who see all"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "source_file",
        sa.Column("office", sa.String(40), nullable=False, server_default=sa.text("'*'")),
    )


def downgrade() -> None:
    op.drop_column("source_file", "office")
