"""Accounts of people who sign in at the office's identity provider: no password here"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("oidc_issuer", sa.Text()))
    op.add_column("user_account", sa.Column("oidc_subject", sa.String(255)))
    op.alter_column("user_account", "password_hash", nullable=True)
    op.create_unique_constraint(
        op.f("uq_user_account_oidc_issuer_oidc_subject"),
        "user_account",
        ["oidc_issuer", "oidc_subject"],
    )
    op.create_check_constraint(
        "one_way_in", "user_account", "(password_hash IS NULL) = (oidc_subject IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_constraint("one_way_in", "user_account")
    op.drop_constraint(op.f("uq_user_account_oidc_issuer_oidc_subject"), "user_account")
    op.drop_column("user_account", "oidc_subject")
    op.drop_column("user_account", "oidc_issuer")
