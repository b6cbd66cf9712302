"""What runs and steps ask for at the moment of contact; people's languages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

QUIET = ("quiet_conversation_days", "quiet_promise_days", "quiet_payment_days")


def upgrade() -> None:
    op.add_column("debtor", sa.Column("language", sa.String(10)))
    for name in QUIET:
        op.add_column(
            "run", sa.Column(name, sa.SmallInteger(), nullable=False, server_default=sa.text("0"))
        )
    op.add_column(
        "run",
        sa.Column(
            "lifted",
            postgresql.ARRAY(sa.String(30)),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    op.create_index(
        "ix_restriction_of_claims",
        "restriction",
        ["debtor_id"],
        postgresql_where=sa.text(
            "kind IN ('instalment_pledge', 'collection_deferred', 'seizure_deferred')"
        ),
    )
    op.add_column("run_step", sa.Column("most_tries", sa.SmallInteger()))
    op.add_column(
        "run_step",
        sa.Column(
            "conditions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )


def downgrade() -> None:
    for name in ("conditions", "most_tries"):
        op.drop_column("run_step", name)
    for name in ("lifted", *QUIET):
        op.drop_column("run", name)
    op.drop_index("ix_restriction_of_claims", "restriction")
    op.drop_column("debtor", "language")
