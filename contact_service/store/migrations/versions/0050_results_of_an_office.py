"""A result is the office's (所管課) whose operator recorded it, wherever they work later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "disposition",
        sa.Column("office", sa.String(40), nullable=False, server_default=sa.text("'*'")),
    )
    op.execute(
        "UPDATE disposition d SET office = u.office FROM user_account u "
        "WHERE u.name = d.recorded_by AND u.office <> '*'"
    )


def downgrade() -> None:
    op.drop_column("disposition", "office")
