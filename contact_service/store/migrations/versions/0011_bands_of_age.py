"""Bands of age: five years of birth beside the sealed date, and the age frozen with a target"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # birth dates are sealed: the next claims file fills this in for people who are known already
    op.add_column("debtor", sa.Column("birth_band", sa.SmallInteger()))
    op.add_column("target", sa.Column("age_band", sa.String(10)))


def downgrade() -> None:
    op.drop_column("target", "age_band")
    op.drop_column("debtor", "birth_band")
