"""Results that a supervisor corrects and samples; tries of a call back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0019"
down_revision = "0015"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "result_correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("disposition_id", sa.BigInteger(), nullable=False),
        sa.Column("was", JSONB(), nullable=False),
        sa.Column("became", sa.String(20), nullable=False),
        sa.Column("corrected_at", _INSTANT, nullable=False),
        sa.Column("corrected_by", sa.Text(), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=False),
        sa.Column("restrictions", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("lifted", sa.Boolean()),
        sa.ForeignKeyConstraint(
            ["disposition_id"],
            ["disposition.id"],
            name=op.f("fk_result_correction_disposition_id_disposition"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_correction")),
    )
    op.create_index(
        op.f("ix_result_correction_disposition_id"), "result_correction", ["disposition_id"]
    )
    op.create_table(
        "quality_review",
        sa.Column("disposition_id", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.Text()),
        sa.Column("drawn_at", _INSTANT, nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(12)),
        sa.Column("remark", sa.LargeBinary()),
        sa.Column("reviewed_at", _INSTANT),
        sa.Column("reviewed_by", sa.Text()),
        sa.ForeignKeyConstraint(
            ["disposition_id"],
            ["disposition.id"],
            name=op.f("fk_quality_review_disposition_id_disposition"),
        ),
        sa.PrimaryKeyConstraint("disposition_id", name=op.f("pk_quality_review")),
    )
    op.create_index(op.f("ix_disposition_recorded_at"), "disposition", ["recorded_at"])
    op.add_column(
        "inbound_call",
        sa.Column("try_number", sa.SmallInteger(), nullable=False, server_default=sa.text("1")),
    )


def downgrade() -> None:
    op.drop_column("inbound_call", "try_number")
    op.drop_index(op.f("ix_disposition_recorded_at"), "disposition")
    op.drop_table("quality_review")
    op.drop_table("result_correction")
