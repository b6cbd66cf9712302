"""People who must be kept although the time is over"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", _INSTANT),
        sa.Column("lifted_by", sa.Text()),
        sa.ForeignKeyConstraint(
            ["debtor_id"], ["debtor.id"], name=op.f("fk_legal_hold_debtor_id_debtor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(
        "uq_legal_hold_in_force",
        "legal_hold",
        ["debtor_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    # who was made nameless, so that nobody is twice
    op.add_column("debtor", sa.Column("anonymised_at", _INSTANT))


def downgrade() -> None:
    op.drop_column("debtor", "anonymised_at")
    op.drop_table("legal_hold")
