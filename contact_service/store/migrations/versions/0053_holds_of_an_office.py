"""A hold is the office's (所管課) that set it, and another office may hold the same person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_IN_FORCE = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    # nobody wrote down whose those were that are there: whoever sees all offices ends them
    op.add_column(
        "legal_hold",
        sa.Column("office", sa.String(40), nullable=False, server_default=sa.text("'*'")),
    )
    op.drop_index("uq_legal_hold_in_force", "legal_hold")
    op.create_index(
        "uq_legal_hold_in_force",
        "legal_hold",
        ["debtor_id", "office"],
        unique=True,
        postgresql_where=_IN_FORCE,
    )


def downgrade() -> None:
    op.drop_index("uq_legal_hold_in_force", "legal_hold")
    # one a person again; the first that was set stays
    op.execute(
        "UPDATE legal_hold h SET lifted_at = now(), lifted_by = 'migration' "
        "WHERE h.lifted_at IS NULL AND EXISTS (SELECT FROM legal_hold o "
        "WHERE o.debtor_id = h.debtor_id AND o.lifted_at IS NULL AND o.id < h.id)"
    )
    op.create_index(
        "uq_legal_hold_in_force",
        "legal_hold",
        ["debtor_id"],
        unique=True,
        postgresql_where=_IN_FORCE,
    )
    op.drop_column("legal_hold", "office")
