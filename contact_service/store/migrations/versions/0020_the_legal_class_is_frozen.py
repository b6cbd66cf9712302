"""The legal class of a target's claims is frozen with them; of earlier runs, as it is now"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("target_claim", sa.Column("legal_class", sa.String(20)))
    op.execute(
        "UPDATE target_claim t SET legal_class = c.legal_class FROM claim c WHERE c.id = t.claim_id"
    )
    op.alter_column("target_claim", "legal_class", nullable=False)


def downgrade() -> None:
    op.drop_column("target_claim", "legal_class")
