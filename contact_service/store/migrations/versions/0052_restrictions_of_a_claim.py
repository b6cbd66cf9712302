"""What is said of two claims of one notice on one day are two restrictions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_SAID_ONCE = "uq_restriction_said_once"
_KEY = ("kind", "debtor_code", "notice_number", "phone_id", "starts_on")


def upgrade() -> None:
    op.add_column(
        "restriction",
        sa.Column(
            "said_claim_id",
            sa.BigInteger(),
            sa.Computed(
                "CASE WHEN origin NOT IN ('file', 'files') THEN claim_id END", persisted=True
            ),
        ),
    )
    op.drop_constraint(_SAID_ONCE, "restriction")
    op.create_unique_constraint(
        _SAID_ONCE, "restriction", [*_KEY, "said_claim_id"], postgresql_nulls_not_distinct=True
    )


def downgrade() -> None:
    """Refused by the database where two claims of one notice are restricted: none is taken away."""
    op.drop_constraint(_SAID_ONCE, "restriction")
    op.drop_column("restriction", "said_claim_id")
    op.create_unique_constraint(
        _SAID_ONCE, "restriction", list(_KEY), postgresql_nulls_not_distinct=True
    )
