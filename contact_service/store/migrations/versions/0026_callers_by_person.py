"""A person's incoming calls are found without reading all of them"""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_inbound_call_debtor_id", "inbound_call", ["debtor_id"])


def downgrade() -> None:
    op.drop_index("ix_inbound_call_debtor_id", table_name="inbound_call")
