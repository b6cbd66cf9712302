"""A draft, and a wish to see many, is its writer's office's (所管課)"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0037"
branch_labels = None
depends_on = None

TABLES = {"campaign_draft": "created_by", "bulk_access": "asked_by"}


def upgrade() -> None:
    for table, writer in TABLES.items():
        op.add_column(
            table, sa.Column("office", sa.String(40), nullable=False, server_default=sa.text("'*'"))
        )
        # whoever has no account (any more), or is of all offices: for those who see all
        op.execute(
            f"UPDATE {table} t SET office = u.office FROM user_account u WHERE u.name = t.{writer}"
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "office")
